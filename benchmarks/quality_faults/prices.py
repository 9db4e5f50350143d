"""Faults in the series of a security: level shift, hundredfold, unadjusted split, doubled dividend, stale price."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.quality_faults.injected import (
    PRICE_ROLES,
    Generator,
    Injected,
    a_stretch,
    changed,
    coin,
    columns_of,
    followed,
    multiplied,
    name_of,
    recomputed,
    rows_of,
    usable,
)
from benchmarks.quality_faults.severities import (
    DOUBLED_DIVIDENDS,
    HUNDREDFOLD_DAYS,
    SHIFT_FACTORS,
    SPLIT_RATIOS,
    STALE_SESSIONS,
)
from data_platform.catalog import Series


def level_shift(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """All prices from one day on times a number that is no ratio of a split."""
    place = a_stretch(frame, series, rng, 1)
    if place is None:
        return None
    entity, rows = place
    low, high = SHIFT_FACTORS[int(rng.integers(len(SHIFT_FACTORS)))]
    own = rows_of(frame, series, entity)
    after = own[own >= rows[0]]
    wrong = multiplied(frame, after, columns_of(series, PRICE_ROLES), float(rng.uniform(low, high)))
    if coin(rng):
        wrong = followed(wrong, series, after[1:])
    if series.market_cap is not None and coin(rng):
        wrong = recomputed(wrong, series, after[:1])
    elif series.market_cap is not None and coin(rng):
        value = pl.col(series.price) * pl.col(series.shares or series.price)
        wrong = changed(wrong, after, **{series.market_cap: value})
    return Injected(wrong, (name_of(series, entity),))


def hundredfold(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """Single days with all prices times or divided by a hundred."""
    good = np.flatnonzero(usable(frame, series))
    rows = rng.choice(good, size=min(HUNDREDFOLD_DAYS, len(good)), replace=False).astype(np.int64)
    entities = frame.get_column(series.entity)
    named = tuple(name_of(series, entities[int(row)]) for row in rows)
    computed = coin(rng)
    wrong = frame
    for row in rows.tolist():
        here = np.array([row])
        following = np.array([row + 1]) if row + 1 < frame.height and entities[row] == entities[row + 1] else here[:0]
        wrong = multiplied(wrong, here, columns_of(series, PRICE_ROLES), 100.0 if coin(rng) else 0.01)
        if coin(rng):
            wrong = followed(wrong, series, following)
        if computed:
            wrong = recomputed(wrong, series, np.concatenate([here, following]))
    return Injected(wrong, named)


def unadjusted_split(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """Prices divided, shares and volume multiplied from one day on; the factors know nothing of it."""
    if series.factor is None:
        return None
    plain = frame.with_columns(pl.when(pl.col(series.factor) == 1).then(pl.col(series.price)).alias(series.price))
    place = a_stretch(plain, series, rng, 1)
    if place is None:
        return None
    entity, rows = place
    ratio = float(rng.choice(SPLIT_RATIOS))
    own = rows_of(frame, series, entity)
    after = own[own >= rows[0]]
    wrong = multiplied(frame, after, columns_of(series, PRICE_ROLES), 1 / ratio)
    wrong = multiplied(wrong, after, columns_of(series, ("shares", "volume")), ratio)
    wrong = followed(wrong, series, after[1:])
    if coin(rng):
        wrong = recomputed(wrong, series, after[:1])
    return Injected(wrong, (name_of(series, entity),))


def doubled_dividend(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """One dividend counted twice, in its amount or in the total return."""
    dividend, ret = series.dividend, series.total_return
    if dividend is None or ret is None or series.previous_price is None:
        return None
    paying = (frame.get_column(dividend) > 0).fill_null(value=False).to_numpy() & usable(frame, series)
    if not paying.any():
        return None
    rows = rng.choice(np.flatnonzero(paying), size=DOUBLED_DIVIDENDS, replace=False).astype(np.int64)
    if coin(rng):
        wrong = changed(frame, rows, **{dividend: 2 * pl.col(dividend)})
    else:
        again = pl.col(ret) + pl.col(dividend) / pl.col(series.previous_price)
        wrong = changed(frame, rows, **{ret: again.round(6)})
    return Injected(wrong, tuple(name_of(series, frame.get_column(series.entity)[int(row)]) for row in rows))


def stale_price(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """The prices of one row again and again, with returns of zero, while volume goes on."""
    place = a_stretch(frame, series, rng, STALE_SESSIONS + 1)
    if place is None:
        return None
    entity, rows = place
    first, stale = int(rows[0]), rows[1:]
    names = columns_of(series, PRICE_ROLES)
    wrong = changed(frame, stale, **{name: pl.lit(frame.get_column(name)[first]) for name in names})
    wrong = changed(wrong, stale, **dict.fromkeys(columns_of(series, ("total_return", "price_return")), 0.0))
    if series.market_cap is not None and series.shares is not None:
        wrong = changed(wrong, stale, **{series.market_cap: pl.col(series.price) * pl.col(series.shares)})
    wrong = followed(wrong, series, stale)
    following = np.array([stale[-1] + 1])
    if coin(rng):
        wrong = recomputed(followed(wrong, series, following), series, following)
    return Injected(wrong, (name_of(series, entity),))
