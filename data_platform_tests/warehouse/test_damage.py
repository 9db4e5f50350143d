"""Bit rot in a file, a manifest, a schema or a name: found on reading and by verification, and mended if possible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import SyncManifest, Warehouse, layout
from data_platform.warehouse.as_of import parse_as_of
from data_platform.warehouse.integrity import marks
from data_platform.warehouse.manifest_form import documents_of
from data_platform.warehouse.problems import Problem
from data_platform.warehouse.publish import Provenance, next_manifest
from data_platform.warehouse.repair import Repair, clear_healed_marks, repair
from data_platform.warehouse.retention.applying import apply_retention
from data_platform.warehouse.rollback import roll_back
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

    def fetch(self, key: str, target: Path, *, skip: int = 0) -> bool:
        if key not in self._files or skip:
            return False
        target.write_bytes(self._files[key])
        return True


pytestmark = pytest.mark.usefixtures("made")


def _problems(warehouse: Warehouse) -> list[Problem]:
    return [*verify_table(warehouse.store, "t").problems, *verify_names(warehouse.store).problems]


def _mend(warehouse: Warehouse, *copies: Elsewhere) -> list[Repair]:
    return list(repair(warehouse, _problems(warehouse), copies))


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


def test_a_file_that_was_written_to_is_hashed_again_whatever_its_time_says(
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


@pytest.mark.parametrize("key", [layout.snapshot("paper"), layout.pin("backtest")])
@pytest.mark.parametrize("how", [flip_a_bit, Path.unlink], ids=["changed", "gone"])
def test_a_lost_name_is_missed_keeps_its_version_and_comes_back_from_its_twin(
    warehouse: Warehouse, key: str, how: Callable[[Path], None]
) -> None:
    path = warehouse.store.path(key)
    before = path.read_bytes()
    how(path)
    with pytest.raises(ChecksumMismatchError, match=r"paper|backtest"):
        apply_retention(warehouse, now=LATER)
    assert [item.outcome for item in _mend(warehouse)] == ["mended"]
    assert path.read_bytes() == before
    assert _problems(warehouse) == []


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


def test_a_tag_whose_version_has_other_files_now_is_named(warehouse: Warehouse, made: list[SyncManifest]) -> None:
    forged = next_manifest(
        made[1],
        3,
        dataset="crsp",
        table="t",
        files=made[1].files,
        changed=("2024",),
        schema_version="1.0.0",
        provenance=Provenance("test", "f", None),
    )
    warehouse.store.replace(layout.version("t", 3), documents_of(forged)[0])
    (problem,) = verify_names(warehouse.store).problems
    assert (problem.kind, problem.versions, problem.pins) == ("other_files", (3,), ("backtest",))
    assert [item.outcome for item in repair(warehouse, [problem], ())] == ["unmendable"]


def test_a_newest_manifest_that_is_gone_is_missed_and_its_number_never_given_again(warehouse: Warehouse) -> None:
    warehouse.store.delete(layout.version("t", 3))
    gone = "The manifest of t version 3 is gone"
    for ask in (
        lambda: warehouse.reader("t").pin(),
        lambda: warehouse.reader("t").pin(3),
        lambda: warehouse.reader("t").pin(parse_as_of("2999-01-01")),
        lambda: publish(warehouse, "t", "2024"),
        lambda: warehouse.snapshots.create("later", {"t": 3}, created_by="ann"),
    ):
        with pytest.raises(ChecksumMismatchError, match=gone):
            ask()
    (problem,) = verify_table(warehouse.store, "t").problems
    assert (problem.kind, problem.versions, problem.pins) == ("version_gap", (3,), ("backtest",))
    (item,) = _mend(warehouse)
    assert (item.outcome, "data-platform rollback t" in item.message) == ("unmendable", True)
    with warehouse.lock("t").acquire() as lock:
        assert roll_back(warehouse.store, lock, "t").manifest_version == 4


def test_a_backup_still_mends_the_version_that_was_left_behind(warehouse: Warehouse) -> None:
    backup = Elsewhere(warehouse)
    flip_a_bit(warehouse.store.path(layout.version("t", 3)))
    with warehouse.lock("t").acquire() as lock:
        roll_back(warehouse.store, lock, "t")
    assert [item.outcome for item in _mend(warehouse, backup)] == ["mended"]
    assert _problems(warehouse) == []
    assert warehouse.reader("t").pin(3).scan().collect().height == 12


def test_what_was_put_right_meanwhile_is_left_alone(warehouse: Warehouse, made: list[SyncManifest]) -> None:
    path = blob_path(warehouse, made[2], "2024")
    other = Elsewhere(warehouse)
    flip_a_bit(path)
    stale = _problems(warehouse)
    publish(warehouse, "t", "2024", batch(2024, rows=9))
    before = path.stat()
    assert [item.message for item in repair(warehouse, stale, [other])] == ["it is sound again"]
    assert path.stat() == before


def test_a_copy_of_another_history_is_refused(warehouse: Warehouse, made: list[SyncManifest], tmp_path: Path) -> None:
    other = Warehouse(tmp_path / "other")
    for rows in (1, 2, 3):
        publish(other, "t", "2024", batch(2024, rows=rows))
    flip_a_bit(warehouse.store.path(layout.version("t", 3)))
    assert [item.outcome for item in _mend(warehouse, Elsewhere(other))] == ["unmendable"]
    assert made[2].row_count == 12


@pytest.mark.parametrize("key", [layout.snapshot("paper"), layout.schema("t", "1.0.0")])
def test_a_spoilt_copy_of_a_document_is_refused_and_an_older_one_taken(warehouse: Warehouse, key: str) -> None:
    class Generations(Elsewhere):
        def fetch(self, key: str, target: Path, *, skip: int = 0) -> bool:
            if skip == 0:
                target.write_bytes(b"{}")
                return True
            return super().fetch(key, target, skip=skip - 1)

    backup = Generations(warehouse)
    flip_a_bit(warehouse.store.path(key))
    assert [item.outcome for item in _mend(warehouse, backup)] == ["mended"]
    assert _problems(warehouse) == []


def test_a_locked_table_is_left_alone_and_the_others_are_mended(warehouse: Warehouse) -> None:
    publish(warehouse, "u", "2024")
    backup = Elsewhere(warehouse)
    for table in ("t", "u"):
        flip_a_bit(warehouse.store.path(layout.schema(table, "1.0.0")))
    problems = [*verify_table(warehouse.store, "t").problems, *verify_table(warehouse.store, "u").problems]
    with warehouse.lock("t").acquire():
        repairs = list(repair(warehouse, problems, [backup], wait_seconds=0.1))
    assert {item.problem.table: item.outcome for item in repairs} == {"t": "unmendable", "u": "mended"}


def test_a_superseded_file_that_goes_bad_is_put_together_from_later_ones(warehouse: Warehouse) -> None:
    before = publish_rows(warehouse, 1)
    publish_rows(warehouse, 2)
    report = apply_retention(warehouse)
    assert (report.files_dropped, report.files_secured) == (0, 1)  # the other table's file is smaller than any delta
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
