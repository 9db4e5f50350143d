"""Coverage: from which date to which a partition has rows, of how many symbols, and where dates are missing."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from data_platform.quality.calendars import TradingCalendar
from data_platform.quality.profile import Profile

MOST_GAPS: Final = 50
"""More are counted and not listed: a partition with so many has been given the wrong calendar, or is a sample."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the calendar's dates without a row: the first, the last, and how many."""

    first: dt.date
    last: dt.date
    dates: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a partition covers.

    `symbols` are the different values of the key's first part besides the date (permno, gvkey, industry), None where
    the date is all; `missing_dates` is None where no calendar judges. `symbols_by_month` is the median number of rows a
    date, by month ("2024-03"), in order.
    """

    rows: int
    start: dt.date | None
    end: dt.date | None
    symbols: int | None
    dates: int
    missing_dates: int | None
    gaps: tuple[Gap, ...]
    symbols_by_month: Mapping[str, int]


def coverage_of(profile: Profile, calendar: TradingCalendar | None) -> Coverage:
    """Describe what a profile covers; dates before the calendar is known to be right are not asked for."""
    dates = profile.dates
    gaps = None if calendar is None else _gaps(dates, calendar)
    return Coverage(
        rows=profile.rows,
        start=dates[0] if dates else None,
        end=dates[-1] if dates else None,
        symbols=None if profile.spans is None else profile.spans.to_series(0).n_unique(),
        dates=len(dates),
        missing_dates=None if gaps is None else sum(gap.dates for gap in gaps),
        gaps=tuple((gaps or ())[:MOST_GAPS]),
        symbols_by_month=_by_month(zip(dates, profile.rows_by_date, strict=True)),
    )


def _gaps(dates: tuple[dt.date, ...], calendar: TradingCalendar) -> list[Gap]:
    if not dates:
        return []
    known = set(dates)
    expected = calendar.trading_days_between(max(dates[0], calendar.strict_from), dates[-1])
    stretches = itertools.groupby(expected, known.__contains__)
    missing = [list(days) for there, days in stretches if not there]
    return [Gap(days[0], days[-1], len(days)) for days in missing]


def _by_month(rows: Iterable[tuple[dt.date, int]]) -> dict[str, int]:
    months = itertools.groupby(rows, lambda each: f"{each[0]:%Y-%m}")
    return {month: round(median(count for _, count in each)) for month, each in months}
