"""Summing up the days that are over, for administrators: which days are due, and the rows of each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import dropwhile
from typing import Final

from data_platform.governance.permissions import LICENSED_DATASETS, User, require_administrator
from data_platform.governance.scopes import administration_scope
from data_platform.records import daily_metrics
from data_platform.records.connection import Connection, Records
from data_platform.records.daily_metrics import DailyMetrics
from data_platform.records.scope import PLATFORM

LOOKED_BACK: Final = 28
"""Days: what is summed up from goes after 30, and a day of which some has gone must not be summed up anew."""

AGAIN: Final = 3
"""Days that are summed up once more: lines of syncs that had to wait for the database come late."""

DATASETS: Final = (*LICENSED_DATASETS, PLATFORM)
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RollUp:
    """The days that were, or would be, summed up, oldest first, with their rows."""

    days: tuple[dt.date, ...]
    rows: tuple[DailyMetrics, ...]


def days_due(last: dt.date | None, today: dt.date) -> list[dt.date]:
    """The days to sum up, oldest first: those since the last one, and it and the two before it once more. Pure.

    Only days that are over, in UTC, and of which everything is there still.
    """
    earliest = today - LOOKED_BACK * _DAY
    first = earliest if last is None else max(earliest, last - (AGAIN - 1) * _DAY)
    return [first + number * _DAY for number in range((today - first).days)]


def roll_up(records: Records, user: User, today: dt.date, *, dry_run: bool = False) -> RollUp:
    """Sum up what is due until yesterday, each day in a transaction of its own; again gives the same rows.

    Where nothing was summed up yet it begins with the first day on which something happened.

    Raises:
        NotPermittedError: for everyone but administrators.
        DatabaseUnavailableError: when the records are away; the days before stay summed up.
    """
    require_administrator(user)
    scope = administration_scope(user)
    with records.transaction(scope) as connection:
        last = daily_metrics.last_day(connection)
        due = [_of_day(connection, day) for day in days_due(last, today)]
    if last is None:
        due = list(dropwhile(lambda rows: all(row.is_empty for row in rows), due))
    if not dry_run:
        for rows in due:
            with records.transaction(scope) as connection:
                daily_metrics.store(connection, rows)
    return RollUp(tuple(rows[0].day for rows in due), tuple(row for rows in due for row in rows))


def _of_day(connection: Connection, day: dt.date) -> list[DailyMetrics]:
    return [row for dataset in DATASETS for row in daily_metrics.measure(connection, dataset, day)]
