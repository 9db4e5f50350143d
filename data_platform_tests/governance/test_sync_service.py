"""The service of syncs: who may do what to which dataset, and what becomes of a change and of a sync by hand."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Container, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from data_platform.catalog import DATASETS, TABLES, find_table
from data_platform.errors import LockBusyError, NotPermittedError, RateLimitedError, UsageError
from data_platform.governance.manual_syncs import Syncing
from data_platform.governance.permissions import Role, User
from data_platform.governance.scopes import reading_scope
from data_platform.governance.sync_dto import SyncScheduleDTO, SyncScheduleUpdateDTO
from data_platform.governance.sync_service import DataSyncService, SyncOrder
from data_platform.records import platform_audit, schedules, sync_logs
from data_platform.records.connection import Records
from data_platform.records.databases import Databases
from data_platform.records.schedules import ScheduleConflictError
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse
from data_platform_tests.governance.people import PEOPLE, SEES, SYSTEM

VIEWER, ANALYST, OPERATOR, ADMIN = (PEOPLE[role] for role in Role)
DISABLED = User("gone", Role.ADMIN, disabled=True)
FIRST = {name: dataset.tables[0].name for name, dataset in DATASETS.items()}


class Launcher:
    """Takes orders and keeps them; `busy` holds the runs that sync a table."""

    def __init__(self) -> None:
        self.orders: list[SyncOrder] = []
        self.busy: dict[str, str] = {}

    def syncing(self, order: SyncOrder) -> Syncing | None:
        by = self.busy.get(order.table.name)
        return None if by is None else Syncing(order.table.name, f"run {by}")

    def launch(self, order: SyncOrder) -> str:
        self.orders.append(order)
        return f"run-{len(self.orders)}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def service(records: Records, settings: Settings) -> DataSyncService:
    for dataset in DATASETS:
        with records.transaction(SYSTEM) as connection:
            sync_logs.append(connection, dataset, FIRST[dataset], "INFO", "published")
            sync_logs.append(connection, dataset, FIRST[dataset], "ERROR", "failed")
    return DataSyncService(records, Warehouse(settings.warehouse_root), settings)


@pytest.fixture
def launcher() -> Launcher:
    return Launcher()


Ask = Callable[[DataSyncService, User, str], object]
MAY_ACT: Mapping[Role, Container[str]] = {**SEES, Role.VIEWER: (), Role.ANALYST: ()}
METHODS: dict[str, tuple[Ask, Mapping[Role, Container[str]]]] = {
    "status": (
        lambda service, user, dataset: [each for each in service.get_sync_status(user) if each.dataset == dataset],
        SEES,
    ),
    "logs": (lambda service, user, dataset: service.get_sync_logs(user, dataset), SEES),
    "schedules": (
        lambda service, user, dataset: [each for each in service.get_sync_schedule(user) if each.dataset == dataset],
        SEES,
    ),
    "change": (
        lambda service, user, dataset: service.update_sync_schedule(
            user, dataset, SyncScheduleUpdateDTO(table=FIRST[dataset], expected_version=1, enabled=True)
        ),
        MAY_ACT,
    ),
    "trigger": (
        lambda service, user, dataset: service.trigger_sync(
            user, dataset, "restated", table=FIRST[dataset], launcher=Launcher()
        ),
        MAY_ACT,
    ),
}


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("method", METHODS)
def test_each_role_does_what_it_may_to_its_datasets_only(
    service: DataSyncService, method: str, role: Role, dataset: str
) -> None:
    ask, allowed = METHODS[method]
    try:
        answer = ask(service, PEOPLE[role], dataset)
    except NotPermittedError as error:
        assert error.message.startswith(f"Access to {dataset} requires ")
        answer = None
    assert bool(answer) == (dataset in allowed[role])


@pytest.mark.parametrize("method", METHODS)
def test_a_disabled_user_may_do_nothing(service: DataSyncService, method: str) -> None:
    with pytest.raises(NotPermittedError, match="disabled"):
        METHODS[method][0](service, DISABLED, "crsp")


def test_every_table_has_a_schedule_that_is_off_in_development_and_on_in_production(
    service: DataSyncService, other_records: Records, settings: Settings
) -> None:
    found = service.get_sync_schedule(ADMIN)
    assert {(each.dataset, each.table_name) for each in found} == {(t.dataset, t.name) for t in TABLES.values()}
    assert {(each.enabled, each.cron_expression, each.timezone) for each in found} == {
        (False, "0 2 * * *", "America/New_York")
    }
    production = settings.model_copy(update={"env": "production"})
    live = DataSyncService(other_records, Warehouse(settings.warehouse_root), production).get_sync_schedule(ADMIN)
    assert len(live) == len(TABLES)
    assert all(each.enabled and each.next_scheduled_run for each in live)


def test_a_change_is_noted_with_old_and_new_values_and_one_that_fails_is_not(
    service: DataSyncService, records: Records
) -> None:
    change = SyncScheduleUpdateDTO(
        table="crsp_daily", expected_version=1, enabled=True, cron_expression="30 4 * * 1-5", reason="late files"
    )
    changed = service.update_sync_schedule(OPERATOR, "crsp", change)
    assert (changed.version, changed.updated_by, changed.cron_expression) == (2, "the_operator", "30 4 * * 1-5")
    with pytest.raises(ScheduleConflictError, match="crsp_daily was changed meanwhile: it is at version 2") as refused:
        service.update_sync_schedule(ADMIN, "crsp", change)
    assert refused.value.exit_code == 2
    with records.transaction(SYSTEM) as connection:
        entries = platform_audit.recent(connection, action="schedule.update")
    assert [(e.actor, e.old_value, e.new_value, e.reason) for e in entries] == [
        (
            "the_operator",
            {"enabled": False, "cron_expression": "0 2 * * *"},
            {"enabled": True, "cron_expression": "30 4 * * 1-5"},
            "late files",
        )
    ]


def test_of_two_people_who_change_one_version_at_once_one_is_told(service: DataSyncService) -> None:
    service.get_sync_schedule(ADMIN)
    barrier = Barrier(2)

    def change(user: User) -> SyncScheduleDTO | ScheduleConflictError:
        barrier.wait(30)
        try:
            return service.update_sync_schedule(
                user,
                "crsp",
                SyncScheduleUpdateDTO(
                    table="crsp_daily", expected_version=1, cron_expression=f"{len(user.user_id)} 3 * * *"
                ),
            )
        except ScheduleConflictError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(change, (OPERATOR, ADMIN)))
    (won,) = [each for each in results if isinstance(each, SyncScheduleDTO)]
    (lost,) = [each for each in results if isinstance(each, ScheduleConflictError)]
    assert (won.version, lost.current.cron_expression) == (2, won.cron_expression)
    assert "version 2" in lost.message


def test_the_database_itself_hides_schedules_and_log_lines_of_other_datasets(
    service: DataSyncService, records: Records
) -> None:
    service.get_sync_schedule(ADMIN)
    with records.transaction(reading_scope(ANALYST)) as connection:
        seen = {each.dataset for each in schedules.list_all(connection)}
        lines = {line.dataset for line in sync_logs.recent(connection)}
        hidden = connection.execute(
            "UPDATE platform.data_sync_schedule SET enabled = true WHERE dataset = 'compustat'"
        ).rowcount
    assert seen == lines == {"crsp", "fama_french"}
    assert hidden == 0


def test_log_lines_are_those_of_the_level_newest_first(service: DataSyncService) -> None:
    assert [line.message for line in service.get_sync_logs(ADMIN, "crsp")] == ["failed", "published"]
    assert {line.level for line in service.get_sync_logs(ADMIN, level="error")} == {"ERROR"}
    assert {line.dataset for line in service.get_sync_logs(ANALYST)} == {"crsp", "fama_french"}
    assert len(service.get_sync_logs(ADMIN, limit=1)) == 1


def test_a_sync_by_hand_is_one_a_minute_for_all_and_each_attempt_is_noted(
    service: DataSyncService, records: Records, launcher: Launcher
) -> None:
    job = service.trigger_sync(
        OPERATOR, "crsp", " restated ", table="crsp_names", launcher=launcher, client_ip="10.0.0.1"
    )
    assert (job.run_id, job.partitions, job.reason, job.requested_by) == ("run-1", ["all"], "restated", "the_operator")
    with pytest.raises(RateLimitedError, match=r"Please wait \d+ second") as refused:
        service.trigger_sync(ADMIN, "fama_french", "me too", table="ff_factors_daily", launcher=launcher)
    assert refused.value.exit_code == 4
    assert launcher.orders == [SyncOrder(find_table("crsp_names"), ("all",), False, "the_operator", "restated")]
    with records.transaction(SYSTEM) as connection:
        entries = platform_audit.recent(connection)
    assert [(e.actor, e.action, e.dataset, e.subject, e.reason, e.client_ip) for e in reversed(entries)] == [
        ("the_operator", "sync.launch", "crsp", "crsp_names", "restated", "10.0.0.1"),
        ("the_admin", "sync.refused", "fama_french", "ff_factors_daily", None, None),
    ]
    assert entries[0].new_value == {"as": "trigger_sync", "error": "RateLimitedError"}


def test_a_table_that_is_being_synced_is_refused_by_its_run_and_costs_no_place(
    service: DataSyncService, launcher: Launcher
) -> None:
    launcher.busy = {"crsp_names": "run-7"}
    with pytest.raises(LockBusyError, match="crsp_names is syncing already, in run run-7"):
        service.trigger_sync(ADMIN, "crsp", "why", table="crsp_names", launcher=launcher)
    launcher.busy = {}
    assert service.trigger_sync(ADMIN, "crsp", "why", table="crsp_names", launcher=launcher).run_id == "run-1"


def test_without_partitions_those_that_still_change_are_synced(service: DataSyncService, launcher: Launcher) -> None:
    today = dt.datetime.now(dt.UTC).date()
    service.trigger_sync(ADMIN, "crsp", "why", table="crsp_daily", launcher=launcher)
    years = [str(today.year - 1), str(today.year)] if today.month <= 3 else [str(today.year)]
    assert launcher.orders[0].partitions == tuple(years)


BAD: list[tuple[Callable[[DataSyncService], object], str]] = [
    (lambda s: s.get_sync_logs(ADMIN, "nothing"), "Unknown dataset"),
    (lambda s: s.get_sync_logs(ADMIN, level="loud"), "'loud' is no level"),
    (lambda s: s.get_sync_logs(ADMIN, limit=0), "limit must be from 1 to 10,000"),
    (lambda s: _change(s, table="ff_factors_daily"), "Dataset crsp has no table 'ff_factors_daily'"),
    (lambda s: _change(s, cron_expression="99 * * * *"), "'99' is no minute"),
    (lambda s: _change(s, cron_expression="@daily"), "five fields"),
    (lambda s: _change(s, timezone="Mars/Olympus"), "no time zone 'Mars/Olympus'"),
    (lambda s: _trigger(s, "  "), "needs a reason"),
    (lambda s: _trigger(s, "why", "1066"), "'1066' is no partition of crsp_daily"),
]


def _change(service: DataSyncService, **fields: str) -> object:
    update = SyncScheduleUpdateDTO.model_validate({"table": "crsp_daily", "expected_version": 1, **fields})
    return service.update_sync_schedule(ADMIN, "crsp", update)


def _trigger(service: DataSyncService, reason: str, *partitions: str) -> object:
    return service.trigger_sync(ADMIN, "crsp", reason, table="crsp_daily", launcher=Launcher(), partitions=partitions)


@pytest.mark.parametrize(("ask", "said"), BAD)
def test_what_makes_no_sense_is_one_clear_error_and_leaves_no_trace(
    service: DataSyncService, records: Records, ask: Callable[[DataSyncService], object], said: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        ask(service)
    with records.transaction(SYSTEM) as connection:
        assert [entry.action for entry in platform_audit.recent(connection) if entry.action != "sync.refused"] == []


def test_without_the_database_the_status_is_the_last_known_and_says_so(
    databases: Databases, settings: Settings
) -> None:
    with Records(databases, wait_seconds=1) as records:
        service = DataSyncService(records, Warehouse(settings.warehouse_root), settings)
        fresh = service.get_sync_status(ANALYST)
    # The pool is closed now: nothing reaches the database any more.
    before = dt.datetime.now(dt.UTC)
    stale = service.get_sync_status(ANALYST)
    assert {each.stale for each in fresh} == {False}
    assert {each.stale for each in stale} == {True}
    assert [each.model_copy(update={"stale": False}) for each in stale] == fresh
    assert all(each.schedule_as_of and each.schedule_as_of < before for each in stale)
    # Of what somebody else may see nothing was known.
    unknown = service.get_sync_status(VIEWER)
    assert {(each.dataset, each.enabled, each.schedule_as_of, each.stale) for each in unknown} == {
        ("fama_french", None, None, True)
    }
