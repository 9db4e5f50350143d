"""A platform under watch, and real troubles to befall it: each a block in which something is wrong."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._daemon.types import DaemonHeartbeat
from pydantic import SecretStr

from data_platform.errors import PlatformError
from data_platform.orchestration.dead_runs import PROCESS_TAG, this_process
from data_platform.orchestration.resource import Platform
from data_platform.orchestration.watching import watch_once
from data_platform.records import acknowledgments, alerts
from data_platform.records.acknowledgments import Acknowledgment
from data_platform.records.alerts import StoredAlert
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.sync.backing_up import back_up
from data_platform.sync.watchers.looking import Sighting
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.backup import open_backups
from data_platform.warehouse.quarantine import QuarantineEntry, entry_id
from data_platform_tests.orchestration.housekeeping import Housekeeping
from data_platform_tests.warehouse.backups import new_key
from data_platform_tests.warehouse.frames import SCHEMA, publish

SYSTEM = Scope.system("test")
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
ANY_DEFINITIONS = dg.Definitions(assets=[dg.AssetSpec("nothing")], jobs=[])


@dataclass
class Watched:
    """A platform, the instance and the sensor's memory; `now` is moved by each look."""

    platform: Platform
    instance: dg.DagsterInstance
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    cursor: str | None = None

    def look(self, times: int = 1, every: dt.timedelta = MINUTE) -> Sighting:
        """Look once a minute, so many times; what was seen last."""
        sighting = Sighting(())
        for _ in range(times):
            self.now += every
            sighting, self.cursor = watch_once(self.platform, self.instance, self.cursor, self.now)
        return sighting

    def alerts(self, metric: str) -> list[StoredAlert]:
        """The alerts of a metric, newest first."""
        with self.platform.records.transaction(SYSTEM) as connection:
            return [alert for alert in alerts.recent(connection, limit=1000) if alert.metric == metric]

    def acknowledgment(self, alert: StoredAlert) -> Acknowledgment | None:
        with self.platform.records.transaction(SYSTEM) as connection:
            return acknowledgments.acknowledgment_of(connection, alert.id)

    def set(self, **settings: object) -> None:
        self.platform = replace(self.platform, settings=self.platform.settings.model_copy(update=settings))

    @property
    def warehouse(self) -> Warehouse:
        return self.platform.warehouse


@contextmanager
def watched(records: Records, home: Path, folder: Path) -> Generator[Watched]:
    """An empty platform, whose daemons are well: the warehouse in the folder, the server of the records in the home."""
    settings = Settings(home=home, wrds_username="somebody")
    with dg.instance_for_test(temp_dir=str(folder)) as instance:
        made = Watched(Platform(settings, records, Warehouse(folder / "warehouse")), instance)
        beat(made, made.now + 365 * DAY)
        yield made


def beat(there: Watched, moment: dt.datetime, *daemons: str) -> None:
    """Give a daemon's sign of life, as the daemon itself does; all that are needed, unless some are named."""
    for name in daemons or there.instance.get_required_daemon_types():
        there.instance.add_daemon_heartbeat(DaemonHeartbeat(moment.timestamp(), name, "test"))


@contextmanager
def a_long_sync(there: Watched) -> Generator[None]:
    run = there.instance.create_run(  # pyright: ignore[reportUnknownMemberType] - Dagster's own graph type
        job_name="__ASSET_JOB",
        run_id=None,
        run_config={},
        status=dg.DagsterRunStatus.STARTING,
        tags={PROCESS_TAG: this_process()},
        root_run_id=None,
        parent_run_id=None,
        step_keys_to_execute=None,
        execution_plan_snapshot=None,
        job_snapshot=None,
        parent_job_snapshot=None,
        asset_selection=frozenset({dg.AssetKey("crsp_daily")}),
        asset_check_selection=None,
        resolved_op_selection=None,
        op_selection=None,
        remote_job_origin=None,
        job_code_origin=None,
        asset_graph=ANY_DEFINITIONS.resolve_asset_graph(),
    )
    there.instance.report_dagster_event(DagsterEvent(DagsterEventType.RUN_START.value, run.job_name), run.run_id)
    there.now = dt.datetime.now(dt.UTC) + HOUR
    yield
    there.instance.report_run_failed(run)


@contextmanager
def late_data(there: Watched) -> Generator[None]:
    today = dt.datetime.now(dt.UTC).date()
    for day, over in ((today - 20 * DAY, False), (today, True)):
        row = pa.record_batch([pa.array([1], pa.int32()), pa.array([day]), pa.array([0.0])], schema=SCHEMA)
        publish(there.warehouse, "crsp_daily", str(today.year), row)
        if not over:
            yield


@contextmanager
def a_suspect_lock(there: Watched) -> Generator[None]:
    with there.warehouse.lock("crsp_daily").acquire():
        there.now = dt.datetime.now(dt.UTC) + 4 * HOUR
        yield


@contextmanager
def a_missing_file(there: Watched) -> Generator[None]:
    if there.warehouse.manifests("t").latest() is None:
        publish(there.warehouse, "t", "2024")
    manifest = there.warehouse.manifests("t").latest()
    assert manifest is not None
    path = there.warehouse.store.path(layout.blob(manifest.files[0].sha256))
    kept = path.read_bytes()
    path.unlink()
    yield
    path.write_bytes(kept)


@contextmanager
def a_quarantine(there: Watched) -> Generator[None]:
    made = there.now - 2 * HOUR
    entry = QuarantineEntry(
        entry_id=entry_id(made),
        dataset="crsp",
        table="crsp_daily",
        partition="2024",
        created_at=made,
        findings=("row_count: too few",),
        source="demo",
        source_fingerprint="f",
        row_count=None,
        files=(),
    )
    there.warehouse.quarantine.add(entry, moved={}, written={})
    yield
    there.warehouse.quarantine.delete(entry)


def _backed_up(there: Watched) -> None:
    platform = there.platform
    back_up(
        platform.settings,
        platform.warehouse,
        platform.records,
        open_backups(platform.settings),
        "daily",
        user="root",
        progress=lambda _sent, _total: None,
    )


@contextmanager
def a_failing_backup(there: Watched) -> Generator[None]:
    place = there.warehouse.root.parent / "place"
    there.set(backup_key=SecretStr(new_key()), backup_url=SecretStr(f"file://{place}"))
    publish(there.warehouse)
    shutil.rmtree(place, ignore_errors=True)
    place.write_text("in the way")
    with pytest.raises(PlatformError):
        _backed_up(there)
    yield
    place.unlink()
    _backed_up(there)


@contextmanager
def a_failing_chore(there: Watched) -> Generator[None]:
    place = there.warehouse.root.parent / "place"
    there.set(backup_key=SecretStr(new_key()), backup_url=SecretStr(f"file://{place}"))
    publish(there.warehouse)
    shutil.rmtree(place, ignore_errors=True)
    place.write_text("in the way")
    jobs = Housekeeping(there.platform, there.instance)
    # A dry run succeeds here, and settles nothing.
    assert [jobs.run("back_up_weekly", dry_run=dry).success for dry in (False, True)] == [False, True]
    yield
    place.unlink()
    assert Housekeeping(there.platform, there.instance).run("back_up_weekly").success


@contextmanager
def no_backup_for_a_day(there: Watched) -> Generator[None]:
    if there.platform.settings.backup_key is None:
        place = there.warehouse.root.parent / "place"
        there.set(backup_key=SecretStr(new_key()), backup_url=SecretStr(f"file://{place}"))
    _backed_up(there)
    before = there.now
    there.now = dt.datetime.now(dt.UTC) + DAY + 2 * HOUR
    yield
    # The records' clock does not go by the test's, so a fresh backup is one of less than a day before it.
    there.now = before + HOUR


@contextmanager
def an_ending_password(there: Watched) -> Generator[None]:
    there.set(wrds_password_expires=there.now.date() + 20 * DAY)
    yield
    there.set(wrds_password_expires=there.now.date() + 200 * DAY)


@contextmanager
def a_silent_daemon(there: Watched) -> Generator[None]:
    beat(there, there.now - HOUR, "SCHEDULER")
    yield
    beat(there, there.now + 365 * DAY, "SCHEDULER")


Trouble = Callable[[Watched], AbstractContextManager[None]]

TROUBLES: dict[str, tuple[Trouble, str]] = {
    "sync_too_long": (a_long_sync, "crsp"),
    "data_late": (late_data, "crsp"),
    "lock_suspect": (a_suspect_lock, "crsp"),
    "manifest_files": (a_missing_file, "platform"),
    "quarantine": (a_quarantine, "crsp"),
    "backup_failed": (a_failing_backup, "platform"),
    "housekeeping_failed": (a_failing_chore, "platform"),
    "backup_old": (no_backup_for_a_day, "platform"),
    "credential_expiry": (an_ending_password, "platform"),
    "daemon": (a_silent_daemon, "platform"),
}
"""By the metric that tells of it: the trouble, and the dataset of its alert."""
