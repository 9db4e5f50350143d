"""Housekeeping that proves: verification, backups and the drill, in a home of its own with its own server."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from data_platform.orchestration.resource import Platform
from data_platform.records import alerts
from data_platform.records.connection import open_records
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.backup import open_backups
from data_platform_tests.folders import short_folder
from data_platform_tests.orchestration.housekeeping import Housekeeping, old_versions
from data_platform_tests.warehouse.backups import new_key
from data_platform_tests.warehouse.changing import TABLE, everything, flip

SYSTEM = Scope.system("test")


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    folder = short_folder()
    settings = Settings(home=folder / "h", backup_key=SecretStr(new_key()))
    with open_records(settings) as records:
        warehouse = Warehouse(settings.warehouse_root)
        old_versions(warehouse, 3, 2, 1)
        yield Platform(settings, records, warehouse)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def housekeeping(platform: Platform, tmp_path: Path) -> Iterator[Housekeeping]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield Housekeeping(platform, instance)


@pytest.fixture
def damaged(platform: Platform) -> Iterator[str]:
    """The oldest version's file, changed for the length of the test; its key."""
    key = layout.blob(platform.warehouse.manifests(TABLE).load(1).files[0].sha256)
    path = platform.warehouse.store.path(key)
    sound = path.read_bytes()
    path.chmod(0o600)
    flip(path, 100)
    yield key
    path.write_bytes(sound)
    path.chmod(0o444)


def backed_up(platform: Platform) -> list[str]:
    return [name.set_id for name in open_backups(platform.settings).names()]


def all_alerts(platform: Platform) -> list[alerts.StoredAlert]:
    with platform.records.transaction(SYSTEM) as connection:
        return alerts.recent(connection)


def test_a_sound_warehouse_is_verified_and_its_dry_run_writes_nothing(housekeeping: Housekeeping) -> None:
    warehouse = housekeeping.platform.warehouse
    before = everything(warehouse.root)
    planned = housekeeping.run("verify_warehouse", dry_run=True)
    assert everything(warehouse.root) == before
    done = housekeeping.run("verify_warehouse")
    # That a file was found sound is noted, so that reading it need not hash it again.
    assert {name for name in everything(warehouse.root) if not name.startswith("sound")} == set(before)
    assert planned.shown["bytes"] == done.shown["bytes"] > 0
    assert (done.shown["versions"], done.shown["files"], done.shown["problems"]) == (3, 3, 0)
    assert all_alerts(housekeeping.platform) == []


def test_damage_fails_the_run_and_is_told_once(housekeeping: Housekeeping, damaged: str) -> None:
    for _ in range(2):
        ran = housekeeping.run("verify_warehouse")
        assert not ran.success
        assert "1 stored objects are not as they were published" in ran.error
        assert "verify, then with --repair" in ran.error
        assert (ran.shown["error"], ran.shown["problems_by_table"]) == ("ChecksumMismatchError", {TABLE: 1})
        (alert,) = all_alerts(housekeeping.platform)
        assert (alert.dataset, alert.table_name, alert.partition) == ("crsp", TABLE, "2024")
        assert (alert.metric, alert.severity) == ("damage", "error")
        assert damaged.rpartition("/")[2][:12] in alert.message


def test_a_backup_is_made_of_what_is_new_and_the_next_one_sends_no_published_file(housekeeping: Housekeeping) -> None:
    platform = housekeeping.platform
    home = everything(platform.settings.home / "warehouse" / "blobs")
    planned = housekeeping.run("back_up_daily", dry_run=True)
    assert backed_up(platform) == []
    assert planned.shown["new_files"] == planned.shown["files"] > 3
    first = housekeeping.run("back_up_daily")
    # The dumps of two databases come on top.
    assert first.shown["new_files"] == planned.shown["new_files"] + 2
    assert first.shown["new_bytes"] > planned.shown["new_bytes"]
    assert backed_up(platform) == [first.shown["set"]]
    assert housekeeping.run("back_up_daily", dry_run=True).shown["new_files"] == 0
    second = housekeeping.run("back_up_weekly")
    assert second.shown["new_files"] <= 2
    assert [name.rpartition("-")[2] for name in backed_up(platform)] == ["daily", "weekly"]
    assert everything(platform.settings.home / "warehouse" / "blobs") == home
    assert [action for _, action in housekeeping.audited()][:2] == ["backup.run", "backup.run"]


def test_a_backup_without_a_lost_file_is_made_and_the_run_fails(housekeeping: Housekeeping, damaged: str) -> None:
    before = backed_up(housekeeping.platform)
    path = housekeeping.platform.warehouse.store.path(damaged)
    path.rename(path.with_suffix(".lost"))
    try:
        planned, ran = housekeeping.run("back_up_weekly", dry_run=True), housekeeping.run("back_up_weekly")
    finally:
        path.with_suffix(".lost").rename(path)
    assert planned.shown["findings"] == 1
    assert not ran.success
    assert ran.shown["findings"] == 1
    assert "verify --repair" in ran.error
    assert damaged.rpartition("/")[2][:12] in ran.error
    assert len(backed_up(housekeeping.platform)) == len(before) + 1


def test_without_a_key_a_backup_and_a_drill_fail_and_say_which_variable_is_missing(
    housekeeping: Housekeeping,
) -> None:
    platform = housekeeping.platform
    without = Platform(platform.settings.model_copy(update={"backup_key": None}), platform.records, platform.warehouse)
    for name in ("back_up_daily", "rehearse_restore"):
        ran = Housekeeping(without, housekeeping.instance).run(name)
        assert (ran.success, ran.shown["exit_code"]) == (False, 2)
        assert "DATA_PLATFORM_BACKUP_KEY" in ran.error


def test_a_drill_restores_the_newest_backup_and_its_dry_run_restores_nothing(housekeeping: Housekeeping) -> None:
    platform = housekeeping.platform
    made = housekeeping.run("back_up_daily")
    drills = platform.settings.home / "backups" / "drills"
    planned = housekeeping.run("rehearse_restore", dry_run=True)
    assert (planned.shown["set"], drills.exists()) == (made.shown["set"], False)
    assert 0 <= planned.shown["age_hours"] < 1
    done = housekeeping.run("rehearse_restore")
    assert done.success
    assert (done.shown["set"], done.shown["failures"]) == (made.shown["set"], 0)
    assert (done.shown["files"], done.shown["bytes"]) == (planned.shown["files"], planned.shown["bytes"])
    assert 0 < done.shown["recovery_time_hours"] < 1
    assert len(list(drills.iterdir())) == 1
    assert housekeeping.audited()[0][1] == "backup.drill"


def test_a_drill_of_a_damaged_backup_fails_and_names_what_is_wrong(housekeeping: Housekeeping) -> None:
    platform = housekeeping.platform
    housekeeping.run("back_up_daily")
    backup = open_backups(platform.settings).get(None)
    key = next(file.key for file in backup.files if file.key.startswith("blobs/"))
    found = backup.find(key)
    assert found is not None
    (stored,) = (platform.settings.home / "backups" / "objects").rglob(f"{found.sha256}.age")
    sound = stored.read_bytes()
    try:
        flip(stored, len(sound) - 1)
        ran = housekeeping.run("rehearse_restore")
    finally:
        stored.write_bytes(sound)
    assert not ran.success
    assert key in ran.error
    assert ran.shown["failures"] >= 1
    assert dt.timedelta(hours=ran.shown["recovery_point_hours"]) < dt.timedelta(hours=1)
