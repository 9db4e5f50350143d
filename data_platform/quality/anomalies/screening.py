"""Could a block of rows hold a suspect? A cheap question asked of every block, before any relation is worked out.

The answer may be yes for nothing (it then costs time), and is never no where a flag of `relations` holds: values that
those leave out as no numbers (zero, infinite, of the wrong sign) count as suspicious here.
"""

from __future__ import annotations

import polars as pl

from data_platform.catalog import Series
from data_platform.quality.anomalies.relations import (
    CAP_OFF,
    FLIP_SEEN,
    HUNDREDFOLD,
    JUMP,
    MILL,
    OPEN_JUMP,
    POSITIVE_ROLES,
    ROUNDED,
    SHARES_JUMP,
    STALE_ROWS,
)

_SLACK = 0.99
"""Limits are a little stricter here, so that rounding decides nothing."""


def is_suspicious(block: pl.DataFrame, series: Series) -> bool:
    """Whether the rows, in key order, have to be looked at."""
    smallest = block.select(pl.col(_named(series, POSITIVE_ROLES)).min()).row(0)
    if any(value is not None and value < 0 for value in smallest):
        return True
    return bool(block.lazy().with_columns(_terms(series)).select(_any(series)).collect().item())


def _named(series: Series, roles: tuple[str, ...]) -> list[str]:
    return [name for role in roles if (name := getattr(series, role)) is not None]


def _column(name: str | None) -> pl.Expr:
    return pl.lit(None, dtype=pl.Float64) if name is None else pl.col(name)


def _terms(series: Series) -> list[pl.Expr]:
    entity, price = pl.col(series.entity), pl.col(series.price)
    same = entity == entity.shift()
    before = pl.when(same).then(price.shift())
    terms = [same.alias("_same"), before.alias("_before")]
    if series.previous_price is not None:
        terms += [
            pl.coalesce(series.previous_price, before).alias("_base"),
            pl.coalesce(before, series.previous_price).alias("_last"),
        ]
    else:
        terms += [before.alias("_base"), before.alias("_last")]
    cumulative = _column(series.cumulative_factor)
    ratio = pl.when(same).then(cumulative.shift() / cumulative)
    if series.factor is None and series.cumulative_factor is None:
        factor = pl.lit(1.0)
    elif series.factor is None:
        factor = ratio
    else:
        factor = pl.col(series.factor)
        factor = factor if series.cumulative_factor is None else pl.coalesce(pl.when(factor != 0).then(factor), ratio)
    return [*terms, (factor + 0.0).alias("_factor")]


def _any(series: Series) -> pl.Expr:
    price, factor = pl.col(series.price), pl.col("_factor")
    value = price * factor
    base, last = pl.col("_base"), pl.col("_last")
    unadjusted = (factor - 1).abs() < JUMP / _SLACK
    scaled = value / last
    asked = [scaled > HUNDREDFOLD * _SLACK, scaled < 1 / (HUNDREDFOLD * _SLACK)]
    if series.price_return is not None:
        growth = pl.col(series.price_return) + 1
        asked.append((value / (base * growth) - 1).abs() > FLIP_SEEN * _SLACK)
    if series.shares is not None:
        shares = pl.col(series.shares).cast(pl.Float64)
        asked.append(((shares / shares.shift() - 1).abs() > SHARES_JUMP * _SLACK) & pl.col("_same") & unadjusted)
        if series.market_cap is not None:
            cap = price * shares
            asked.append((pl.col(series.market_cap) - cap).abs() > CAP_OFF * _SLACK * cap)
    elif series.opening is not None:
        asked.append((price / last - 1).abs() > OPEN_JUMP * _SLACK)
    if series.dividend is not None:
        paid = (_column(series.total_return) - _column(series.price_return)) * base
        ordinary, rounding = pl.col(series.dividend), (ROUNDED * base + MILL) * _SLACK
        both = ordinary + _column(series.distribution).fill_null(0.0)
        asked.append((ordinary > 0) & ((paid - ordinary).abs() > rounding) & ((paid - both).abs() > rounding))
    if series.volume is not None:
        volume = pl.col(series.volume)
        again = price == price.shift()
        asked.append(again & (volume == volume.shift()) & (volume > 0) & pl.col("_same"))
        if series.price_return is not None:
            back, entity = STALE_ROWS - 1, pl.col(series.entity)
            looks = (price == price.shift(back)) & (price == price.shift(back // 2)) & (entity == entity.shift(back))
            asked.append(again & looks & (pl.col(series.price_return) == 0))
    asked += _crossed(series)
    return pl.any_horizontal([each.any(ignore_nulls=True) for each in asked])


def _crossed(series: Series) -> list[pl.Expr]:
    asked: list[pl.Expr] = []
    if series.low is not None and series.high is not None:
        low, high = pl.col(series.low), pl.col(series.high)
        asked.append(low > high)
        for name in _named(series, ("opening", "closing")):
            asked += [pl.col(name) > high, pl.col(name) < low]
    if series.bid is not None and series.ask is not None:
        asked.append(pl.col(series.bid) > pl.col(series.ask))
    return asked
