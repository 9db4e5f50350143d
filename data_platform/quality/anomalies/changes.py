"""Faults that show in comparison with former versions and neighbours: fewer rows, missing values, another unit or sign.

Against the previous version of the partition the limits are fixed; against the past they follow the robust rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from data_platform.quality.anomalies.anomaly import Anomaly, Metric, counted, found
from data_platform.quality.anomalies.history import History, unusual
from data_platform.quality.anomalies.statistics import ColumnStatistics, Statistics

ROW_DROP: Final = 0.10
NULL_SPIKE: Final = 0.05
NEGATIVE_SPIKE: Final = 0.05
LEVEL_MOVED: Final = 0.25
"""Between versions of one partition a column's typical value stays: a fourth more is another column."""

SAME_ROWS: Final = 0.05
"""Within so much of the rows of the version before, a partition holds the same ones; a year that goes on gets others,
and with them another typical value and other signs."""

LEVEL_OF_NEIGHBOURS: Final = math.log(10)
"""Between years prices, volumes and volatility move by a multiple; another unit is a hundred or a thousand."""

UNIVERSE_OF_NEIGHBOURS: Final = math.log(1 / 0.75)
"""The listed universe never shrank by a fourth within a year."""


def row_drop(now: Statistics, history: History) -> Iterator[Anomaly]:
    """More than ten percent fewer rows than the previous version had."""
    before = history.previous
    if before is None or before.rows == 0 or now.rows >= (1 - ROW_DROP) * before.rows:
        return
    share = 1 - now.rows / before.rows
    yield found(
        Metric.ROW_DROP,
        f"{now.rows:,} rows are {share:.1%} fewer than the {before.rows:,} of the last version",
        current=now.rows,
        expected=before.rows,
    )


def null_spike(now: Statistics, history: History) -> Iterator[Anomaly]:
    """A column with over five points more missing values than in the previous version, or than was usual."""
    if now.rows == 0:
        return
    for name, column in now.columns.items():
        expected = _previously(history, name, "null_share")
        if expected is None or column.null_share - expected <= NULL_SPIKE:
            expected = unusual(column.null_share, _past(history, name, "null_share"), floor=NULL_SPIKE)
        if expected is not None and column.null_share > expected:
            yield found(
                Metric.NULL_SPIKE,
                f"{name} is missing in {column.null_share:.1%} of the rows, {expected:.1%} were to be expected",
                current=column.null_share,
                expected=expected,
            )


def moved_level(now: Statistics, history: History) -> Iterator[Anomaly]:
    """A column whose typical size is another than before: another unit, another column."""
    for name, column in now.columns.items():
        expected = _previously(history, name, "log_median")
        limit = LEVEL_MOVED if _same_rows(now, history) else LEVEL_OF_NEIGHBOURS
        if column.log_median is None or expected is None or abs(column.log_median - expected) <= limit:
            floor = LEVEL_MOVED if history.own else LEVEL_OF_NEIGHBOURS
            expected = unusual(column.log_median, _past(history, name, "log_median"), floor=floor)
        if expected is not None and column.log_median is not None:
            ratio = math.exp(min(column.log_median - expected, 700.0))
            yield found(
                Metric.LEVEL_SHIFT,
                f"the typical size of {name} is {ratio:.3g} times what was to be expected",
                current=ratio,
                expected=1.0,
            )


def moved_sign(now: Statistics, history: History) -> Iterator[Anomaly]:
    """A column with over five points more or fewer negative values than before."""
    for name, column in now.columns.items():
        share = column.negative_share
        expected = _previously(history, name, "negative_share") if _same_rows(now, history) else None
        if share is None or expected is None or abs(share - expected) <= NEGATIVE_SPIKE:
            # Of returns half are negative, in bad years more: only a column that had none is judged by its neighbours.
            past = _past(history, name, "negative_share")
            expected = unusual(share, past, floor=NEGATIVE_SPIKE) if past and max(past) == 0 else None
        if share is not None and expected is not None:
            yield found(
                Metric.SIGN_FLIP,
                f"{name} is negative in {share:.1%} of the rows, {expected:.1%} were to be expected",
                current=share,
                expected=expected,
            )


def smaller_universe(now: Statistics, history: History) -> Iterator[Anomaly]:
    """Fewer rows on an average date than was usual."""
    past = history.past(lambda each: math.log(each.rows_per_date) if each.rows_per_date else None)
    here = now.rows_per_date
    if not here:
        return
    floor = ROW_DROP if history.own else UNIVERSE_OF_NEIGHBOURS
    expected = unusual(math.log(here), past, floor=floor)
    if expected is not None and math.log(here) < expected:
        usual = math.exp(expected)
        yield found(
            Metric.TRUNCATED_UNIVERSE,
            f"{counted(round(here), 'row')} on an average date, {usual:,.0f} were to be expected",
            current=round(here, 2),
            expected=round(usual, 2),
        )


def _same_rows(now: Statistics, history: History) -> bool:
    before = history.previous
    return before is not None and abs(now.rows - before.rows) <= SAME_ROWS * before.rows


def _previously(history: History, column: str, figure: str) -> float | None:
    before = history.previous.columns.get(column) if history.previous is not None else None
    return None if before is None else getattr(before, figure)


def _past(history: History, column: str, figure: str) -> tuple[float, ...]:
    def of(each: Statistics) -> float | None:
        known: ColumnStatistics | None = each.columns.get(column)
        return None if known is None else getattr(known, figure)

    return history.past(of)
