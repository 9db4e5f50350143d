"""Looking: gathering the facts that settings, warehouse and records hold, and asking each watcher about them."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from data_platform.catalog import TABLES, Table
from data_platform.errors import PlatformError
from data_platform.quality.calendars import trading_calendar
from data_platform.records import platform_audit, schedules
from data_platform.records.connection import Connection, Records
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.sources.demo.marker import demo_marker
from data_platform.sync.backing_up import FAILED, MADE
from data_platform.sync.state import table_state
from data_platform.sync.watchers import storage, syncs, upkeep
from data_platform.sync.watchers.syncs import RunningSync
from data_platform.sync.watchers.upkeep import BackupHistory, ChoreRun, DaemonState
from data_platform.sync.watchers.watch import Metric, Watch
from data_platform.warehouse import Warehouse
from data_platform.warehouse.conditions import file_conditions

SCOPE: Final = Scope.system("watchers")
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where to look, and what only the caller knows: running syncs, needed daemons, the last runs of housekeeping."""

    settings: Settings
    warehouse: Warehouse
    records: Records
    running: Sequence[RunningSync] = ()
    daemons: Sequence[DaemonState] = ()
    chores: Sequence[ChoreRun] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is so now, and the metrics of which nothing could be seen: nothing of theirs is over.

    `metrics` are those that were asked for at all; the others are somebody else's.
    """

    found: tuple[Watch, ...]
    unseen: frozenset[Metric] = frozenset()
    metrics: frozenset[Metric] = frozenset(Metric)


def look(around: Surroundings, now: dt.datetime) -> Sighting:
    """Ask every watcher; one that can't look keeps none of the others from it. `now` is UTC."""
    warehouse = around.warehouse
    watchers: tuple[tuple[tuple[Metric, ...], Callable[[], list[Watch]]], ...] = (
        ((Metric.SYNC_TOO_LONG,), lambda: syncs.too_long(around.running, now)),
        ((Metric.DATA_LATE,), lambda: _late(around, now)),
        ((Metric.DISK_USAGE,), lambda: storage.disk_usage(warehouse.disk())),
        ((Metric.LOCK_SUSPECT,), lambda: storage.suspect_locks(warehouse.locks(), now)),
        ((Metric.MANIFEST_FILES,), lambda: storage.files(file_conditions(warehouse))),
        ((Metric.QUARANTINE,), lambda: storage.quarantined(warehouse.quarantine.entries(), now)),
        ((Metric.BACKUP_FAILED, Metric.BACKUP_OLD), lambda: _backups(around, now)),
        (
            (Metric.CREDENTIAL_EXPIRY,),
            lambda: upkeep.credential_expiry(around.settings.wrds_password_expires, now.date()),
        ),
        ((Metric.DAEMON,), lambda: upkeep.unhealthy_daemons(around.daemons, now)),
        ((Metric.HOUSEKEEPING_FAILED,), lambda: upkeep.failed_chores(around.chores)),
    )
    found: list[Watch] = []
    unseen: set[Metric] = set()
    for metrics, ask in watchers:
        try:
            found += ask()
        except (PlatformError, OSError) as error:
            _log.warning("Could not look at %s: %s", ", ".join(metrics), type(error).__name__)
            unseen.update(metrics)
    asked = frozenset(metric for metrics, _ in watchers for metric in metrics)
    return Sighting(tuple(found), frozenset(unseen), asked)


def backup_history(records: Records, settings: Settings) -> BackupHistory:
    """When backups were made and failed, as the audit has it."""
    with records.transaction(SCOPE) as connection:
        return BackupHistory(settings.backup_key is not None, _last(connection, MADE), _last(connection, FAILED))


def _last(connection: Connection, action: str) -> dt.datetime | None:
    newest = platform_audit.recent(connection, limit=1, action=action)
    return newest[0].created_at if newest else None


def _backups(around: Surroundings, now: dt.datetime) -> list[Watch]:
    history = backup_history(around.records, around.settings)
    return upkeep.backup_failed(history) + upkeep.backup_old(history, now)


def _late(around: Surroundings, now: dt.datetime) -> list[Watch]:
    """Of the daily tables that have rows, or whose schedule has come round, those that end too early."""
    if demo_marker(around.settings) is not None and around.settings.wrds_username is None:
        return []  # the demo's market ends when it was generated
    with around.records.transaction(SCOPE) as connection:
        scheduled = {
            schedule.table_name
            for schedule in schedules.list_all(connection)
            if schedule.enabled and schedule.last_scheduled_run is not None
        }
    found: list[Watch] = []
    for table in TABLES.values():
        calendar = table.calendar
        if calendar is None or not syncs.is_daily(table) or _has_ended(table, around.settings):
            continue
        state = table_state(around.warehouse, table)
        if state.manifest_version is None and table.name not in scheduled:
            continue
        # A damaged manifest is another watcher's, and says nothing of dates.
        if state.validation_status != "damaged":
            watch = syncs.late(table, state.end_date, syncs.session_due(now, trading_calendar(calendar)))
            found += [] if watch is None else [watch]
    return found


def _has_ended(table: Table, settings: Settings) -> bool:
    """Whether a table comes in a format that nobody continues."""
    return settings.crsp_format == "siz" and table.in_siz is not table
