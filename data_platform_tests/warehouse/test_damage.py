"""Bit rot in a file, a manifest, a schema or a name: found on reading and by verification, and mended if possible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import SyncManifest, Warehouse, layout
from data_platform.warehouse.integrity import marks
from data_platform.warehouse.problems import Problem
from data_platform.warehouse.repair import Repair, clear_healed_marks, repair
from data_platform.warehouse.retaining import apply_retention
from data_platform.warehouse.trash import move_to_trash, new_run
from data_platform.warehouse.verify import verify_names, verify_table
from data_platform_tests.warehouse.changing import LATER, TABLE, publish_rows, written
from data_platform_tests.warehouse.damage import blob_path, flip_a_bit
from data_platform_tests.warehouse.frames import batch, publish


@pytest.fixture
def made(warehouse: Warehouse) -> list[SyncManifest]:
    """Version 1: 2023. Version 2: 2023 and 2024. Version 3: 2024 replaced. A tag on 2, a pin on 3."""
    versions = [publish(warehouse, "t", "2023"), publish(warehouse, "t", "2024")]
    versions.append(publish(warehouse, "t", "2024", batch(2024, rows=9)))
    warehouse.snapshots.create("paper", {"t": 2}, created_by="ann")
    warehouse.pins.create("backtest", {"t": 3}, created_by="ann")
    return versions


class Elsewhere:
    """A copy of everything, as a backup has it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._files = {
            str(path.relative_to(warehouse.root)): path.read_bytes()
            for path in warehouse.root.rglob("*")
            if path.is_file()
        }

    def fetch(self, key: str, target: Path) -> bool:
        if key not in self._files:
            return False
        target.write_bytes(self._files[key])
        return True


pytestmark = pytest.mark.usefixtures("made")


def _problems(warehouse: Warehouse) -> list[Problem]:
    return [*verify_table(warehouse.store, "t").problems, *verify_names(warehouse.store).problems]


def _mend(warehouse: Warehouse, *copies: Elsewhere) -> list[Repair]:
    return repair(warehouse, _problems(warehouse), copies)


@pytest.mark.parametrize("was_read_before", [False, True])
def test_a_damaged_partition_stops_only_its_own_reading(
    warehouse: Warehouse, made: list[SyncManifest], was_read_before: bool
) -> None:
    pinned = warehouse.reader("t").pin()
    if was_read_before:
        pinned.scan().collect()
    flip_a_bit(blob_path(warehouse, made[2], "2023"))
    with pytest.raises(ChecksumMismatchError, match="partition 2023: the stored file is damaged; other partitions"):
        pinned.scan()
    assert pinned.scan(partitions=frozenset({"2024"})).collect().height == 9


def test_a_damaged_file_is_found_on_reading_even_if_its_times_did_not_change(
    warehouse: Warehouse, made: list[SyncManifest]
) -> None:
    warehouse.reader("t").pin().scan().collect()
    flip_a_bit(blob_path(warehouse, made[2], "2024"), keep_times=True)
    with pytest.raises(ChecksumMismatchError, match="partition 2024"):
        warehouse.reader("t").pin().scan()


def test_verification_names_every_version_tag_and_pin_that_depends_on_a_file(
    warehouse: Warehouse, made: list[SyncManifest]
) -> None:
    flip_a_bit(blob_path(warehouse, made[0], "2023"))
    blob_path(warehouse, made[1], "2024").unlink()
    found = {problem.partition: problem for problem in _problems(warehouse)}
    both, old = found["2023"], found["2024"]
    assert (both.kind, both.versions, both.tags, both.pins) == ("changed_file", (1, 2, 3), ("paper",), ("backtest",))
    assert (old.kind, old.versions, old.tags, old.pins) == ("missing_file", (2,), ("paper",), ())
    assert len(found) == 2


def test_a_damaged_manifest_stops_only_its_version(warehouse: Warehouse) -> None:
    flip_a_bit(warehouse.store.path(layout.version("t", 2)))
    (problem,) = _problems(warehouse)
    assert (problem.kind, problem.versions, problem.tags) == ("manifest", (2,), ("paper",))
    with pytest.raises(ChecksumMismatchError):
        warehouse.reader("t").pin(2)
    assert [warehouse.reader("t").pin(number).scan().collect().height for number in (1, 3)] == [3, 12]
    assert publish(warehouse, "t", "2024", batch(2024, rows=5)).manifest_version == 4


@pytest.mark.parametrize(
    "key",
    [
        lambda made: layout.blob(made[1].files[1].sha256),
        lambda _: layout.version("t", 1),
        lambda _: layout.version("t", 3),
        lambda _: layout.schema("t", "1.0.0"),
        lambda _: layout.snapshot("paper"),
        lambda _: layout.pin("backtest"),
    ],
    ids=["file", "manifest", "latest manifest", "schema", "tag", "pin"],
)
@pytest.mark.parametrize("how", [flip_a_bit, Path.unlink], ids=["changed", "gone"])
def test_a_backup_mends_everything(
    warehouse: Warehouse,
    made: list[SyncManifest],
    key: Callable[[list[SyncManifest]], str],
    how: Callable[[Path], None],
) -> None:
    backup = Elsewhere(warehouse)
    path = warehouse.store.path(key(made))
    before = path.read_bytes()
    how(path)
    if how is Path.unlink and path.parent.name in {"snapshots", "pins"}:
        assert _problems(warehouse) == []  # a name that is gone was dropped
        return
    assert [item.outcome for item in _mend(warehouse, backup)] == ["mended"]
    assert path.read_bytes() == before
    assert _problems(warehouse) == []


def test_a_manifest_that_was_replaced_is_kept_for_whoever_wants_to_look(warehouse: Warehouse) -> None:
    backup = Elsewhere(warehouse)
    path = warehouse.store.path(layout.version("t", 2))
    flip_a_bit(path)
    damaged = path.read_bytes()
    _mend(warehouse, backup)
    (entry,) = warehouse.quarantine.entries("t")
    assert (warehouse.quarantine.folder(entry) / "00000002.json").read_bytes() == damaged


def test_a_backup_that_is_itself_spoilt_mends_nothing(warehouse: Warehouse, made: list[SyncManifest]) -> None:
    path = blob_path(warehouse, made[2], "2024")
    flip_a_bit(path)
    spoilt = Elsewhere(warehouse)
    assert [item.outcome for item in _mend(warehouse, spoilt)] == ["marked"]


def test_without_a_copy_the_partition_is_marked_and_a_sync_mends_it(
    warehouse: Warehouse, made: list[SyncManifest]
) -> None:
    flip_a_bit(blob_path(warehouse, made[2], "2024"))
    (item,) = _mend(warehouse)
    assert item.outcome == "marked"
    assert "data-platform sync t --partition 2024 --full" in item.message
    assert [mark["partition"] for mark in marks(warehouse.store)] == ["2024"]
    with pytest.raises(ChecksumMismatchError, match="could not be mended") as raised:
        warehouse.reader("t").pin().scan()
    assert "sync t --partition 2024 --full" in str(raised.value)
    assert warehouse.reader("t").pin().scan(partitions=frozenset({"2023"})).collect().height == 3
    publish(warehouse, "t", "2024", batch(2024, rows=9))
    assert marks(warehouse.store) == []
    assert warehouse.reader("t").pin(3).scan().collect().height == 12


def test_a_mark_goes_when_the_file_is_sound_again(warehouse: Warehouse, made: list[SyncManifest]) -> None:
    path = blob_path(warehouse, made[2], "2024")
    before = path.read_bytes()
    flip_a_bit(path)
    _mend(warehouse)
    path.chmod(0o600)
    path.write_bytes(before)
    clear_healed_marks(warehouse.store, "t")
    assert marks(warehouse.store) == []


def test_a_lost_schema_is_read_again_from_the_files(warehouse: Warehouse) -> None:
    path = warehouse.store.path(layout.schema("t", "1.0.0"))
    flip_a_bit(path)
    with pytest.raises(ChecksumMismatchError, match=r"schema file 1\.0\.0 of t is damaged"):
        publish(warehouse, "t", "2025")
    assert warehouse.reader("t").pin().scan().collect().height == 12
    assert [item.outcome for item in _mend(warehouse)] == ["mended"]
    assert publish(warehouse, "t", "2025").schema_version == "1.0.0"


def test_a_lost_latest_manifest_offers_the_way_back(warehouse: Warehouse) -> None:
    flip_a_bit(warehouse.store.path(layout.version("t", 3)))
    (item,) = _mend(warehouse)
    assert (item.outcome, "data-platform rollback t" in item.message) == ("unmendable", True)


def test_a_tag_whose_manifest_is_another_one_now_is_named(warehouse: Warehouse) -> None:
    warehouse.store.delete(layout.version("t", 3))
    publish(warehouse, "t", "2024", batch(2024, rows=1))
    (problem,) = verify_names(warehouse.store).problems
    assert (problem.kind, problem.versions, problem.pins) == ("other_files", (3,), ("backtest",))
    assert "has other files than it had" in problem.message


def test_a_superseded_file_that_goes_bad_is_put_together_from_later_ones(warehouse: Warehouse) -> None:
    before = publish_rows(warehouse, 1)
    publish_rows(warehouse, 2)
    report = apply_retention(warehouse)
    assert (report.files_dropped, report.files_secured) == (0, 2)  # of this table and of the other
    path = blob_path(warehouse, before, "2024")
    expected = written(path)
    flip_a_bit(path)
    pinned = warehouse.reader(TABLE).pin(1)
    assert written(pinned.files[0]) == expected
    (problem,) = verify_table(warehouse.store, TABLE).problems
    assert (problem.kind, problem.versions) == ("changed_file", (1,))
    assert "put together from later files" in problem.message
    assert [item.outcome for item in repair(warehouse, [problem], ())] == ["mended"]
    assert verify_table(warehouse.store, TABLE).problems == ()
    assert written(warehouse.reader(TABLE).pin(1).files[0]) == expected


def test_what_lies_in_the_trash_mends_a_file(warehouse: Warehouse, made: list[SyncManifest]) -> None:
    path = blob_path(warehouse, made[1], "2024")
    before = path.read_bytes()
    apply_retention(warehouse, now=LATER)  # the tag keeps it
    move_to_trash(warehouse.store, path.stem, new_run(LATER))
    warehouse.store.delete(layout.delta(path.stem))
    (problem,) = verify_table(warehouse.store, "t").problems
    assert [item.outcome for item in repair(warehouse, [problem], ())] == ["mended"]
    assert path.read_bytes() == before
