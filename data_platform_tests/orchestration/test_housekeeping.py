"""Housekeeping that removes: each job says what would go, takes it once, and nothing the second time."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest

from data_platform.orchestration.audit import USER_TAG
from data_platform.orchestration.resource import Platform
from data_platform.records import daily_metrics, sync_logs, users
from data_platform.records.connection import Records
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.scope import Scope
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.trash import new_run, trashed
from data_platform_tests.governance.audit_fixtures import Installation, install
from data_platform_tests.orchestration.housekeeping import DAY, NAMES, Housekeeping, old_versions, quarantined
from data_platform_tests.warehouse.changing import TABLE, age, everything, flip

SYSTEM = Scope.system("test")
WRITTEN_EVERYWHERE = ("blobs", "deltas", "trash", "tables", "quarantine", "rebuilt")


@pytest.fixture
def installation(records: Records, postgres: EmbeddedServer, tmp_path: Path) -> Installation:
    return install(records, postgres, tmp_path / "home")


@pytest.fixture
def warehouse(installation: Installation) -> Warehouse:
    return Warehouse(installation.settings.warehouse_root)


@pytest.fixture
def housekeeping(installation: Installation, warehouse: Warehouse, tmp_path: Path) -> Iterator[Housekeeping]:
    platform = Platform(installation.settings, installation.records, warehouse)
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield Housekeeping(platform, instance)


def stored(warehouse: Warehouse) -> list[dict[str, tuple[int, int, bytes]]]:
    return [everything(warehouse.root / folder) for folder in WRITTEN_EVERYWHERE]


def test_old_versions_give_way_to_deltas_once(housekeeping: Housekeeping, warehouse: Warehouse) -> None:
    old_versions(warehouse, 200, 150, 100, 0)
    before, audited = stored(warehouse), housekeeping.audited()
    planned = housekeeping.run("retire_old_versions", dry_run=True)
    assert planned.success
    assert (planned.shown["versions_expired"], planned.shown["files_dropped"]) == (2, 2)
    assert planned.shown["outcome"] == "2 versions are expired; 2 files would go to the trash."
    assert (stored(warehouse), housekeeping.audited()) == (before, audited)
    done = housekeeping.run("retire_old_versions")
    assert done.shown["bytes_freed"] == planned.shown["bytes_freed"] > 0
    assert done.shown["files_secured"] == planned.shown["files_secured"] == 1
    assert len(list(trashed(warehouse.store))) == 2
    again = housekeeping.run("retire_old_versions")
    assert (again.shown["files_dropped"], again.shown["bytes_freed"]) == (0, 0)
    assert len(list(trashed(warehouse.store))) == 2


def test_quarantine_trash_and_leftovers_go_once_and_what_is_young_stays(
    housekeeping: Housekeeping, warehouse: Warehouse
) -> None:
    old_versions(warehouse, 0)
    gone, kept = quarantined(warehouse, 8), quarantined(warehouse, 6)
    now = dt.datetime.now(dt.UTC)
    for days, sha256 in ((8, "a" * 64), (6, "b" * 64)):
        path = warehouse.store.path(f"{layout.TRASH}/{new_run(now - days * DAY)}/{sha256}.parquet")
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 100)
    draft = warehouse.store.path(f"{layout.TABLES}/{TABLE}/.tmp-draft")
    draft.write_bytes(b"x" * 10)
    age(draft, 7200)
    before = stored(warehouse)
    planned = housekeeping.run("clean_up", dry_run=True)
    assert stored(warehouse) == before
    done = housekeeping.run("clean_up")
    assert planned.shown["outcome"].replace("would be", "were") == done.shown["outcome"]
    for shown in (planned.shown, done.shown):
        assert shown["quarantine_entries"] == 1
        assert shown["quarantine_bytes"] > 1000
        assert (shown["files_removed"], shown["bytes_freed"]) == (2, 110)
        assert shown["by_kind"] == {"unfinished file": 1, "trashed file": 1}
    assert (gone.exists(), kept.exists(), draft.exists()) == (False, True, False)
    assert [file.sha256[0] for file in trashed(warehouse.store)] == ["b"]
    again = housekeeping.run("clean_up")
    assert (again.shown["quarantine_entries"], again.shown["files_removed"]) == (0, 0)
    assert [action for _, action in housekeeping.audited()] == ["gc.run", "gc.run", "quarantine.clean"]


def test_old_records_are_archived_once(housekeeping: Housekeeping, installation: Installation) -> None:
    installation.ask(1)
    with installation.records.transaction(SYSTEM) as connection:
        for number in range(3):
            sync_logs.append(connection, "crsp", TABLE, "INFO", f"line {number}", {})
    moment = dt.datetime.now(dt.UTC) - 31 * DAY
    installation.tamper("UPDATE platform.data_sync_logs SET created_at = %s WHERE message <> 'line 2'", moment)
    planned = housekeeping.run("archive_old_records", dry_run=True)
    assert (planned.shown["rows"], planned.shown["rows_by_table"]) == (2, {"data_sync_logs": 2})
    assert installation.count("data_sync_logs") == 3
    assert not installation.archives.exists()
    done = housekeeping.run("archive_old_records")
    assert (done.shown["rows"], done.shown["archives"]) == (2, 1)
    assert installation.count("data_sync_logs") == 1
    (archive,) = installation.trail.archived()
    assert [row["message"] for row in installation.trail.read_archive(archive.file_name)] == ["line 0", "line 1"]
    again = housekeeping.run("archive_old_records")
    assert (again.shown["rows"], again.shown["archives"]) == (0, 0)


def test_a_broken_audit_chain_fails_the_run_after_the_other_tables_were_archived(
    housekeeping: Housekeeping, installation: Installation
) -> None:
    installation.act(2)
    with installation.records.transaction(SYSTEM) as connection:
        sync_logs.append(connection, "crsp", TABLE, "INFO", "old", {})
    moment = dt.datetime.now(dt.UTC) - 100 * DAY
    installation.tamper("UPDATE platform.data_sync_logs SET created_at = %s", moment)
    installation.tamper("UPDATE platform.platform_audit SET created_at = %s", moment)
    ran = housekeeping.run("archive_old_records")
    assert not ran.success
    assert "The audit chain of platform_audit does not hold" in ran.error
    assert (ran.shown["error"], ran.shown["exit_code"]) == ("ChecksumMismatchError", 6)
    assert ran.shown["rows_by_table"] == {"data_sync_logs": 1}
    assert installation.count("platform_audit") >= 2


@pytest.mark.parametrize("name", ["retire_old_versions", "clean_up"])
def test_a_damaged_manifest_fails_the_run_with_one_clear_error_and_nothing_is_removed(
    housekeeping: Housekeeping, warehouse: Warehouse, name: str
) -> None:
    old_versions(warehouse, 200, 150, 0)
    path = warehouse.store.path(layout.version(TABLE, 1))
    path.chmod(0o600)
    flip(path, 40)
    before = stored(warehouse)
    ran = housekeeping.run(name)
    assert not ran.success
    assert TABLE in ran.error
    assert "Nothing was removed" in ran.error
    assert [type(error).__name__ for error in housekeeping.errors] == [ran.shown["error"]]
    assert stored(warehouse) == before


@pytest.mark.parametrize("name", ["retire_old_versions", "clean_up"])
def test_a_new_home_has_nothing_to_remove_but_lost_manifests_are_an_error(
    housekeeping: Housekeeping, warehouse: Warehouse, name: str
) -> None:
    assert housekeeping.run(name).success
    old_versions(warehouse, 0)
    shutil.rmtree(warehouse.root / layout.TABLES)
    ran = housekeeping.run(name)
    assert not ran.success
    assert "There is not one version of a table" in ran.error


def test_the_audit_names_the_schedule_or_the_person_who_started_a_run(housekeeping: Housekeeping) -> None:
    with housekeeping.platform.records.transaction(SYSTEM) as connection:
        users.add(connection, "ann", "admin")
    old_versions(housekeeping.platform.warehouse, 0)
    for tags in ({"dagster/schedule_name": "clean_up_schedule"}, {USER_TAG: "ann"}, {USER_TAG: "system:other"}, {}):
        assert housekeeping.run("clean_up", tags=tags).success
    actors = [actor for actor, action in housekeeping.audited() if action == "gc.run"][::-1]
    assert actors[:3] == ["system:clean_up_schedule", "ann", "system:other"]
    assert actors[3].startswith("local:")


@pytest.mark.parametrize("name", NAMES)
def test_who_is_no_administrator_is_refused_even_a_dry_run(housekeeping: Housekeeping, name: str) -> None:
    with housekeeping.platform.records.transaction(SYSTEM) as connection:
        users.add(connection, "otto", "operator")
    old_versions(housekeeping.platform.warehouse, 200, 150, 0)
    for user in ("otto", "nobody"):
        for dry_run in (True, False):
            ran = housekeeping.run(name, dry_run=dry_run, tags={USER_TAG: user})
            assert (ran.success, ran.shown["error"]) == (False, "NotPermittedError")
    assert list(trashed(housekeeping.platform.warehouse.store)) == []


def test_a_publisher_at_work_makes_the_run_fail_and_the_next_one_works(
    housekeeping: Housekeeping, warehouse: Warehouse
) -> None:
    old_versions(warehouse, 200, 150, 0)
    with warehouse.lock("retention").acquire():
        started = time.monotonic()
        ran = housekeeping.run("retire_old_versions")
        assert (ran.success, ran.shown["error"]) == (False, "LockBusyError")
        assert time.monotonic() - started < 60
    assert housekeeping.run("retire_old_versions").shown["files_dropped"] == 1


def test_days_that_are_over_are_summed_up_by_the_job_and_shown_as_numbers(housekeeping: Housekeeping) -> None:
    assert housekeeping.run("roll_up_metrics").shown["outcome"] == ("Nothing has happened yet that could be summed up.")
    moment = dt.datetime.now(dt.UTC) - 2 * DAY
    published = {"partition": "2024", "version": 1, "rows": 7, "bytes": 70, "seconds": 1.5}
    line = sync_logs.NewLine(uuid4(), moment, "crsp", TABLE, "INFO", "published", published, uuid4())
    with housekeeping.platform.records.transaction(SYSTEM) as connection:
        sync_logs.append_many(connection, [line])
    planned = housekeeping.run("roll_up_metrics", dry_run=True).shown
    assert planned["outcome"].endswith(f"until {moment.date() + DAY} would be summed up, in 13 rows.")
    for days in (2, 3):
        done = housekeeping.run("roll_up_metrics").shown
        assert (done["days"], done["newest_day"], done["syncs"]) == (days, str(moment.date() + DAY), 0)
    with housekeeping.platform.records.transaction(SYSTEM) as connection:
        found = daily_metrics.recent(connection, moment.date(), "crsp")
    assert [(row.table_name, row.rows_published) for row in found] == [(None, 0), (None, 7), (TABLE, 7)]
