"""Are syncs done in time, and is the data there in the morning? Pure decisions.

The marks are those of the service: a full sync should take less than two hours and an incremental one less than half an
hour; data should be there by 6:00 in New York. Alerts come at twice that, and at 8:00.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from data_platform.catalog import KenFrenchPortfolios, KenFrenchSite, Table
from data_platform.quality.calendars import LAST_SESSION, MONTH_END, TradingCalendar
from data_platform.sync.watchers.watch import Metric, Watch

FULL_AT_MOST: Final = dt.timedelta(hours=4)
INCREMENTAL_AT_MOST: Final = dt.timedelta(hours=1)

NEW_YORK: Final = ZoneInfo("America/New_York")
THERE_BY: Final = dt.time(8)

LIBRARY_LAG: Final = dt.timedelta(days=62)
"""Ken French's site is renewed about once a month and ends with the month before."""

_LONGEST_CLOSING: Final = dt.timedelta(days=14)
_HOUR: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RunningSync:
    """A sync that runs now. `full` when it was asked to extract everything again, or has several partitions."""

    table: str
    started_at: dt.datetime
    full: bool


def too_long(syncs: Iterable[RunningSync], now: dt.datetime) -> list[Watch]:
    """The syncs that have run for more than four hours, or for more than one when a single partition is updated."""
    found: list[Watch] = []
    for sync in syncs:
        allowed = FULL_AT_MOST if sync.full else INCREMENTAL_AT_MOST
        took = now - sync.started_at
        if took > allowed:
            kind = "A full sync" if sync.full else "An incremental sync"
            found.append(
                Watch(
                    Metric.SYNC_TOO_LONG,
                    "warning",
                    f"{kind} has run since {sync.started_at:%Y-%m-%d %H:%M} UTC; {allowed / _HOUR:.0f} h are expected "
                    "at most.",
                    table_name=sync.table,
                    current_value=round(took / _HOUR, 2),
                    expected_value=allowed / _HOUR,
                )
            )
    return found


def is_daily(table: Table) -> bool:
    """Whether a table has rows for each session of an exchange."""
    calendar = table.calendar
    return calendar is not None and calendar != MONTH_END and not calendar.startswith(LAST_SESSION)


def session_due(now: dt.datetime, calendar: TradingCalendar) -> dt.date:
    """The newest session whose rows should be there: the one before the last session that 8:00 New York has passed."""
    local = now.astimezone(NEW_YORK)
    until = local.date() if local.time() >= THERE_BY else local.date() - dt.timedelta(days=1)
    return calendar.trading_days_between(until - 2 * _LONGEST_CLOSING, until)[-2]


def late(table: Table, end: dt.date | None, due: dt.date) -> Watch | None:
    """Whether a daily table lacks the session that is due; `end` is its last date, None when it has no rows.

    Tables of Ken French's site are given the time that the site takes.
    """
    from_site = isinstance(table.origin, KenFrenchSite | KenFrenchPortfolios)
    due -= LIBRARY_LAG if from_site else dt.timedelta(0)
    if end is not None and end >= due:
        return None
    there = "has no rows yet" if end is None else f"ends on {end.isoformat()}"
    return Watch(
        Metric.DATA_LATE,
        "warning",
        f"{table.name} {there}; it should reach {due.isoformat()}, by {THERE_BY:%H:%M} New York.",
        table_name=table.name,
    )
