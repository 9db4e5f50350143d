"""Pruning what runs leave behind: evaluations of checks, finished backfills, and files on the disk."""

# No postponed annotations here: Dagster reads them as objects.

import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.runs.schema import BackfillTagsTable, BulkActionsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from data_platform.orchestration.instance import open_instance
from data_platform.orchestration.resource import Platform
from data_platform.records.connection import Records
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.warehouse import Warehouse
from data_platform_tests.governance.audit_fixtures import Installation, install
from data_platform_tests.orchestration.housekeeping import DAY, Housekeeping

NOW = dt.datetime.now(dt.UTC)
JOB = "prune_run_history"


@dg.asset(check_specs=[dg.AssetCheckSpec("sound", asset="judged")])
def judged(context: dg.AssetExecutionContext) -> Iterator[dg.Output[None] | dg.AssetCheckResult]:
    """An asset with a check."""
    yield dg.Output(None)
    yield dg.AssetCheckResult(passed=context.run.tags.get("passed") == "yes", check_name="sound")


@pytest.fixture
def installation(records: Records, postgres: EmbeddedServer, tmp_path: Path) -> Installation:
    return install(records, postgres, tmp_path / "home")


@pytest.fixture
def housekeeping(installation: Installation) -> Iterator[Housekeeping]:
    """The instance that `data-platform` serves, on PostgreSQL, empty."""
    settings = installation.settings
    with open_instance(settings, installation.records.databases) as instance:
        instance.wipe()
        instance.wipe_all_schedules()
        _forget_backfills(instance)
        yield Housekeeping(Platform(settings, installation.records, Warehouse(settings.warehouse_root)), instance)
        instance.wipe()
        instance.wipe_all_schedules()
        _forget_backfills(instance)


def _forget_backfills(instance: dg.DagsterInstance) -> None:
    storage = instance.run_storage
    assert isinstance(storage, SqlRunStorage)
    with storage.connect() as connection:
        connection.execute(BulkActionsTable.delete())
        connection.execute(BackfillTagsTable.delete())


def evaluate(instance: dg.DagsterInstance, days_ago: int, *, passed: bool) -> None:
    """A real evaluation of the check, made so many days ago."""
    result = dg.materialize([judged], instance=instance, tags={"passed": "yes" if passed else "no"})
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    with storage.index_connection() as connection:
        connection.execute(
            AssetCheckExecutionsTable.update()
            .where(AssetCheckExecutionsTable.c.run_id == result.run_id)
            .values(create_timestamp=(NOW - days_ago * DAY).replace(tzinfo=None))
        )


def evaluations(instance: dg.DagsterInstance) -> list[tuple[str, int]]:
    """How evaluations ended, newest first, and how many days ago each was made."""
    key = dg.AssetCheckKey(dg.AssetKey("judged"), "sound")
    found = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    return [(each.status.value, round((NOW.timestamp() - each.create_timestamp) / 86400)) for each in found]


def test_old_evaluations_of_a_check_go_but_for_the_newest_of_each_outcome(housekeeping: Housekeeping) -> None:
    instance = housekeeping.instance
    for days, passed in ((300, False), (200, False), (150, True), (120, True), (89, True)):
        evaluate(instance, days, passed=passed)
    before = evaluations(instance)
    assert housekeeping.run(JOB, dry_run=True).shown["checks"] == 3
    assert evaluations(instance) == before
    assert housekeeping.run(JOB).shown["checks"] == 3
    assert evaluations(instance) == [("SUCCEEDED", 89), ("FAILED", 200)]
    assert housekeeping.run(JOB).shown["checks"] == 0


def backfill(instance: dg.DagsterInstance, days_ago: int, status: BulkActionStatus) -> str:
    name = uuid4().hex[:8]
    moment = (NOW - days_ago * DAY).timestamp()
    instance.add_backfill(
        PartitionBackfill(
            backfill_id=name,
            status=status,
            from_failure=False,
            tags={"data_platform/user": "ann"},
            backfill_timestamp=moment,
            title=f"of {days_ago} days ago",
        )
    )
    return name


def test_finished_backfills_without_runs_are_exported_and_deleted(
    housekeeping: Housekeeping, installation: Installation
) -> None:
    instance = housekeeping.instance
    old = [backfill(instance, 100, BulkActionStatus.COMPLETED_SUCCESS), backfill(instance, 95, BulkActionStatus.FAILED)]
    young = backfill(instance, 80, BulkActionStatus.CANCELED)
    going_on = backfill(instance, 200, BulkActionStatus.REQUESTED)
    with_a_run = backfill(instance, 200, BulkActionStatus.COMPLETED_SUCCESS)
    dg.materialize([judged], instance=instance, tags={"dagster/backfill": with_a_run})

    def there() -> set[str]:
        return {each.backfill_id for each in instance.get_backfills()}

    planned = housekeeping.run(JOB, dry_run=True).shown
    assert (planned["backfills"], planned["backfills_kept_with_runs"]) == (2, 1)
    assert there() == {*old, young, going_on, with_a_run}
    assert installation.trail.archived() == []
    done = housekeeping.run(JOB).shown
    assert (done["backfills"], done["backfills_kept_with_runs"]) == (2, 1)
    assert there() == {young, going_on, with_a_run}
    (archive,) = installation.trail.archived()
    assert (archive.table_name, archive.row_count) == ("dagster_backfills", 2)
    documents = list(installation.trail.read_archive(archive.file_name))
    restored = [dg.deserialize_value(json.dumps(each["backfill"]), PartitionBackfill) for each in documents]
    assert {each.backfill_id for each in restored} == set(old)
    assert {each.tags["data_platform/user"] for each in restored} == {"ann"}
    assert housekeeping.run(JOB).shown["backfills"] == 0


def test_without_an_export_no_backfill_is_deleted(housekeeping: Housekeeping, installation: Installation) -> None:
    name = backfill(housekeeping.instance, 100, BulkActionStatus.COMPLETED_SUCCESS)
    installation.archives.parent.mkdir(parents=True, exist_ok=True)
    installation.tamper("ALTER TABLE platform.archives ADD CONSTRAINT closed CHECK (table_name <> 'dagster_backfills')")
    with pytest.raises(AssertionError, match="CheckViolation"):
        housekeeping.run(JOB)
    assert [each.backfill_id for each in housekeeping.instance.get_backfills()] == [name]


def left(parent: Path, name: str, days_ago: float) -> Path:
    """What a run left so many days ago: a folder with a file of a thousand bytes."""
    folder = parent / name
    (folder / "compute_logs").mkdir(parents=True)
    (folder / "compute_logs" / "step.out").write_bytes(b"p" * 1000)
    moment = (NOW - days_ago * DAY).timestamp()
    for path in (folder / "compute_logs" / "step.out", folder / "compute_logs", folder):
        os.utime(path, (moment, moment))
    return folder


def test_what_runs_left_on_the_disk_goes_after_a_month_unless_they_still_run(
    housekeeping: Housekeeping, installation: Installation
) -> None:
    dagster = installation.settings.home / "dagster"
    unfinished = housekeeping.instance.create_run_for_job(housekeeping.definitions.resolve_job_def("query_job")).run_id
    old = [left(dagster / parent, str(uuid4()), 31) for parent in ("compute_logs", "storage")]
    stays = [
        left(dagster / "compute_logs", str(uuid4()), 29),
        left(dagster / "compute_logs", unfinished, 100),
        left(dagster / "storage", "an_asset", 100),
    ]
    elsewhere = left(installation.settings.home, "elsewhere", 100)
    (dagster / "storage" / str(uuid4())).symlink_to(elsewhere)
    planned = housekeeping.run(JOB, dry_run=True).shown
    assert (planned["run_folders"], planned["run_folder_bytes"]) == (2, 2000)
    assert all(folder.exists() for folder in old)
    done = housekeeping.run(JOB).shown
    assert (done["run_folders"], done["run_folder_bytes"]) == (2, 2000)
    assert not any(folder.exists() for folder in old)
    assert all(folder.exists() for folder in [*stays, elsewhere])
    assert housekeeping.run(JOB).shown["run_folders"] == 0
