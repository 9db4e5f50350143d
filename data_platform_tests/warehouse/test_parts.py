"""Schema registry, quarantine and disk policy."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from data_platform.catalog.drift import compare
from data_platform.errors import ChecksumMismatchError, DiskSpaceError, SchemaError, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.disk import assess, require_room
from data_platform.warehouse.quarantine import Quarantine, QuarantineEntry, entry_id, expired
from data_platform.warehouse.schemas import SchemaRegistry
from data_platform.warehouse.store import LocalStore

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("new", "added", "removed", "changed", "breaking"),
    [
        ({"a": "int32", "b": "string"}, (), (), {}, False),
        ({"a": "int32", "b": "string", "c": "bool"}, ("c",), (), {}, False),
        ({"a": "int32"}, (), ("b",), {}, True),
        ({"a": "int64", "b": "string"}, (), (), {"a": ("int32", "int64")}, True),
    ],
)
def test_schema_drift(
    new: dict[str, str],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    changed: dict[str, tuple[str, str]],
    breaking: bool,
) -> None:
    drift = compare({"a": "int32", "b": "string"}, new)
    assert (drift.added, drift.removed, drift.changed, drift.is_breaking) == (added, removed, changed, breaking)
    assert drift.has_additions is bool(added)


def test_new_columns_bump_the_minor_version_and_retyped_ones_are_refused(tmp_path: Path) -> None:
    registry = SchemaRegistry(LocalStore(tmp_path), "crsp", "t")
    version = registry.register({"a": "int32"}, after=None, now=NOW)
    assert version == "1.0.0"
    assert registry.register({"a": "int32"}, after=version, now=NOW) == "1.0.0"
    for minor in range(1, 12):
        columns = {"a": "int32", **{f"c{i}": "bool" for i in range(minor)}}
        version = registry.register(columns, after=version, now=NOW)
        assert version == f"1.{minor}.0"
    with pytest.raises(SchemaError, match="a was int32 and is string"):
        registry.register({"a": "string"}, after=version, now=NOW)
    assert list(registry.load("1.11.0").columns) == ["a", *(f"c{i}" for i in range(11))]


def test_another_order_of_the_same_columns_is_a_patch(tmp_path: Path) -> None:
    registry = SchemaRegistry(LocalStore(tmp_path), "crsp", "t")
    first = registry.register({"a": "int32", "b": "bool"}, after=None, now=NOW)
    second = registry.register({"b": "bool", "a": "int32"}, after=first, now=NOW)
    assert (first, second, registry.versions()) == ("1.0.0", "1.0.1", ["1.0.0", "1.0.1"])


def test_a_schema_registered_by_a_writer_that_never_published_is_in_nobodys_way(tmp_path: Path) -> None:
    registry = SchemaRegistry(LocalStore(tmp_path), "crsp", "t")
    first = registry.register({"a": "int32"}, after=None, now=NOW)
    registry.register({"a": "int32", "abandoned": "bool"}, after=first, now=NOW)
    assert registry.register({"a": "int32"}, after=first, now=NOW) == first
    second = registry.register({"a": "int32", "b": "string"}, after=first, now=NOW)
    assert registry.load(second).columns == {"a": "int32", "b": "string"}


def test_a_damaged_schema_file_is_named(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    registry = SchemaRegistry(store, "crsp", "t")
    registry.register({"a": "int32"}, after=None, now=NOW)
    store.replace(layout.schema("t", "1.0.0"), b"{")
    with pytest.raises(ChecksumMismatchError, match=r"1\.0\.0 of t is damaged"):
        registry.register({"a": "int32"}, after="1.0.0", now=NOW)


def _entry(table: str = "t", now: dt.datetime = NOW, files: tuple[str, ...] = ()) -> QuarantineEntry:
    return QuarantineEntry(
        entry_id=entry_id(now),
        dataset="crsp",
        table=table,
        partition="2024",
        created_at=now,
        findings=("row_count: too few",),
        source="demo",
        source_fingerprint="f",
        row_count=3,
        files=files,
    )


def test_quarantine_keeps_files_with_their_reason(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine")
    moved = tmp_path / "2024.parquet"
    moved.write_bytes(b"rows")
    entry = _entry(files=("2024.parquet", "raw.zip"))
    folder = quarantine.add(entry, moved={"2024.parquet": moved}, written={"raw.zip": b"zip"})
    assert (folder / "2024.parquet").read_bytes() == b"rows"
    assert (folder / "raw.zip").read_bytes() == b"zip"
    assert not moved.exists()
    assert quarantine.entries() == [entry]
    assert quarantine.get(entry.entry_id) == entry


def test_quarantine_lists_newest_first_and_by_table(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    older, newer = _entry(), _entry("u", NOW + dt.timedelta(seconds=1))
    for entry in (older, newer):
        quarantine.add(entry, moved={}, written={})
    assert quarantine.entries() == [newer, older]
    assert quarantine.entries("t") == [older]


def test_a_failure_while_setting_aside_leaves_nothing(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    with pytest.raises(FileNotFoundError):
        quarantine.add(_entry(), moved={"gone.parquet": tmp_path / "gone.parquet"}, written={})
    assert list((tmp_path / "t").iterdir()) == []


def test_half_made_and_damaged_entries(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.add(_entry(), moved={}, written={})
    (tmp_path / "t" / ".tmp-dead").mkdir(parents=True)
    (tmp_path / "t" / ".tmp-dead" / "reason.json").write_text("{}")
    with pytest.raises(UsageError, match="No quarantine entry"):
        quarantine.get("nope")
    (tmp_path / "t" / "x").mkdir()
    (tmp_path / "t" / "x" / "reason.json").write_text("{}")
    assert quarantine.entries() == [_entry()]
    assert "Quarantine entry x of t cannot be read" in caplog.text


def test_entries_go_after_seven_days(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    old, young = _entry(now=NOW - dt.timedelta(days=7, seconds=1)), _entry(now=NOW - dt.timedelta(days=7))
    for entry in (old, young):
        quarantine.add(entry, moved={}, written={})
    assert expired(quarantine.entries(), NOW) == [old]
    quarantine.delete(old)
    assert quarantine.entries() == [young]
    (half_made := tmp_path / "t" / ".tmp-dead").mkdir()
    quarantine.sweep()
    assert half_made.exists()
    os.utime(half_made, (0, 0))
    quarantine.sweep()
    assert sorted(path.name for path in (tmp_path / "t").iterdir()) == [young.entry_id]


@pytest.mark.parametrize(
    ("used", "level"), [(0, "ok"), (79, "ok"), (80, "warning"), (89, "warning"), (90, "critical"), (100, "critical")]
)
def test_disk_levels(used: int, level: str) -> None:
    status = assess(free_bytes=100 - used, used_bytes=used)
    assert (status.level, status.used_pct) == (level, float(used))


@pytest.mark.parametrize(
    ("used", "expected", "refused"), [(94, 3, False), (94, 4, True), (95, 0, True), (50, 25, False), (50, 26, True)]
)
def test_disk_refuses_above_95_percent_or_without_twice_the_room(used: int, expected: int, refused: bool) -> None:
    status = assess(free_bytes=100 - used, used_bytes=used)
    if refused:
        with pytest.raises(DiskSpaceError):
            require_room(status, expected)
    else:
        require_room(status, expected)
