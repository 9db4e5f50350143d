"""Faults in what is there: rows dropped, dates missing, a universe cut short, a day delivered twice, missing values."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from benchmarks.quality_faults.injected import Generator, Injected, changed, coin
from benchmarks.quality_faults.severities import (
    GAP_SESSIONS,
    NULL_SPIKE_SHARE,
    REPEATED_SHARE,
    ROW_DROP_SHARE,
    TRUNCATED_SESSIONS,
    TRUNCATED_SHARE,
)
from data_platform.catalog import Series


def row_drop(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """Rows gone at random, or consecutive ones."""
    del series
    number = math.ceil(ROW_DROP_SHARE * frame.height)
    return Injected(frame.filter(~pl.Series(_chosen(frame.height, number, rng))))


def null_spike(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """One column's values gone, at random or in consecutive rows."""
    others = [name for name in frame.columns if name not in {series.entity, series.date}]
    number = math.ceil(NULL_SPIKE_SHARE * frame.height)
    for name in rng.permutation(others).tolist():
        there = np.flatnonzero(frame.get_column(name).is_not_null().to_numpy())
        if len(there) >= number:
            gone = there[_chosen(len(there), number, rng)]
            return Injected(changed(frame, gone, **{name: None}))
    return None


def date_gap(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """Sessions without any row."""
    dates = frame.get_column(series.date).unique().sort()
    gone = rng.choice(len(dates), size=GAP_SESSIONS, replace=False).tolist()
    return Injected(frame.filter(~pl.col(series.date).is_in(dates.gather(gone).implode())))


def truncated_universe(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """The last securities missing for two weeks."""
    entities = frame.get_column(series.entity).unique().sort()
    dates = frame.get_column(series.date).unique().sort()
    if len(dates) < TRUNCATED_SESSIONS:
        return None
    last = entities.tail(math.ceil(TRUNCATED_SHARE * len(entities)))
    start = int(rng.integers(0, len(dates) - TRUNCATED_SESSIONS + 1))
    some = dates.slice(start, TRUNCATED_SESSIONS)
    gone = pl.col(series.entity).is_in(last.implode()) & pl.col(series.date).is_in(some.implode())
    return Injected(frame.filter(~gone))


def duplicated_day(frame: pl.DataFrame, series: Series, rng: Generator) -> Injected | None:
    """A day's rows with everything of the day before, of all or of most securities."""
    dates = frame.get_column(series.date).unique().sort()
    day = dates[int(rng.integers(1, len(dates)))]
    entities = frame.get_column(series.entity)
    again = (frame.get_column(series.date) == day) & (entities == entities.shift()).fill_null(value=False)
    rows = np.flatnonzero(again.to_numpy()).astype(np.int64)
    if not coin(rng):
        rows = rng.choice(rows, size=math.ceil(REPEATED_SHARE * len(rows)), replace=False)
    others = [name for name in frame.columns if name not in {series.entity, series.date}]
    wrong = changed(frame, rows, **{name: pl.col(name).shift() for name in others})
    return Injected(wrong, (f"{series.date} {day}",))


def _chosen(among: int, number: int, rng: Generator) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    chosen = np.zeros(among, dtype=np.bool_)
    if coin(rng):
        chosen[rng.choice(among, size=number, replace=False)] = True
    else:
        start = int(rng.integers(0, among - number + 1))
        chosen[start : start + number] = True
    return chosen
