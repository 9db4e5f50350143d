"""Faults between columns: two in each other's place, a sign changed."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from benchmarks.quality_faults.injected import (
    Generator,
    Injected,
    Rows,
    a_stretch,
    changed,
    coin,
    columns_of,
    name_of,
    usable,
)
from benchmarks.quality_faults.severities import FLIPPED_SESSIONS, SWAPPED_SESSIONS
from data_platform.catalog import Series

PAIRS: Final = (("low", "high"), ("bid", "ask"), ("high", "closing"), ("total_return", "price_return"))

_FEWEST_DIVIDENDS: Final = 2
"""Both returns are the same but where something was paid."""


def swapped_columns(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """Two columns exchanged for a month of one security; the two returns for a month of all."""
    for first, second in (PAIRS[place] for place in rng.permutation(len(PAIRS)).tolist()):
        names = columns_of(series, (first, second))
        if len(names) < len(PAIRS[0]):
            continue
        if first == "total_return":
            rows = _month_of_all(frame, series, rng)
            if rows is not None:
                return Injected(_exchanged(frame, rows, names))
            continue
        place = a_stretch(frame, series, rng, SWAPPED_SESSIONS)
        if place is not None:
            return Injected(_exchanged(frame, place[1], names), (name_of(series, place[0]),))
    return None


def sign_flip(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """Returns of one security with the wrong sign for a month, or some prices that are negative."""
    if coin(rng):
        good = np.flatnonzero(usable(frame, series))
        rows = rng.choice(good, size=min(FLIPPED_SESSIONS, len(good)), replace=False).astype(np.int64)
        entities = frame.get_column(series.entity)
        named = tuple(name_of(series, entities[int(row)]) for row in rows)
        return Injected(changed(frame, rows, **{series.price: -pl.col(series.price)}), named)
    place = a_stretch(frame, series, rng, FLIPPED_SESSIONS)
    if place is None:
        return None
    entity, rows = place
    names = columns_of(series, ("total_return", "price_return"))
    return Injected(changed(frame, rows, **{name: -pl.col(name) for name in names}), (name_of(series, entity),))


def _exchanged(frame: pl.DataFrame, rows: Rows, names: list[str]) -> pl.DataFrame:
    first, second = names
    return changed(frame, rows, **{first: pl.col(second), second: pl.col(first)})


def _month_of_all(frame: pl.DataFrame, series: Series, rng: Generator) -> Rows | None:
    if series.dividend is None:
        return None
    dates = frame.get_column(series.date).unique().sort()
    paying = (frame.get_column(series.dividend) > 0).fill_null(value=False).to_numpy() & usable(frame, series)
    starts = list(range(len(dates) - SWAPPED_SESSIONS + 1))
    for start in rng.permutation(starts).tolist():
        some = dates.slice(start, SWAPPED_SESSIONS)
        inside = frame.get_column(series.date).is_in(some.implode()).to_numpy()
        if (inside & paying).sum() >= _FEWEST_DIVIDENDS:
            return np.flatnonzero(inside).astype(np.int64)
    return None
