"""Garbage collection: it takes what nothing needs, after its time, and nothing else."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.deltas.form import read_delta
from data_platform.warehouse.deltas.rebuild import delta_problem
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.retention.applying import apply_retention
from data_platform.warehouse.retention.deciding import Expiring
from data_platform.warehouse.retention.securing import secure_delta
from data_platform.warehouse.retention.sweep import plan_sweep, sweep
from data_platform.warehouse.trash import trashed
from data_platform.warehouse.verify import verify_table
from data_platform_tests.warehouse.changing import (
    COLUMNS,
    KEY,
    LATER,
    TABLE,
    age,
    everything,
    expected,
    flip,
    publish_rows,
    rows,
    written,
)
from data_platform_tests.warehouse.frames import batch, publish, staged
from data_platform_tests.warehouse.test_retention import SPOILED

HOUR, DAY = 3600, 86_400
PAST_A_WEEK = dt.timedelta(days=8)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse with three versions of one table, of which the first two have expired at `LATER`."""
    warehouse = Warehouse(tmp_path / "warehouse")
    for seed in range(3):
        publish_rows(warehouse, seed)
    return warehouse


def _orphan(warehouse: Warehouse, seconds: float) -> str:
    """A file as a publisher leaves it that dies between placing it and naming it in a manifest."""
    file = staged(warehouse.staging_root / "dead", rows(77), schema=rows(77).schema)
    warehouse.store.adopt_if_absent(layout.blob(file.sha256), file.path)
    age(warehouse.store.path(layout.blob(file.sha256)), seconds)
    return file.sha256


def _unfinished(warehouse: Warehouse, seconds: float) -> str:
    path = warehouse.root / layout.versions(TABLE) / ".tmp-0123"
    path.write_bytes(b"half")
    age(path, seconds)
    return str(path.relative_to(warehouse.root))


def _rebuilt(warehouse: Warehouse, seconds: float) -> str:
    apply_retention(warehouse, now=LATER)
    (file,) = warehouse.reader(TABLE).pin(1).files
    age(file, seconds)
    age(warehouse.store.path(layout.rebuilt_note(file.stem)), seconds)
    return file.stem


@pytest.mark.parametrize(
    ("leave", "kind", "kept_for"),
    [
        (_orphan, "unnamed file", HOUR),
        (_unfinished, "unfinished file", HOUR),
        (_rebuilt, "rebuilt file", 7 * DAY),
    ],
)
def test_what_nothing_needs_goes_after_its_time(
    warehouse: Warehouse, leave: Callable[[Warehouse, float], str], kind: str, kept_for: float
) -> None:
    name = leave(warehouse, kept_for + 60)
    (found,) = sweep(warehouse).garbage
    assert (found.kind, found.name, found.kept) == (kind, name, "")
    assert sweep(warehouse).garbage == ()
    for seed in range(3):
        assert written(warehouse.reader(TABLE).pin(seed + 1).files[0]) == expected(seed)


@pytest.mark.parametrize(
    ("leave", "kept_for"), [(_orphan, HOUR), (_unfinished, HOUR), (_rebuilt, 7 * DAY)], ids=["orphan", "tmp", "rebuilt"]
)
def test_what_is_recent_stays(warehouse: Warehouse, leave: Callable[[Warehouse, float], str], kept_for: float) -> None:
    leave(warehouse, kept_for - 60)
    before = everything(warehouse.root)
    assert sweep(warehouse).garbage == ()
    after = everything(warehouse.root)
    assert {name: state for name, state in after.items() if not name.startswith("locks")} == {
        name: state for name, state in before.items() if not name.startswith("locks")
    }


def test_reading_a_rebuilt_file_keeps_it_for_another_week(warehouse: Warehouse) -> None:
    _rebuilt(warehouse, 8 * DAY)
    assert written(warehouse.reader(TABLE).pin(1).files[0]) == expected(0)
    assert sweep(warehouse).garbage == ()


def test_a_note_on_a_rebuilt_file_that_is_gone_goes_too(warehouse: Warehouse) -> None:
    name = _rebuilt(warehouse, 0)
    warehouse.store.delete(layout.rebuilt(name))
    (found,) = sweep(warehouse).garbage
    assert (found.kind, found.name) == ("stale note", name)
    assert sweep(warehouse).garbage == ()


def test_an_unnamed_file_goes_to_the_trash_and_from_there_after_a_week(warehouse: Warehouse) -> None:
    sha256 = _orphan(warehouse, 2 * HOUR)
    report = sweep(warehouse)
    assert (report.files_removed, report.bytes_freed) == (1, 0)
    (item,) = trashed(warehouse.store)
    assert item.sha256 == sha256
    assert sweep(warehouse).garbage == ()
    report = sweep(warehouse, now=LATER)
    assert [found.kind for found in report.garbage] == ["trashed file"]
    assert report.bytes_freed > 0
    assert list((warehouse.root / layout.TRASH).iterdir()) == []


def test_expired_files_are_left_to_retention(warehouse: Warehouse) -> None:
    before = everything(warehouse.root / layout.BLOBS)
    assert sweep(warehouse, now=LATER).garbage == ()
    assert everything(warehouse.root / layout.BLOBS) == before


def test_what_retention_dropped_leaves_the_trash_and_is_still_rebuilt(warehouse: Warehouse) -> None:
    apply_retention(warehouse, now=LATER)
    report = sweep(warehouse, now=LATER + PAST_A_WEEK)
    assert [found.kind for found in report.garbage] == ["trashed file"] * 2
    assert list(trashed(warehouse.store)) == []
    for seed in range(3):
        assert written(warehouse.reader(TABLE).pin(seed + 1).files[0]) == expected(seed)


@pytest.mark.parametrize("harm", ["delta damaged", "delta gone", "base damaged"])
def test_a_trashed_file_stays_while_its_rows_cannot_be_put_together(warehouse: Warehouse, harm: str) -> None:
    sha256 = warehouse.manifests(TABLE).load(2).files[0].sha256
    base = warehouse.manifests(TABLE).load(3).files[0].sha256
    apply_retention(warehouse, now=LATER)
    if harm == "delta gone":
        warehouse.store.delete(layout.delta(sha256))
    else:
        flip(warehouse.store.path(layout.delta(sha256) if harm == "delta damaged" else layout.blob(base)), 200)
    kept = {found.name: found.kept for found in sweep(warehouse, now=LATER + PAST_A_WEEK).garbage}
    assert kept[sha256] != ""
    assert sha256 in {item.sha256 for item in trashed(warehouse.store)}
    assert written(warehouse.reader(TABLE).pin(2).files[0]) == expected(1)


@pytest.mark.parametrize(("spoil", "named"), SPOILED)
def test_nothing_is_removed_beside_a_root_that_cannot_be_read(
    warehouse: Warehouse, spoil: Callable[[Warehouse], None], named: str
) -> None:
    publish(warehouse, "another")
    warehouse.snapshots.create("thesis", {"another": 1}, created_by="test")
    warehouse.pins.create("bt-1", {"another": 1}, created_by="test")
    _orphan(warehouse, 2 * HOUR)
    spoil(warehouse)
    before = everything(warehouse.root / layout.BLOBS)
    for run in (sweep, plan_sweep):
        with pytest.raises(ChecksumMismatchError, match=named):
            run(warehouse)
    assert everything(warehouse.root / layout.BLOBS) == before


def test_an_empty_home_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatchError, match="not one version"):
        sweep(Warehouse(tmp_path / "nothing"))


def test_a_dry_run_says_the_same_and_leaves_every_byte(warehouse: Warehouse) -> None:
    apply_retention(warehouse, now=LATER)
    _orphan(warehouse, 2 * HOUR)
    _unfinished(warehouse, 2 * HOUR)
    before = everything(warehouse.root)
    planned = plan_sweep(warehouse, now=LATER + PAST_A_WEEK)
    assert everything(warehouse.root) == before
    done = sweep(warehouse, now=LATER + PAST_A_WEEK)
    assert planned.dry_run
    assert planned.garbage == done.garbage
    assert len(done.garbage) == 4


def test_a_dry_run_leaves_every_byte_where_the_declared_key_changed_between_two_deltas(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "keys")
    entries = [publish(warehouse, TABLE, "2024", rows(seed, 1, 1_000), schema=COLUMNS).files[0] for seed in range(3)]
    # The rows of one security are in the order of either key.
    for number, key in enumerate((KEY, KEY[::-1])):
        expiring = Expiring(table=TABLE, entry=entries[number], later=tuple(entries[number + 1 :]))
        assert secure_delta(warehouse.store, expiring, key) == ""
        delta = read_delta(warehouse.store.path(layout.delta(expiring.entry.sha256)), expiring.entry.sha256)
        assert (delta.base_sha256, delta.key) == (entries[number + 1].sha256, key)
    apply_retention(warehouse, now=LATER)
    before = everything(warehouse.root)
    assert len(plan_sweep(warehouse, now=LATER + PAST_A_WEEK).garbage) == 2
    assert delta_problem(warehouse.store, entries[0].sha256) is None
    assert everything(warehouse.root) == before
    (file,) = warehouse.reader(TABLE).pin(1).files
    assert written(file) == [repr(row) for row in rows(0, 1, 1_000).to_pylist()]


def test_what_does_not_look_like_ours_is_left_alone(warehouse: Warehouse) -> None:
    strangers = [
        warehouse.root / layout.BLOBS / "ab" / "notes.txt",
        warehouse.root / layout.BLOBS / "ab" / f"{'c' * 64}.parquet",  # not where its hash says
        warehouse.root / layout.TRASH / "mine" / f"{'d' * 64}.parquet",
    ]
    for path in strangers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        age(path, 100 * DAY)
    assert sweep(warehouse, now=LATER).garbage == ()
    assert all(path.exists() for path in strangers)


PUBLISHER = """
import sys
from pathlib import Path
from data_platform.warehouse import Warehouse
from data_platform_tests.warehouse.frames import batch, publish

warehouse = Warehouse(Path(sys.argv[1]))
for turn in range(25):
    # Two contents in turn: each publish finds a file in place that no version needs any more but the history.
    publish(warehouse, "busy", "2024", batch(ret=float(turn % 2)))
    print(turn, flush=True)
"""


def test_a_version_published_while_the_versions_are_counted_is_not_missed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(warehouse, "busy", "2024", batch(ret=1.0))
    listed = Manifests.numbers

    def and_then_published(manifests: Manifests) -> list[int]:
        numbers = listed(manifests)
        with monkeypatch.context() as undisturbed:
            undisturbed.setattr(Manifests, "numbers", listed)
            publish(warehouse, "busy", "2024", batch(ret=float(len(numbers) + 1)))
        return numbers

    monkeypatch.setattr(Manifests, "numbers", and_then_published)
    assert warehouse.manifests("busy").missing_numbers() == []
    assert verify_table(warehouse.store, "busy").problems == ()


def test_sweeping_and_retention_beside_a_publisher_lose_nothing(warehouse: Warehouse) -> None:
    publish(warehouse, "busy", "2024", batch(ret=9.0))
    publisher = subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, str(warehouse.root)], env=os.environ, stdout=subprocess.PIPE, text=True
    )
    runs = 0
    deadline = time.monotonic() + 30
    while publisher.poll() is None and time.monotonic() < deadline:
        apply_retention(warehouse, now=LATER)
        sweep(warehouse, now=LATER + PAST_A_WEEK)
        runs += 1
    assert publisher.wait(timeout=30) == 0
    assert runs > 2
    assert warehouse.manifests("busy").latest_number() == 26
    for number in range(1, 27):
        value = 9.0 if number == 1 else float(number % 2)
        pinned = warehouse.reader("busy").pin(number)
        assert pinned.scan().collect().get_column("ret").to_list() == [value] * 3
    assert verify_table(warehouse.store, "busy").problems == ()
