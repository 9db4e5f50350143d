"""Pruning Dagster's own history in its real storage: what is exported, what goes, and what must stay."""

# No postponed annotations here: Dagster reads them as objects.

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_shared.error import SerializableErrorInfo

from data_platform.governance.archiving import archive_documents
from data_platform.governance.audit_key import open_cipher
from data_platform.orchestration.housekeeping.run_history import (
    ARCHIVE,
    prune_runs,
    run_documents,
    runs_of_newest_materializations,
)
from data_platform.orchestration.instance import open_instance
from data_platform.orchestration.resource import Platform
from data_platform.records.connection import Records
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.warehouse import Warehouse
from data_platform_tests.governance.audit_fixtures import ADMIN, Installation, install
from data_platform_tests.orchestration.housekeeping import DAY, Housekeeping

YEARS = dg.StaticPartitionsDefinition(["2020", "2021"])
NOW = dt.datetime.now(dt.UTC)


@dg.asset(partitions_def=YEARS)
def yearly() -> None:
    """A partitioned asset."""


@dg.asset
def whole(context: dg.AssetExecutionContext) -> None:
    """An asset kept whole."""
    context.log.info("a line of the log")


@dg.asset
def failing() -> None:
    """An asset that is never there."""
    raise dg.Failure("it went wrong")


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
        platform = Platform(settings, installation.records, Warehouse(settings.warehouse_root))
        yield Housekeeping(platform, instance)
        instance.wipe()
        instance.wipe_all_schedules()


def materialize(
    instance: dg.DagsterInstance, asset: dg.AssetsDefinition, days_ago: int, partition: str | None = None
) -> str:
    """A real run that ended so many days ago."""
    result = dg.materialize([asset], instance=instance, partition_key=partition, raise_on_error=False)
    ended(instance, result.run_id, days_ago)
    return result.run_id


def ended(instance: dg.DagsterInstance, run_id: str, days_ago: int) -> None:
    storage = instance.run_storage
    assert isinstance(storage, SqlRunStorage)
    moment = (NOW - days_ago * DAY).replace(tzinfo=None)
    with storage.connect() as connection:
        connection.execute(
            RunsTable.update()
            .where(RunsTable.c.run_id == run_id)
            .values(create_timestamp=moment, update_timestamp=moment)
        )


def runs_of(instance: dg.DagsterInstance, *candidates: str) -> set[str]:
    return {run_id for run_id in candidates if instance.get_run_by_id(run_id) is not None}


def test_old_runs_are_exported_with_every_event_and_deleted_once(
    housekeeping: Housekeeping, installation: Installation
) -> None:
    instance = housekeeping.instance
    old, newest, young = (materialize(instance, whole, days) for days in (200, 95, 89))
    failed = materialize(instance, failing, 100)
    events = {run_id: len(instance.all_logs(run_id)) for run_id in (old, newest, failed)}
    unfinished = instance.create_run_for_job(housekeeping.definitions.resolve_job_def("query_job")).run_id
    ended(instance, unfinished, 300)
    planned = housekeeping.run("prune_run_history", dry_run=True)
    assert (planned.shown["runs"], planned.shown["events"]) == (3, sum(events.values()))
    assert runs_of(instance, old, newest, failed) == {old, newest, failed}
    assert not installation.archives.exists()
    done = housekeeping.run("prune_run_history")
    assert (done.shown["runs"], done.shown["events"], done.shown["archives"]) == (3, sum(events.values()), 1)
    assert runs_of(instance, old, newest, failed, young, unfinished) == {young, unfinished}
    assert [instance.all_logs(run_id) for run_id in events] == [[], [], []]
    (archive,) = installation.trail.archived()
    assert archive.table_name == "dagster_runs"
    documents = list(installation.trail.read_archive(archive.file_name))
    assert len(documents) == archive.row_count == sum(events.values()) + 3
    heads = [document for document in documents if "run" in document]
    assert [head["run_id"] for head in heads] == [old, newest, failed]
    assert "it went wrong" in json.dumps([each for each in documents if each["run_id"] == failed])
    restored = dg.deserialize_value(json.dumps(heads[0]["run"]), dg.DagsterRun)
    assert (restored.run_id, restored.status) == (old, dg.DagsterRunStatus.SUCCESS)
    again = housekeeping.run("prune_run_history")
    assert (again.shown["runs"], again.shown["archives"]) == (0, 0)
    assert housekeeping.audited()[1][1] == "retention.archive"


def test_a_run_that_holds_the_newest_materialization_of_anything_stays_however_old(housekeeping: Housekeeping) -> None:
    instance = housekeeping.instance
    superseded = [materialize(instance, yearly, 300, "2020"), materialize(instance, whole, 300)]
    newest = [
        materialize(instance, yearly, 250, "2020"),
        materialize(instance, yearly, 250, "2021"),
        materialize(instance, whole, 250),
    ]
    assert runs_of_newest_materializations(instance) == set(newest)
    done = housekeeping.run("prune_run_history")
    assert (done.shown["runs"], done.shown["runs_kept_for_assets"]) == (2, 3)
    assert runs_of(instance, *superseded, *newest) == set(newest)
    assert instance.get_materialized_partitions(dg.AssetKey("yearly")) == {"2020", "2021"}
    assert instance.get_latest_materialization_event(dg.AssetKey("whole")) is not None


def test_an_export_is_encrypted_private_and_follows_the_audits_key(
    housekeeping: Housekeeping, installation: Installation
) -> None:
    materialize(housekeeping.instance, failing, 100)
    housekeeping.run("prune_run_history")
    (path,) = (installation.archives / "dagster_runs").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    assert b"went wrong" not in before
    assert installation.trail.rotate_key().archives_renewed == 1
    assert path.read_bytes() != before
    (archive,) = installation.trail.archived()
    assert "it went wrong" in json.dumps(list(installation.trail.read_archive(archive.file_name)))
    assert open_cipher(installation.settings).decrypt_bytes(path.read_bytes())


def test_without_an_export_nothing_is_deleted(housekeeping: Housekeeping, installation: Installation) -> None:
    run_id = materialize(housekeeping.instance, failing, 100)
    installation.archives.parent.mkdir(parents=True, exist_ok=True)
    installation.tamper("ALTER TABLE platform.archives ADD CONSTRAINT closed CHECK (table_name <> 'dagster_runs')")
    with pytest.raises(AssertionError, match="CheckViolation"):
        housekeeping.run("prune_run_history")
    assert runs_of(housekeeping.instance, run_id) == {run_id}
    assert housekeeping.instance.all_logs(run_id)
    installation.tamper("ALTER TABLE platform.archives DROP CONSTRAINT closed")
    assert housekeeping.run("prune_run_history").shown["runs"] == 1


def test_what_a_killed_pruning_left_is_taken_up_by_the_next(
    housekeeping: Housekeeping, installation: Installation
) -> None:
    instance, records, settings = housekeeping.instance, installation.records, installation.settings
    exported, emptied = (materialize(instance, failing, days) for days in (120, 110))
    for run_id in (exported, emptied):
        documents = run_documents(instance, run_id, NOW)
        archive_documents(records, settings, ADMIN, ARCHIVE, documents, (NOW, NOW))
    instance.event_log_storage.delete_events(emptied)
    done = housekeeping.run("prune_run_history")
    assert (done.shown["runs"], done.shown["archives"]) == (2, 1)
    assert runs_of(instance, exported, emptied) == set()
    assert instance.all_logs(exported) == []
    for archive in installation.trail.archived():
        assert len(list(installation.trail.read_archive(archive.file_name))) == archive.row_count


def test_many_runs_go_in_many_archives_and_none_is_cut(housekeeping: Housekeeping, installation: Installation) -> None:
    instance = housekeeping.instance
    runs = [materialize(instance, failing, 100) for _ in range(3)]
    two = 2 * len(instance.all_logs(runs[0]))
    done = prune_runs(instance, housekeeping.platform, ADMIN, NOW, dry_run=False, events_per_archive=two)
    assert len(done.archives) == 2
    whose = [
        {row["run_id"] for row in installation.trail.read_archive(archive.file_name)}
        for archive in installation.trail.archived()
    ]
    assert whose == [set(runs[:2]), {runs[2]}]
    assert done.archived_bytes == sum(path.stat().st_size for path in installation.archives.rglob("*.fernet"))


def test_old_ticks_go_by_their_status_and_age_and_only_once(housekeeping: Housekeeping) -> None:
    instance = housekeeping.instance
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file="here.py"))
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "repository"), "evening")
    instance.add_instigator_state(
        InstigatorState(
            origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, ScheduleInstigatorData("0 20 * * *", None)
        )
    )
    (state,) = instance.all_instigator_state()
    ages = {TickStatus.SKIPPED: (6, 8), TickStatus.SUCCESS: (8, 89, 91), TickStatus.FAILURE: (89, 91)}
    for status, days in ages.items():
        for age in days:
            moment = (NOW - age * DAY).timestamp()
            instance.create_tick(
                TickData(
                    state.instigator_origin_id,
                    "evening",
                    InstigatorType.SCHEDULE,
                    status,
                    moment,
                    run_ids=[],
                    error=SerializableErrorInfo("it failed", [], None) if status is TickStatus.FAILURE else None,
                    selector_id=state.selector_id,
                )
            )
    planned = housekeeping.run("prune_run_history", dry_run=True)
    assert planned.shown["ticks"] == 3
    assert len(instance.get_ticks(state.instigator_origin_id, state.selector_id)) == 7
    assert housekeeping.run("prune_run_history").shown["ticks"] == 3
    left = [
        round((NOW.timestamp() - tick.timestamp) / 86400)
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
    ]
    assert sorted(left) == [6, 8, 89, 89]
    assert housekeeping.run("prune_run_history").shown["ticks"] == 0
