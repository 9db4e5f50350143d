"""`detect`: everything that is wrong with a staged partition, by every detector, in the order of the twelve kinds."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from data_platform.catalog import Series, Table
from data_platform.quality.anomalies.anomaly import Anomaly, Metric
from data_platform.quality.anomalies.changes import moved_level, moved_sign, null_spike, row_drop, smaller_universe
from data_platform.quality.anomalies.dates import date_gap
from data_platform.quality.anomalies.exchanges import flipped_entities, sign_flip, swapped_columns
from data_platform.quality.anomalies.history import NO_HISTORY, History
from data_platform.quality.anomalies.prices import price_faults
from data_platform.quality.anomalies.repetitions import doubled_dividend, duplicated_day, repeated_days, stale_price
from data_platform.quality.anomalies.statistics import Statistics, StatisticsTally
from data_platform.quality.anomalies.suspects import Suspects, SuspectsTally, fits, suspects_in
from data_platform.quality.anomalies.universe import truncated_universe
from data_platform.quality.blocks import blocks
from data_platform.quality.calendars import trading_calendar
from data_platform.quality.profile import Profile, profile_frame


class Inspection:
    """Statistics and suspects of a staged file in the making: told every block in order, it looks at its `columns`."""

    def __init__(self, table: Table, path: Path, profile: Profile | None = None) -> None:
        self._counting = StatisticsTally(table, path, profile)
        series = table.series if table.series is not None and fits(table.series, path) else None
        self._looking = None if series is None else SuspectsTally(series, path, _spans(series, profile))
        wanted = (*self._counting.columns, *(self._looking.columns if self._looking is not None else ()))
        self.columns: tuple[str, ...] = tuple(dict.fromkeys(wanted))

    def through(self, each: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Pass blocks on; each is looked at in a thread of its own while the caller works on it."""
        with ThreadPoolExecutor(1, "inspection") as thread:
            for block in each:
                looking = thread.submit(self.add, block)
                yield block
                looking.result()

    def add(self, block: pl.DataFrame) -> None:
        """Look at a block."""
        self._counting.add(block)
        if self._looking is not None:
            self._looking.add(block)

    def result(self) -> tuple[Statistics, Suspects | None]:
        """What all blocks show; suspects for a table with a series."""
        return self._counting.result(), None if self._looking is None else self._looking.result()


def inspect(table: Table, path: Path, *, profile: Profile | None = None) -> tuple[Statistics, Suspects | None]:
    """Statistics and suspects of a staged file, which is read once for both; the latter for a table with a series."""
    inspection = Inspection(table, path, profile)
    for block in blocks(path, inspection.columns):
        inspection.add(block)
    return inspection.result()


def detect(
    table: Table,
    partition: str,
    path: Path,
    statistics: Statistics,
    history: History = NO_HISTORY,
    *,
    profile: Profile | None = None,
    today: dt.date | None = None,
    suspects: Suspects | None = None,
) -> tuple[Anomaly, ...]:
    """Judge a staged Parquet file whose rows lie in the order of the table's key.

    `statistics` are those of the file itself; `profile` spares one scan of its key and `suspects`, as `inspect` gives
    them, the scan of its series. `today` decides whether the end of a year may still be to come; without it, it may. A
    table without a series is judged by statistics and dates alone. Memory: a block of rows at a time, and the rows
    under suspicion, some hundred thousand at most.
    """
    anomalies = [
        *row_drop(statistics, history),
        *null_spike(statistics, history),
        *moved_level(statistics, history),
        *moved_sign(statistics, history),
        *smaller_universe(statistics, history),
    ]
    if statistics.rows > 0:
        profile = profile or _profile(table, path)
        if profile is not None:
            anomalies += date_gap(table, partition, profile, today)
        if table.series is not None:
            suspects = suspects or suspects_in(table.series, path, _spans(table.series, profile))
            if suspects is not None:
                anomalies += _within(table, suspects)
    order = {metric.value: place for place, metric in enumerate(Metric)}
    return tuple(sorted(anomalies, key=lambda anomaly: order[anomaly.metric]))


def _within(table: Table, suspects: Suspects) -> Iterator[Anomaly]:
    sessions = _sessions(table, suspects)
    repeated, flipped = repeated_days(suspects), flipped_entities(suspects)
    # A day that repeats the one before does not fit its returns, nor does the day after it.
    after = dict(itertools.pairwise(sessions))
    ignored = {*repeated, *(after[day] for day in repeated if day in after)}
    yield from price_faults(suspects, sessions, ignored, flipped)
    yield from doubled_dividend(suspects)
    yield from stale_price(suspects)
    yield from duplicated_day(suspects, repeated)
    yield from swapped_columns(suspects, sessions)
    yield from sign_flip(suspects, flipped)
    yield from truncated_universe(suspects)


def _sessions(table: Table, suspects: Suspects) -> list[dt.date]:
    """The calendar's, where it is known to be right; else the partition's own dates."""
    own = suspects.sessions
    if table.calendar is None or not own:
        return own
    calendar = trading_calendar(table.calendar)
    return own if own[0] < calendar.strict_from else sorted({*own, *calendar.trading_days_between(own[0], own[-1])})


def _profile(table: Table, path: Path) -> Profile | None:
    frame = pl.scan_parquet(path)
    present = frame.collect_schema()
    if table.date_column is None or any(name not in present for name in (*table.key, table.date_column)):
        return None
    return profile_frame(frame, key=table.key, date_column=table.date_column, null_counts={})


def _spans(series: Series, profile: Profile | None) -> pl.DataFrame | None:
    spans = None if profile is None else profile.spans
    return spans if spans is not None and series.entity in spans.columns else None
