"""The service behind everything that people see and steer of syncs: status, log, schedules, and syncs by hand.

Each method asks for the permission and reads in the caller's own scope, so that it answers of their datasets only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Protocol

from data_platform.catalog import DATASETS, TABLES, Table, find_dataset, find_table
from data_platform.errors import DatabaseUnavailableError, UsageError
from data_platform.governance.manual_syncs import ManualSync, Syncing, admit
from data_platform.governance.permissions import Action, User, permitted_datasets, require
from data_platform.governance.scopes import reading_scope
from data_platform.governance.sync_dto import (
    ConditionDTO,
    SyncDayDTO,
    SyncJobDTO,
    SyncLogEntry,
    SyncScheduleDTO,
    SyncScheduleUpdateDTO,
    SyncStatusDTO,
)
from data_platform.metrics import counting
from data_platform.records import daily_metrics, schedules, sync_logs, texts
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform.records.sync_logs import Level
from data_platform.settings import Settings
from data_platform.sync.plan import choose_partitions, current_partitions, partitions_of
from data_platform.sync.state import table_state
from data_platform.warehouse.conditions import conditions
from data_platform.warehouse.warehouse import Warehouse

MOST_LINES: Final = 10_000
MOST_DAYS: Final = 3_660
LEVELS: Final[tuple[Level, ...]] = ("INFO", "WARN", "ERROR")
_SCOPE: Final = Scope.system("data_sync_service")


@dataclass(frozen=True, slots=True)
class SyncOrder:
    """What a run is to do, and in whose name; whoever launches it decides nothing more."""

    table: Table
    partitions: tuple[str, ...]
    full: bool
    user_id: str
    reason: str


class SyncLauncher(Protocol):
    """Whatever starts runs: this room knows no orchestrator."""

    def syncing(self, order: SyncOrder) -> Syncing | None:
        """What syncs some of the order's partitions already; None when nothing does."""
        ...

    def launch(self, order: SyncOrder) -> str:
        """Start a run and return its id."""
        ...


class DataSyncService:
    """What people may know of the syncs of their datasets, and change and start of them.

    Every method raises `NotPermittedError` for those who may not, `UsageError` for what does not exist or makes no
    sense, and, but for the status, `DatabaseUnavailableError` when the records are away. One service serves any number
    of users, from several threads.
    """

    def __init__(self, records: Records, warehouse: Warehouse, settings: Settings) -> None:
        self._records = records
        self._warehouse = warehouse
        self._settings = settings
        self._known: dict[frozenset[str], tuple[dt.datetime, list[SyncScheduleDTO]]] = {}

    def get_sync_status(self, user: User) -> list[SyncStatusDTO]:
        """Every table of the caller's datasets, those that were never synced too, whether or not the records are there.

        While they are away, schedules are those that this service read last, marked as stale.
        """
        require(user, Action.VIEW_DATA_SYNC)
        counting.sync_status_checked()
        visible = permitted_datasets(user, DATASETS)
        stale = False
        try:
            self._known[visible] = dt.datetime.now(dt.UTC), self.get_sync_schedule(user)
        except DatabaseUnavailableError:
            stale = True
        found = self._known.get(visible)
        as_of = None if found is None else found[0]
        by_table = {} if found is None else {schedule.table_name: schedule for schedule in found[1]}
        return [_status(self._warehouse, TABLES[name], by_table.get(name), as_of, stale=stale) for name in _of(visible)]

    def get_conditions(self, user: User) -> list[ConditionDTO]:
        """What in the warehouse needs a person, of the caller's datasets and of the machine; no database is asked."""
        return conditions_of(self._warehouse, user)

    def get_sync_logs(
        self, user: User, dataset: str | None = None, level: str | None = None, limit: int = 100
    ) -> list[SyncLogEntry]:
        """The newest lines of the caller's datasets, or of one of them, newest first."""
        if dataset is not None:
            find_dataset(dataset)
        require(user, Action.VIEW_DATA_SYNC, dataset)
        if not 1 <= limit <= MOST_LINES:
            raise UsageError(f"The limit must be from 1 to {MOST_LINES:,}.")
        with self._records.transaction(reading_scope(user)) as connection:
            found = sync_logs.recent(connection, dataset, _level(level), limit)
        return [SyncLogEntry.model_validate(asdict(line)) for line in found]

    def get_sync_history(self, user: User, dataset: str | None = None, days: int = 30) -> list[SyncDayDTO]:
        """What happened on each of the last days that are summed up, newest first; the newest is yesterday (UTC).

        Of the caller's datasets, or of one of them.
        """
        if dataset is not None:
            find_dataset(dataset)
        require(user, Action.VIEW_DATA_SYNC, dataset)
        if not 1 <= days <= MOST_DAYS:
            raise UsageError(f"The days must be from 1 to {MOST_DAYS:,}.")
        since = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days)
        with self._records.transaction(reading_scope(user)) as connection:
            found = daily_metrics.recent(connection, since, dataset)
        return [SyncDayDTO.model_validate(asdict(row)) for row in found]

    def get_sync_schedule(self, user: User) -> list[SyncScheduleDTO]:
        """The schedules of the caller's datasets; a table of the catalog that has none yet gets one."""
        require(user, Action.VIEW_DATA_SYNC)
        self._ensure()
        with self._records.transaction(reading_scope(user)) as connection:
            found = schedules.list_all(connection)
        return [_schedule(each) for each in found if each.table_name in TABLES]

    def update_sync_schedule(self, user: User, dataset: str, schedule: SyncScheduleUpdateDTO) -> SyncScheduleDTO:
        """Change a schedule, and note old and new values in the audit in the same transaction.

        Raises:
            ScheduleConflictError: when somebody else changed it first; its message names the current version.
        """
        require(user, Action.MANAGE_SYNC_SCHEDULE, find_dataset(dataset).name)
        table = _table_of(dataset, schedule.table)
        self._ensure()
        with self._records.transaction(reading_scope(user)) as connection:
            changed = schedules.update(
                connection,
                dataset,
                table.name,
                expected_version=schedule.expected_version,
                changed_by=user.user_id,
                enabled=schedule.enabled,
                cron_expression=schedule.cron_expression,
                timezone=schedule.timezone,
                reason=schedule.reason,
            )
        if changed.version != schedule.expected_version:
            counting.schedule_updated(dataset, user.user_id)
        return _schedule(changed)

    def trigger_sync(  # noqa: PLR0913 - all that a sync can be told
        self,
        user: User,
        dataset: str,
        reason: str,
        *,
        table: str,
        launcher: SyncLauncher,
        partitions: Sequence[str] = (),
        every: bool = False,
        full: bool = False,
        client_ip: str | None = None,
    ) -> SyncJobDTO:
        """Start a sync of one table now: of the partitions named, of `every` one, or of those a schedule would sync.

        The rules are those of every sync that a person starts; the audit has it before anything is started.

        Raises:
            LockBusyError, RateLimitedError: as `data_platform.governance.manual_syncs.admit` does.
        """
        require(user, Action.TRIGGER_DATA_SYNC, find_dataset(dataset).name)
        order = self._order(user, _table_of(dataset, table), partitions, reason, every=every, full=full)
        wanted = ManualSync((order.table,), order.partitions, order.reason, "trigger_sync", client_ip)
        admit(self._records, user, wanted, syncing=lambda: launcher.syncing(order))
        requested = dt.datetime.now(dt.UTC)
        run_id = launcher.launch(order)
        return SyncJobDTO(
            run_id=run_id,
            dataset=dataset,
            table=table,
            partitions=list(order.partitions),
            full=full,
            requested_by=user.user_id,
            requested_at=requested,
            reason=order.reason,
        )

    def _order(
        self, user: User, table: Table, partitions: Sequence[str], reason: str, *, every: bool, full: bool
    ) -> SyncOrder:
        why = texts.reason(reason) or ""
        today = dt.datetime.now(dt.UTC).date()
        chosen = list(partitions) if partitions or every else current_partitions(table, self._settings, today)
        known = partitions_of(table, self._settings, today)
        return SyncOrder(
            table, tuple(choose_partitions(table, known, chosen, all_of_them=every)), full, user.user_id, why
        )

    def _ensure(self) -> None:
        names = [(table.dataset, table.name) for table in TABLES.values()]
        schedules.ensure_each(self._records, _SCOPE, names, enabled=self._settings.env == "production")


def conditions_of(warehouse: Warehouse, user: User) -> list[ConditionDTO]:
    """As `DataSyncService.get_conditions`, for whoever works without the records.

    Raises:
        NotPermittedError: for those who may not view syncs.
    """
    require(user, Action.VIEW_DATA_SYNC)
    visible = _of(permitted_datasets(user, DATASETS))
    return [
        ConditionDTO(**found.model_dump())
        for found in conditions(warehouse, dt.datetime.now(dt.UTC))
        if found.table is None or found.table in visible
    ]


def _of(datasets: frozenset[str]) -> list[str]:
    return [table.name for table in TABLES.values() if table.dataset in datasets]


def _table_of(dataset: str, table: str) -> Table:
    found = find_table(table)
    if found.dataset != dataset:
        raise UsageError(f"Dataset {dataset} has no table {table!r}.", hint=f"It is one of {found.dataset}.")
    return found


def _level(text: str | None) -> Level | None:
    if text is None:
        return None
    for level in LEVELS:
        if text.upper() == level:
            return level
    raise UsageError(f"{texts.shown(text)} is no level.", hint=f"Levels: {', '.join(LEVELS)}.")


def _schedule(found: schedules.SyncSchedule) -> SyncScheduleDTO:
    return SyncScheduleDTO(**{name: getattr(found, name) for name in SyncScheduleDTO.model_fields})


def _status(
    warehouse: Warehouse, table: Table, schedule: SyncScheduleDTO | None, as_of: dt.datetime | None, *, stale: bool
) -> SyncStatusDTO:
    return SyncStatusDTO(
        **table_state(warehouse, table).model_dump(),
        enabled=None if schedule is None else schedule.enabled,
        last_scheduled_run=None if schedule is None else schedule.last_scheduled_run,
        next_scheduled_run=None if schedule is None else schedule.next_scheduled_run,
        stale=stale,
        schedule_as_of=as_of,
    )
