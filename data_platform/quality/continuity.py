"""Date continuity: is every session there, nothing but sessions, and every entity on each session of its span?

Strict from where the calendar is known to be right: 1970 for an exchange's, always for ends of months. Before that a
year needs at least as many dates as the exchange ever had, and a longer gap than it ever had is a warning. Tables
without a calendar (events, ranges, fiscal periods) are only asked for dates that can be.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
from collections import Counter
from typing import Final

from data_platform.quality.calendars import TradingCalendar
from data_platform.quality.profile import Profile
from data_platform.quality.results import CheckResult, Status, ValidationType

COVERAGE: Final = 0.95
_SHOWN: Final = 5


def date_continuity(
    profile: Profile,
    calendar: TradingCalendar | None,
    *,
    bounds: tuple[dt.date, dt.date] | None,
    first_date: dt.date,
    today: dt.date,
) -> CheckResult:
    """Judge a partition's dates.

    `bounds` are the partition's dates (last exclusive), or None for a table kept whole, which is judged from its
    first date to its last. A year that ended more than a year before `today` must be complete; a later one may end
    early, because sources publish with a delay. Without a calendar any date between is as good as another.
    """
    dates = profile.dates
    if not dates:
        return _verdict(Status.FAILED, "sessions", "none", "there are no dates")
    outside = [day for day in dates if bounds is not None and not bounds[0] <= day < bounds[1]]
    early = [day for day in dates if day < first_date]
    future = [day for day in dates if day > today]
    for found, what in (
        (outside, "outside the partition"),
        (early, "before the source begins"),
        (future, "in the future"),
    ):
        if found:
            return _verdict(Status.FAILED, "dates of the partition", _some(found), f"{len(found)} dates lie {what}")
    if calendar is None:
        return _verdict(Status.PASSED, "dates of the partition", f"{len(dates):,} dates")
    return _sessions(profile, calendar, bounds=bounds, first_date=first_date, today=today)


def _sessions(
    profile: Profile,
    calendar: TradingCalendar,
    *,
    bounds: tuple[dt.date, dt.date] | None,
    first_date: dt.date,
    today: dt.date,
) -> CheckResult:
    dates = profile.dates
    start = max(dates[0] if bounds is None else max(bounds[0], first_date), calendar.strict_from)
    sessions = calendar.trading_days_between(start, _end(dates, bounds, today))
    known = set(dates)
    missing = [day for day in sessions if day not in known]
    extra = [day for day in dates if day >= calendar.strict_from and not calendar.is_trading_day(day)]
    expected = f"{len(sessions):,} sessions"
    if missing:
        message = f"{len(missing)} of {len(sessions)} sessions are missing: {_some(missing)}"
        return _verdict(Status.FAILED, expected, f"{len(sessions) - len(missing):,} sessions", message)
    if extra:
        message = f"{len(extra)} dates are no sessions: {_some(extra)}"
        return _verdict(Status.FAILED, expected, f"{len(extra)} more", message)
    share = entity_coverage(profile)
    if share is not None and share < COVERAGE:
        message = f"only {share:.1%} of the rows between each entity's first and last date are there"
        return _verdict(Status.FAILED, f"at least {COVERAGE:.0%} of rows", f"{share:.1%}", message)
    thin = thin_years(dates, bounds, calendar)
    if thin:
        fewest = calendar.fewest_a_year
        message = f"fewer than {fewest} dates in {', '.join(map(str, thin[:_SHOWN]))}"
        return _verdict(Status.FAILED, f"at least {fewest} dates a year", f"{len(thin)} thin years", message)
    longest = calendar.longest_gap
    gaps = [a for a, b in itertools.pairwise(dates) if b <= calendar.strict_from and b - a > longest]
    if gaps:
        message = (
            f"{len(gaps)} gaps of more than {longest.days} days before {calendar.strict_from.year}, after {_some(gaps)}"
        )
        return _verdict(Status.WARNING, "no long gap", f"{len(gaps)} gaps", message)
    return _verdict(Status.PASSED, expected, f"{len(dates):,} dates")


def thin_years(
    dates: tuple[dt.date, ...], bounds: tuple[dt.date, dt.date] | None, calendar: TradingCalendar
) -> list[int]:
    """Whole years before the calendar is strict with fewer dates than a year ever had.

    A yearly partition is whole by itself; in a table kept whole the first year is not, as sources begin within one.
    """
    first = bounds[0].year if bounds else dates[0].year + 1
    counts = Counter(day.year for day in dates)
    last = min(dates[-1].year + 1, calendar.strict_from.year)
    return [year for year in range(first, last) if counts[year] < calendar.fewest_a_year]


def entity_coverage(profile: Profile) -> float | None:
    """Rows that are there, as a share of the sessions between each entity's first and last date.

    Sessions are the partition's own dates, so that this finds rows missing at random even with no history. None for
    a table without entities.
    """
    if profile.spans is None or not profile.dates:
        return None
    dates = list(profile.dates)
    expected = 0
    rows = 0
    for first, last, count in profile.spans.drop_nulls("first").select("first", "last", "rows").iter_rows():
        expected += bisect.bisect_right(dates, last) - bisect.bisect_left(dates, first)
        rows += count
    return rows / expected if expected else None


def _end(dates: tuple[dt.date, ...], bounds: tuple[dt.date, dt.date] | None, today: dt.date) -> dt.date:
    if bounds is None or bounds[1].year >= today.year:
        return dates[-1]
    return bounds[1] - dt.timedelta(days=1)


def _some(days: list[dt.date]) -> str:
    shown = ", ".join(day.isoformat() for day in days[:_SHOWN])
    return shown + (f" and {len(days) - _SHOWN} more" if len(days) > _SHOWN else "")


def _verdict(status: Status, expected: str, actual: str, message: str = "") -> CheckResult:
    return CheckResult(ValidationType.DATE_CONTINUITY, status, expected, actual, message)
