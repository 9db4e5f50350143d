"""What needs a person: it shows while its cause is there, and goes with it."""

from __future__ import annotations

import datetime as dt
import os
import time

import pytest

from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.conditions import Condition, conditions, lock_condition
from data_platform.warehouse.heartbeat import Heartbeat
from data_platform.warehouse.integrity import Fault, mark_damaged
from data_platform.warehouse.lock import LockState
from data_platform.warehouse.lock_token import new_token
from data_platform.warehouse.quarantine import QuarantineEntry, entry_id
from data_platform_tests.warehouse.frames import batch, publish

NOW = dt.datetime(2024, 7, 3, 12, tzinfo=dt.UTC)


def _found(warehouse: Warehouse) -> list[Condition]:
    return [condition for condition in conditions(warehouse, dt.datetime.now(dt.UTC)) if condition.kind != "disk"]


@pytest.mark.parametrize(
    ("held_for", "silent_for", "alive", "kind"),
    [
        (dt.timedelta(minutes=1), dt.timedelta(seconds=59), True, None),
        (dt.timedelta(hours=3, minutes=59), dt.timedelta(seconds=60), True, None),
        (dt.timedelta(hours=4, seconds=1), dt.timedelta(seconds=1), True, "lock_suspect"),
        (dt.timedelta(minutes=10), dt.timedelta(seconds=180), True, None),
        (dt.timedelta(minutes=10), dt.timedelta(seconds=181), True, "lock_silent"),
        (dt.timedelta(hours=9), dt.timedelta(hours=9), False, None),
    ],
)
def test_which_locks_are_odd(held_for: dt.timedelta, silent_for: dt.timedelta, alive: bool, kind: str | None) -> None:
    taken = NOW - held_for
    token = new_token(1).model_copy(update={"acquired_at": taken, "expires_at": taken + dt.timedelta(hours=4)})
    found = lock_condition(LockState(table="t", alive=alive, token=token, heartbeat_at=NOW - silent_for), NOW)
    assert (found.kind if found else None) == kind
    if found:
        assert f"data-platform lock release t {token.writer_id}" in found.hint


def test_a_torn_lock_file_is_nobodys_worry(warehouse: Warehouse) -> None:
    assert lock_condition(LockState(table="t", alive=True, token=None, heartbeat_at=NOW), NOW) is None
    assert _found(warehouse) == []


def test_an_old_lock_is_marked_and_never_broken(warehouse: Warehouse) -> None:
    with warehouse.lock("t").acquire() as held:
        os.utime(warehouse.lock("t").path, (0, 0))
        (condition,) = _found(warehouse)
        assert (condition.kind, condition.table) == ("lock_silent", "t")
        with held.guarded():
            pass
    assert _found(warehouse) == []


def test_a_heartbeat_renews_the_files_time_until_it_is_stopped(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "t.lock")  # noqa: PTH118 - a descriptor is what is tested
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    os.utime(path, (0, 0))
    heartbeat = Heartbeat(descriptor, every_seconds=0.02)
    deadline = time.monotonic() + 5
    while os.fstat(descriptor).st_mtime == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    heartbeat.stop()
    os.utime(path, (0, 0))
    time.sleep(0.1)
    assert os.fstat(descriptor).st_mtime == 0
    os.close(descriptor)


def test_quarantine_shows_for_each_table_while_something_is_there(warehouse: Warehouse) -> None:
    now = dt.datetime.now(dt.UTC)
    for days in (0, 3):
        made = now - dt.timedelta(days=days)
        entry = QuarantineEntry(
            entry_id=entry_id(made),
            dataset="crsp",
            table="t",
            partition="2024",
            created_at=made,
            findings=("row_count: too few",),
            source="demo",
            source_fingerprint="f",
            row_count=None,
            files=(),
        )
        warehouse.quarantine.add(entry, moved={}, written={})
    (condition,) = _found(warehouse)
    assert (condition.kind, condition.table) == ("quarantine", "t")
    assert "2 in quarantine, the oldest for 3 days" in condition.message
    for entry in warehouse.quarantine.entries():
        warehouse.quarantine.delete(entry)
    assert _found(warehouse) == []


def test_a_damaged_file_shows_until_the_latest_version_no_longer_needs_it(warehouse: Warehouse) -> None:
    manifest = publish(warehouse, "t", "2024")
    warehouse.store.delete(layout.blob(manifest.files[0].sha256))
    mark_damaged(warehouse.store, "t", manifest.files[0], Fault.GONE)
    (condition,) = _found(warehouse)
    assert (condition.kind, condition.severity, condition.table) == ("damaged", "error", "t")
    assert "data-platform sync t --partition 2024 --full" in condition.hint
    publish(warehouse, "t", "2024", batch(2024, rows=8))
    assert _found(warehouse) == []


@pytest.mark.parametrize("gone", [False, True])
def test_a_lost_latest_manifest_shows_until_it_is_mended(warehouse: Warehouse, gone: bool) -> None:
    publish(warehouse, "t", "2024")
    path = warehouse.store.path(layout.version("t", 1))
    before = path.read_bytes()
    path.unlink()
    if not gone:
        path.write_bytes(before[:-10])
    (condition,) = _found(warehouse)
    assert (condition.kind, condition.table) == ("damaged", "t")
    assert "data-platform verify t --repair" in condition.hint
    path.unlink(missing_ok=True)
    path.write_bytes(before)
    assert _found(warehouse) == []


def test_files_that_are_gone_show_once_for_each_table_until_they_are_back(warehouse: Warehouse) -> None:
    manifest = [publish(warehouse, "t", str(year)) for year in range(2018, 2025)][-1]
    publish(warehouse, "u", "2024", batch(2024, rows=5))
    paths = [warehouse.store.path(layout.blob(entry.sha256)) for entry in manifest.files]
    kept = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    (condition,) = _found(warehouse)
    assert (condition.kind, condition.severity, condition.table) == ("missing_file", "error", "t")
    assert condition.message.startswith("t: 7 files of the latest version are gone, of partitions 2018, ")
    assert condition.message.endswith(", 2022 and 2 more")
    for path, content in zip(paths, kept, strict=True):
        path.write_bytes(content)
    assert _found(warehouse) == []
