"""`data_sync_schedule`: when each table is synced by itself.

A change names the version that it is based on and takes effect only on that one, so two people can't overwrite each
other; each change is noted in `platform_audit` in the same transaction. A transaction changes one schedule: those that
change several could wait for each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from data_platform.errors import UsageError
from data_platform.records import cron, platform_audit, texts
from data_platform.records.connection import Connection, Records, Scope
from data_platform.records.filters import where

DEFAULT_CRON: Final = "0 2 * * *"
DEFAULT_TIMEZONE: Final = "America/New_York"
"""The data follows New York."""

_COLUMNS: Final = sql.SQL(
    "id, created_at, dataset, table_name, enabled, cron_expression, timezone, last_scheduled_run, next_scheduled_run, "
    "updated_by, updated_at, version"
)


@dataclass(frozen=True, slots=True)
class SyncSchedule:
    """When one table is synced; `next_scheduled_run` is None while the schedule is off."""

    id: int
    created_at: dt.datetime
    dataset: str
    table_name: str
    enabled: bool
    cron_expression: str
    timezone: str
    last_scheduled_run: dt.datetime | None
    next_scheduled_run: dt.datetime | None
    updated_by: str | None
    updated_at: dt.datetime
    version: int


class ScheduleConflictError(UsageError):
    """The schedule was changed first; `current` is what it is now."""

    def __init__(self, current: SyncSchedule) -> None:
        super().__init__(
            f"The schedule of {current.table_name} was changed meanwhile: it is at version {current.version}.",
            hint="Look at the current schedule and decide again.",
        )
        self.current = current


def ensure(connection: Connection, dataset: str, table: str, *, enabled: bool = True) -> SyncSchedule:
    """Return the table's schedule, made with the defaults when there is none yet.

    `enabled` says whether one that is made now is on.

    Raises:
        UsageError: when no dataset or table can have such a name.
    """
    existing = get(connection, dataset, table)
    if existing is not None:
        return existing
    upcoming = cron.next_tick(DEFAULT_CRON, DEFAULT_TIMEZONE, _now(connection)) if enabled else None
    connection.execute(
        """
        INSERT INTO platform.data_sync_schedule
            (dataset, table_name, enabled, cron_expression, timezone, next_scheduled_run)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (dataset, table_name) DO NOTHING
        """,
        (*_names(dataset, table), enabled, DEFAULT_CRON, DEFAULT_TIMEZONE, upcoming),
    )
    made = get(connection, dataset, table)
    assert made is not None  # noqa: S101 - ours, or of whoever was first
    return made


def ensure_each(records: Records, scope: Scope, names: Iterable[tuple[str, str]], *, enabled: bool) -> None:
    """Give each dataset and table its schedule, made with the defaults and `enabled` where there is none yet.

    Raises:
        DatabaseUnavailableError: when the records are away.
    """
    with records.transaction(scope) as connection:
        known = {(schedule.dataset, schedule.table_name) for schedule in list_all(connection)}
        for dataset, table in sorted(set(names) - known):
            ensure(connection, dataset, table, enabled=enabled)


def get(connection: Connection, dataset: str, table: str) -> SyncSchedule | None:
    """Return the table's schedule; None when there is none or the scope may not see it.

    Raises:
        UsageError: when no dataset or table can have such a name.
    """
    return _one(connection, dataset, table, sql.SQL(""))


def list_all(connection: Connection, dataset: str | None = None) -> list[SyncSchedule]:
    """Return the schedules that the scope may see, by dataset and table.

    Raises:
        UsageError: when no dataset can have such a name.
    """
    only = None if dataset is None else texts.name(dataset, "The dataset's name")
    rows = connection.execute(
        sql.SQL("SELECT {} FROM platform.data_sync_schedule {} ORDER BY dataset, table_name").format(
            _COLUMNS, where(dataset=only)
        )
    ).fetchall()
    return [SyncSchedule(**row) for row in rows]


def due(connection: Connection, now: dt.datetime, limit: int) -> list[SyncSchedule]:
    """Return the enabled schedules whose next run is not later than `now`, the longest overdue first.

    Raises:
        ValueError: when `now` has no time zone.
    """
    cron.check_aware(now)
    rows = connection.execute(
        sql.SQL(
            "SELECT {} FROM platform.data_sync_schedule WHERE enabled AND next_scheduled_run <= %s "
            "ORDER BY next_scheduled_run, id LIMIT %s"
        ).format(_COLUMNS),
        (now, limit),
    ).fetchall()
    return [SyncSchedule(**row) for row in rows]


def update(  # noqa: PLR0913 - what a person may change, by keyword
    connection: Connection,
    dataset: str,
    table: str,
    *,
    expected_version: int,
    changed_by: str,
    enabled: bool | None = None,
    cron_expression: str | None = None,
    timezone: str | None = None,
    reason: str | None = None,
) -> SyncSchedule:
    """Change what is given and return the schedule as it is then; a change that changes nothing leaves no trace.

    The next run is computed anew, from now on.

    Raises:
        ScheduleConflictError: when the schedule is no longer the version expected; nothing is changed.
        UsageError: when there is no such schedule, or a value makes no sense.
    """
    given: dict[str, object] = {
        "enabled": enabled,
        "cron_expression": None if cron_expression is None else cron.valid_expression(cron_expression),
        "timezone": None if timezone is None else cron.valid_timezone(timezone),
    }
    changed_by, reason = texts.name(changed_by, "The user's name", texts.LONGEST_USER), texts.reason(reason)
    current = _locked(connection, dataset, table)
    if current.version != expected_version:
        raise ScheduleConflictError(current)
    old = {name: getattr(current, name) for name in given}
    new = {name: value for name, value in given.items() if value is not None and value != old[name]}
    if not new:
        return current
    wanted = old | new
    now = _now(connection)
    upcoming = cron.next_tick(str(wanted["cron_expression"]), str(wanted["timezone"]), now)
    changed = _write(
        connection,
        current,
        new
        | {
            "next_scheduled_run": upcoming if wanted["enabled"] else None,
            "updated_by": changed_by,
            "updated_at": now,
            "version": current.version + 1,
        },
    )
    platform_audit.append(
        connection,
        changed_by,
        "schedule.update",
        dataset=current.dataset,
        subject=current.table_name,
        old_value={name: old[name] for name in new},
        new_value=new,
        reason=reason,
    )
    return changed


def mark_run(
    connection: Connection, dataset: str, table: str, scheduled_at: dt.datetime, now: dt.datetime | None = None
) -> SyncSchedule:
    """Note that the run of `scheduled_at` was started, and plan the next one, later than that and than `now`.

    Ticks missed meanwhile are thus made up for by one run. Whoever has looked for them gives the moment at which they
    did; otherwise it is the database's. The version stays: no person changed the schedule.

    Raises:
        UsageError: when there is no such schedule.
        ValueError: when `scheduled_at` or `now` has no time zone.
    """
    cron.check_aware(scheduled_at)
    cron.check_aware(now or scheduled_at)
    current = _locked(connection, dataset, table)
    last = max(scheduled_at, current.last_scheduled_run or scheduled_at)
    upcoming = cron.next_tick(current.cron_expression, current.timezone, max(last, now or _now(connection)))
    return _write(
        connection,
        current,
        {"last_scheduled_run": last, "next_scheduled_run": upcoming if current.enabled else None},
    )


def _locked(connection: Connection, dataset: str, table: str) -> SyncSchedule:
    """Return the schedule as it is, and keep it so until the transaction ends."""
    current = _one(connection, dataset, table, sql.SQL("FOR UPDATE"))
    if current is None:
        raise UsageError(
            f"There is no schedule for {texts.shown(table)} of {texts.shown(dataset)}.",
            hint="Check the names; a table's schedule is made when schedules are first listed or carried out.",
        )
    return current


def _one(connection: Connection, dataset: str, table: str, locking: sql.SQL) -> SyncSchedule | None:
    row = connection.execute(
        sql.SQL("SELECT {} FROM platform.data_sync_schedule WHERE dataset = %s AND table_name = %s {}").format(
            _COLUMNS, locking
        ),
        _names(dataset, table),
    ).fetchone()
    return None if row is None else SyncSchedule(**row)


def _write(connection: Connection, current: SyncSchedule, values: dict[str, object]) -> SyncSchedule:
    row = connection.execute(
        sql.SQL("UPDATE platform.data_sync_schedule SET {} WHERE id = {} RETURNING {}").format(
            sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in values
            ),
            sql.Literal(current.id),
            _COLUMNS,
        ),
        values,
    ).fetchone()
    assert row is not None  # noqa: S101 - the row is locked by this transaction
    return SyncSchedule(**row)


def _names(dataset: str, table: str) -> tuple[str, str]:
    return texts.name(dataset, "The dataset's name"), texts.name(table, "The table's name")


def _now(connection: Connection) -> dt.datetime:
    row = connection.execute("SELECT clock_timestamp() AS now").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM
    return row["now"]
