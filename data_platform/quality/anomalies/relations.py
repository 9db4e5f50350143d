"""Relations between the columns of a series, as expressions over a frame in key order: one row, and the row before.

`with_terms` adds what they are made of, `flags` says which rows break which. Names of terms and flags begin with an
underscore, so that they never meet a column. A relation for which the table lacks a role is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from data_platform.catalog import Series

JUMP: Final = 0.04
"""A price that its return does not explain by more than this: smaller level shifts are not looked for."""

HUNDREDFOLD: Final = 60.0
SHARES_JUMP: Final = 0.2
OPEN_JUMP: Final = 0.25
SAME_VALUE: Final = 0.15
CAP_OFF: Final = 0.04
DIVIDEND_OFF: Final = 0.02
DIVIDEND_SEEN: Final = 0.2
ROUNDED: Final = 3e-6
"""Returns are rounded to six decimals; two of them and the price before make this much of a price."""

MILL: Final = 0.001
FLIPPED: Final = 2e-4
FLIP_SEEN: Final = 0.003
STALE_ROWS: Final = 10
ORDER: Final = 1e-6

POSITIVE_ROLES: Final = ("price", "volume", "high", "low", "opening", "closing", "bid", "ask", "shares", "market_cap")


def with_terms(frame: pl.LazyFrame, series: Series) -> pl.LazyFrame:
    """Add the terms. `_gap` is how many times its returns a price has moved, 1 where all is well."""
    entity = pl.col(series.entity)
    same = (entity == entity.shift()).fill_null(value=False)
    own = frame.with_columns(
        same.alias("_same"),
        _positive(series.price).alias("_price"),
        _positive(series.previous_price).alias("_previous"),
        (1 + _number(series.price_return)).alias("_growth"),
        _positive(series.volume).alias("_volume"),
    )
    with_before = own.with_columns(
        pl.when("_same").then(pl.col("_price").shift()).alias("_before"),
        pl.when("_same").then(pl.col(series.date).shift()).alias("_date_before"),
        _factor(series).alias("_factor"),
        _shares_ratio(series).alias("_issued"),
    )
    moved = with_before.with_columns(
        (pl.col("_price") / pl.coalesce("_before", "_previous")).alias("_moved"),
        (pl.col("_price") * pl.col("_factor") / pl.coalesce("_before", "_previous")).alias("_gross"),
        (pl.col("_price") * pl.col("_factor")).alias("_value"),
        pl.coalesce("_previous", "_before").alias("_base"),
    )
    return moved.with_columns(_gap(series).alias("_gap"), _cap_ratio(series).alias("_cap"), *_dividends(series))


def flags(series: Series) -> Mapping[str, pl.Expr]:
    """Which rows to look at, by the flag's name; null counts as no."""
    gap, moved, factor = pl.col("_gap"), pl.col("_moved"), pl.col("_factor")
    unadjusted = (factor - 1).abs() < JUMP
    staying = pl.lit(value=True) if series.leaving is None else (pl.col(series.leaving) != "Y").fill_null(value=True)
    off = (gap - 1).abs()
    scaled = moved * factor
    shares_too = (pl.col("_issued") - 1).abs() > SHARES_JUMP
    found = {
        "_jumps": (off > JUMP) & staying,
        "_flips": (off > FLIP_SEEN)
        & ((pl.col("_growth") - 1).abs() > FLIP_SEEN)
        & ((pl.col("_gross") + pl.col("_growth") - 2).abs() < FLIPPED * pl.col("_gross"))
        & staying,
        "_hundred": ((scaled > HUNDREDFOLD) | (scaled < 1 / HUNDREDFOLD)) & staying,
        "_splits": shares_too & ((moved * pl.col("_issued") - 1).abs() < SAME_VALUE) & unadjusted & staying,
        "_caps": ((pl.col("_cap") - 1).abs() > CAP_OFF) & staying,
        "_doubles": _doubles(series) & staying,
        "_negative": _any_negative(series),
        "_stale": _stale(series),
        **_crossings(series),
    }
    if series.shares is None and series.opening is not None:
        opened = _positive(series.opening) / pl.col("_before")
        found["_opens"] = ((moved - 1).abs() > OPEN_JUMP) & ((opened - 1).abs() > OPEN_JUMP) & unadjusted & staying
    return {name: flag.fill_null(value=False) for name, flag in found.items()}


def repeats(series: Series) -> pl.Expr:
    """Whether the row says of price, volume and range what the row before says, and something happened on the day."""
    if series.volume is None:
        return pl.lit(value=False)
    names = (series.price, series.volume, series.high, series.low, series.opening)
    equal = pl.all_horizontal([pl.col(name) == pl.col(name).shift() for name in names if name is not None])
    happened = pl.col("_volume").is_not_null()
    if series.high is not None and series.low is not None:
        happened &= pl.col(series.high) > pl.col(series.low)
    return (pl.col("_same") & equal & happened).fill_null(value=False)


def _number(name: str | None) -> pl.Expr:
    """The column as finite numbers; null without one."""
    if name is None:
        return pl.lit(None, dtype=pl.Float64)
    value = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def _positive(name: str | None) -> pl.Expr:
    """The size of a number, null where it is zero: SIZ's sign of a midpoint says nothing about the price."""
    value = _number(name).abs()
    return pl.when(value > 0).then(value)


def _factor(series: Series) -> pl.Expr:
    """Shares after per share before. A cumulative factor says it from the second row of an entity on only."""
    if series.factor is None and series.cumulative_factor is None:
        return pl.lit(1.0)
    cumulative = _positive(series.cumulative_factor)
    return pl.coalesce(_positive(series.factor), pl.when("_same").then(cumulative.shift() / cumulative))


def _shares_ratio(series: Series) -> pl.Expr:
    shares = _positive(series.shares)
    return pl.when("_same").then(shares / shares.shift())


def _gap(series: Series) -> pl.Expr:
    """The nearest to 1 over both prices before, and with or without other cash in the return without dividends.

    Where rows are missing only the previous price of the row itself fits the return. Sources differ on whether other
    distributions belong to the return without dividends.
    """
    growth = pl.when(pl.col("_growth") > 0).then("_growth")
    value = pl.col("_value")
    values = [value]
    if series.distribution is not None:
        values.append(value + _number(series.distribution))
    candidates = [each / (base * growth) for each in values for base in (pl.col("_before"), pl.col("_previous"))]
    best = candidates[0]
    for candidate in candidates[1:]:
        nearer = pl.when((candidate - 1).abs() < (best - 1).abs()).then(candidate)
        best = pl.coalesce(nearer, best, candidate)
    return best


def _cap_ratio(series: Series) -> pl.Expr:
    return _positive(series.market_cap) / (pl.col("_price") * _positive(series.shares))


def _dividends(series: Series) -> list[pl.Expr]:
    """`_paid`, what the two returns say was paid per share."""
    paid = (_number(series.total_return) - _number(series.price_return)) * pl.col("_base")
    return [paid.alias("_paid")]


def _doubles(series: Series) -> pl.Expr:
    """What was paid is not what was declared, but what it would be had one of them been counted twice."""
    if series.dividend is None:
        return pl.lit(value=False)
    paid, ordinary = pl.col("_paid"), _number(series.dividend).fill_null(0.0)
    other = _number(series.distribution).fill_null(0.0)
    rounding = ROUNDED * pl.col("_base") + MILL
    right = pl.any_horizontal([(paid - each).abs() <= rounding for each in (ordinary, ordinary + other)])
    twice = (2 * ordinary, ordinary / 2, 2 * ordinary + other, ordinary / 2 + other, 2 * (ordinary + other))
    doubled = pl.any_horizontal([(paid - each).abs() <= rounding + DIVIDEND_OFF * each for each in twice])
    return (ordinary > 0) & ((paid - ordinary).abs() > DIVIDEND_SEEN * ordinary) & doubled & ~right


def _any_negative(series: Series) -> pl.Expr:
    names = [name for role in POSITIVE_ROLES if (name := getattr(series, role)) is not None]
    return pl.any_horizontal([(pl.col(name) < 0).fill_null(value=False) for name in names])


def _stale(series: Series) -> pl.Expr:
    """The price of ten rows, by three looks back; the run is measured when there is one."""
    if series.volume is None or series.price_return is None:
        return pl.lit(value=False)
    price, entity = pl.col("_price"), pl.col(series.entity)
    last = STALE_ROWS - 1
    equal = pl.all_horizontal([price == price.shift(back) for back in (1, last // 2, last)])
    return equal & (entity == entity.shift(last)) & (pl.col("_growth") == 1) & pl.col("_volume").is_not_null()


def _crossings(series: Series) -> dict[str, pl.Expr]:
    """Low above high, bid above ask, a trade outside the day's range, a dividend that lowers the return."""
    found: dict[str, pl.Expr] = {}
    low, high = _positive(series.low), _positive(series.high)
    if series.low is not None and series.high is not None:
        found["_ranges"] = low > high * (1 + ORDER)
        inner = [_positive(name) for name in (series.opening, series.closing) if name is not None]
        outside = [(each > high * (1 + ORDER)) | (each < low * (1 - ORDER)) for each in inner]
        if outside:
            found["_outside"] = pl.any_horizontal(outside) & ~found["_ranges"]
    if series.bid is not None and series.ask is not None:
        found["_quotes"] = _positive(series.bid) > _positive(series.ask) * (1 + ORDER)
    if series.dividend is not None:
        # Exchanged returns say that as much was taken away as was paid.
        given = _number(series.dividend) + _number(series.distribution).fill_null(0.0)
        rounding = ROUNDED * pl.col("_base") + MILL
        found["_returns"] = (given > 2 * rounding) & ((pl.col("_paid") + given).abs() < rounding + DIVIDEND_OFF * given)
    return found
