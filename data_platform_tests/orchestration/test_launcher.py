"""A sync that somebody orders through the service is a real run in their name, and one at a time for each table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import (
    create_run_for_test,  # pyright: ignore[reportUnknownVariableType] - partly untyped in Dagster
)

from data_platform.catalog import find_table
from data_platform.definitions import build_definitions
from data_platform.errors import LockBusyError
from data_platform.governance.permissions import Role, User
from data_platform.governance.sync_service import DataSyncService, SyncOrder
from data_platform.orchestration.launcher import InProcessLauncher
from data_platform.orchestration.resource import Platform, watched
from data_platform.records import platform_audit, sync_logs
from data_platform.records.scope import Scope
from data_platform.sync import SyncContext

OPERATOR = User("olga", Role.OPERATOR)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as opened:
        yield opened


@pytest.fixture
def launcher(context: SyncContext, instance: dg.DagsterInstance) -> InProcessLauncher:
    platform = Platform(context.settings, context.records, context.warehouse)
    return InProcessLauncher(build_definitions(context.settings, {"platform": watched(platform, [])}), instance)


@pytest.fixture
def service(context: SyncContext) -> DataSyncService:
    return DataSyncService(context.records, context.warehouse, context.settings)


def test_an_ordered_sync_is_a_run_that_publishes(
    context: SyncContext, service: DataSyncService, launcher: InProcessLauncher, instance: dg.DagsterInstance
) -> None:
    job = service.trigger_sync(OPERATOR, "crsp", "restated", table="crsp_names", launcher=launcher)
    run = instance.get_run_by_id(job.run_id)
    assert run is not None
    assert (run.status, run.tags["data_platform/user"]) == (dg.DagsterRunStatus.SUCCESS, "olga")
    (status,) = [each for each in service.get_sync_status(OPERATOR) if each.table == "crsp_names"]
    assert (status.manifest_version, status.stale, status.enabled) == (1, False, False)
    with context.records.transaction(Scope.system("test")) as connection:
        noted = {entry.action: entry.reason for entry in platform_audit.recent(connection, "olga")}
        assert sync_logs.recent(connection, "crsp")
    assert noted["sync.launch"] == "restated"


def test_a_run_that_has_not_ended_is_named(
    service: DataSyncService, launcher: InProcessLauncher, instance: dg.DagsterInstance
) -> None:
    waiting = create_run_for_test(
        instance,
        job_name="__ASSET_JOB",
        asset_selection=frozenset({dg.AssetKey("crsp_names")}),
        status=dg.DagsterRunStatus.STARTED,
    )
    with pytest.raises(LockBusyError, match=waiting.run_id) as refused:
        service.trigger_sync(OPERATOR, "crsp", "why", table="crsp_names", launcher=launcher)
    assert refused.value.exit_code == 7
    job = service.trigger_sync(OPERATOR, "crsp", "why", table="crsp_exchange_codes", launcher=launcher)
    assert job.run_id != waiting.run_id


def test_another_year_of_a_table_can_be_ordered_while_one_is_at_work(
    launcher: InProcessLauncher, instance: dg.DagsterInstance
) -> None:
    create_run_for_test(
        instance,
        job_name="__ASSET_JOB",
        asset_selection=frozenset({dg.AssetKey("crsp_daily")}),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "2023"},
    )
    table = find_table("crsp_daily")
    same, other = (SyncOrder(table, (year,), full=False, user_id="olga", reason="why") for year in ("2023", "2024"))
    found = launcher.syncing(same)
    assert found is not None
    assert found.table == "crsp_daily"
    assert launcher.syncing(other) is None
