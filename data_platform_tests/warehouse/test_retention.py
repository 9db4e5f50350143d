"""Retention: which versions expire, and that nothing is lost when they do."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from data_platform.errors import ChecksumMismatchError, LockBusyError
from data_platform.warehouse import SyncManifest, Warehouse, layout
from data_platform.warehouse.deltas.content_hash import content_hash
from data_platform.warehouse.deltas.form import read_delta
from data_platform.warehouse.deltas.rebuild import delta_problem, links_from
from data_platform.warehouse.retention.applying import apply_retention, drop, plan_retention, prepare
from data_platform.warehouse.retention.deciding import expiring_files, judge_all, judge_versions
from data_platform.warehouse.retention.roots import read_roots
from data_platform.warehouse.trash import fetch_from_trash, trashed
from data_platform_tests.warehouse.changing import (
    COLUMNS,
    LATER,
    TABLE,
    everything,
    expected,
    flip,
    publish_rows,
    wordy_rows,
    written,
)
from data_platform_tests.warehouse.frames import batch, publish


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse")


def _hash(manifest: SyncManifest, partition: str = "2024") -> str:
    entry = manifest.file(partition)
    assert entry is not None
    return entry.sha256


def _publish_many(warehouse: Warehouse, seed: int, *, table: str = TABLE) -> SyncManifest:
    """So many rows that even a delta with all of them is smaller than the file."""
    return publish(warehouse, table, "2024", wordy_rows(seed), schema=COLUMNS)


def _many(seed: int) -> list[str]:
    return [repr(row) for row in wordy_rows(seed).to_pylist()]


def _stands(warehouse: Warehouse, sha256: str) -> bool:
    return warehouse.store.exists(layout.blob(sha256))


@pytest.mark.parametrize(
    ("published_days_ago", "names", "expiring"),
    [
        pytest.param([400], {}, [], id="the only version is the latest"),
        pytest.param([400, 10], {}, [], id="superseded ten days ago"),
        pytest.param([400, 89], {}, [], id="superseded 89 days ago"),
        pytest.param([400, 90], {}, [1], id="superseded 90 days ago"),
        pytest.param([400, 300, 200, 100, 5], {}, [1, 2, 3], id="the latest of every one of the 90 days stays"),
        pytest.param([400, 300, 200, 100], {2: ["snapshot thesis"]}, [1, 3], id="a tag keeps its version"),
        pytest.param([400, 300, 200], {1: ["pin bt-1"], 2: ["pin bt-1"]}, [], id="a pin keeps its versions"),
    ],
)
def test_a_version_expires_90_days_after_it_was_superseded_unless_it_has_a_name(
    warehouse: Warehouse, published_days_ago: list[int], names: dict[int, list[str]], expiring: list[int]
) -> None:
    history = [
        publish(warehouse, "t", "2024", batch(ret=float(days))).model_copy(
            update={"sync_timestamp": LATER - dt.timedelta(days=days)}
        )
        for days in published_days_ago
    ]
    verdicts = judge_versions(history, names, now=LATER)
    assert [verdict.version for verdict in verdicts if verdict.expires] == expiring
    assert verdicts[-1].reason == "the latest version"
    for number, (name, *_) in names.items():
        assert name in verdicts[number - 1].reason


def test_ten_dropped_versions_are_each_rebuilt_row_for_row(warehouse: Warehouse) -> None:
    manifests = [publish_rows(warehouse, seed) for seed in range(11)]
    hashes = [content_hash(warehouse.store.path(layout.blob(_hash(manifest)))) for manifest in manifests]
    report = apply_retention(warehouse, now=LATER)
    assert (report.versions_expired, report.files_dropped) == (10, 10)
    assert report.bytes_freed == sum(manifest.files[0].bytes for manifest in manifests[:-1])
    assert 0 < report.delta_bytes < report.bytes_freed / 2
    assert [_stands(warehouse, _hash(manifest)) for manifest in manifests] == [False] * 10 + [True]
    for seed, manifest in enumerate(manifests):
        (file,) = warehouse.reader(TABLE).pin(manifest.manifest_version).files
        assert written(file) == expected(seed)
        assert content_hash(file) == hashes[seed]
    assert len(list(warehouse.manifests(TABLE))) == 11
    assert apply_retention(warehouse, now=LATER).files_dropped == 0


def test_versions_dropped_one_by_one_over_time_are_all_rebuilt(warehouse: Warehouse) -> None:
    for seed in range(5):
        publish_rows(warehouse, seed)
        apply_retention(warehouse, now=LATER)
    for seed in range(5):
        (file,) = warehouse.reader(TABLE).pin(seed + 1).files
        assert written(file) == expected(seed)


def test_what_a_tag_or_a_pin_names_is_never_dropped(warehouse: Warehouse) -> None:
    manifests = [publish_rows(warehouse, seed) for seed in range(4)]
    warehouse.snapshots.create("thesis", {TABLE: 1}, created_by="test")
    warehouse.pins.create("bt-1", {TABLE: 2}, created_by="test")
    apply_retention(warehouse, now=LATER)
    assert [_stands(warehouse, _hash(manifest)) for manifest in manifests] == [True, True, False, True]
    warehouse.snapshots.drop("thesis")
    apply_retention(warehouse, now=LATER)
    assert not _stands(warehouse, _hash(manifests[0]))
    (file,) = warehouse.reader(TABLE).pin(1).files
    assert written(file) == expected(0)


def test_content_that_a_kept_version_of_any_table_needs_stays(warehouse: Warehouse) -> None:
    first = _publish_many(warehouse, 1)
    _publish_many(warehouse, 2)
    other = _publish_many(warehouse, 1, table="another")
    assert _hash(first) == _hash(other)
    assert apply_retention(warehouse, now=LATER).files_dropped == 0
    _publish_many(warehouse, 3, table="another")
    assert apply_retention(warehouse, now=LATER).files_dropped == 1
    for table in (TABLE, "another"):
        (file,) = warehouse.reader(table).pin(1).files
        assert written(file) == _many(1)


def test_only_the_partitions_that_changed_are_dropped(warehouse: Warehouse) -> None:
    unchanged = publish_rows(warehouse, 1, partition="2023")
    old = publish_rows(warehouse, 2)
    publish_rows(warehouse, 3)
    report = apply_retention(warehouse, now=LATER)
    assert [(file.partition, file.sha256) for file in report.files] == [("2024", _hash(old))]
    assert _stands(warehouse, _hash(unchanged, "2023"))


@pytest.mark.parametrize("seeds", [[1, 2, 1, 3], [1, 2, 1, 2, 1, 3], [1, 2, 3, 2, 1, 4], [1, 2, 1]])
def test_content_that_comes_back_never_makes_deltas_go_round(warehouse: Warehouse, seeds: list[int]) -> None:
    manifests = []
    for seed in seeds:
        manifests.append(_publish_many(warehouse, seed))
        apply_retention(warehouse, now=LATER)  # while content is still to come back
    apply_retention(warehouse, now=LATER)
    for seed, manifest in zip(seeds, manifests, strict=True):
        assert links_from(warehouse.store, _hash(manifest))
        (file,) = warehouse.reader(TABLE).pin(manifest.manifest_version).files
        assert written(file) == _many(seed)
    assert not any(_stands(warehouse, _hash(m)) for m in manifests if _hash(m) != _hash(manifests[-1]))


def test_a_table_that_the_catalog_does_not_know_is_kept_as_whole_copies(warehouse: Warehouse) -> None:
    old = _publish_many(warehouse, 1, table="unknown")
    _publish_many(warehouse, 2, table="unknown")
    apply_retention(warehouse, now=LATER)
    assert read_delta(warehouse.store.path(layout.delta(_hash(old))), _hash(old)).base_sha256 is None
    (file,) = warehouse.reader("unknown").pin(1).files
    assert written(file) == _many(1)


def test_a_file_for_which_a_delta_would_be_no_smaller_is_kept(warehouse: Warehouse) -> None:
    old = publish(warehouse, "t", "2024", batch())
    publish(warehouse, "t", "2024", batch(ret=0.5))
    (file,) = apply_retention(warehouse, now=LATER).files
    assert (file.sha256, file.outcome, file.reason) == (_hash(old), "kept", "a delta would be no smaller")
    assert _stands(warehouse, _hash(old))
    assert not warehouse.store.exists(layout.delta(_hash(old)))


def test_a_second_run_at_once_is_refused_and_one_after_a_dead_one_is_not(warehouse: Warehouse) -> None:
    publish_rows(warehouse, 1)
    publish_rows(warehouse, 2)
    held = "import sys; from pathlib import Path; from data_platform.warehouse import Warehouse\n"
    held += "lock = Warehouse(Path(sys.argv[1])).lock('retention').acquire(); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", held, str(warehouse.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockBusyError, match="retention is locked by") as caught:
            apply_retention(warehouse, now=LATER)
        assert caught.value.exit_code == 7
        assert not (warehouse.root / layout.DELTAS).exists()
        other.kill()
    assert apply_retention(warehouse, now=LATER).files_dropped == 1


def test_a_damaged_file_is_kept_and_reported_and_the_others_go(warehouse: Warehouse) -> None:
    manifests = [publish_rows(warehouse, seed) for seed in range(4)]
    flip(warehouse.store.path(layout.blob(_hash(manifests[1]))), 500)
    report = apply_retention(warehouse, now=LATER)
    assert [(file.outcome, "damaged" in file.reason) for file in report.files] == [
        ("dropped", False),
        ("kept", True),
        ("dropped", False),
    ]
    for number, seed in ((1, 0), (3, 2)):
        (file,) = warehouse.reader(TABLE).pin(number).files
        assert written(file) == expected(seed)


def test_a_damaged_delta_is_an_error_for_its_version_until_the_trash_is_emptied(warehouse: Warehouse) -> None:
    old = publish_rows(warehouse, 1)
    publish_rows(warehouse, 2)
    apply_retention(warehouse, now=LATER)
    flip(warehouse.store.path(layout.delta(_hash(old))), 200)
    assert delta_problem(warehouse.store, _hash(old)) is not None
    (file,) = warehouse.reader(TABLE).pin(1).files  # the trash still has it
    assert written(file) == expected(1)
    file.unlink()
    for item in trashed(warehouse.store):
        item.path.unlink()
    with pytest.raises(ChecksumMismatchError, match="damaged"):
        _ = warehouse.reader(TABLE).pin(1).files
    assert written(warehouse.reader(TABLE).pin().files[0]) == expected(2)


def test_a_dropped_file_can_be_put_back_from_the_trash(warehouse: Warehouse, tmp_path: Path) -> None:
    old = publish_rows(warehouse, 1)
    publish_rows(warehouse, 2)
    apply_retention(warehouse, now=LATER)
    assert fetch_from_trash(warehouse.store, _hash(old), warehouse.store.path(layout.blob(_hash(old))))
    assert _stands(warehouse, _hash(old))
    (item,) = trashed(warehouse.store)
    flip(item.path, 99)
    assert not fetch_from_trash(warehouse.store, _hash(old), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def _flip_manifest(warehouse: Warehouse) -> None:
    flip(warehouse.store.path(layout.version(TABLE, 2)), 50)


def _lose_manifest(number: int) -> Callable[[Warehouse], None]:
    return lambda warehouse: warehouse.store.path(layout.version(TABLE, number)).unlink()


def _flip_snapshot(warehouse: Warehouse) -> None:
    flip(warehouse.store.path(layout.snapshot("thesis")), 50)


def _flip_pin(warehouse: Warehouse) -> None:
    flip(warehouse.store.path(layout.pin("bt-1")), 50)


def _lose_table(warehouse: Warehouse) -> None:
    for path in warehouse.store.path(layout.versions(TABLE)).iterdir():
        path.unlink()


SPOILED = [
    pytest.param(_flip_manifest, "version 2", id="a damaged manifest"),
    pytest.param(_lose_manifest(1), "version 1 is gone", id="the first manifest gone"),
    pytest.param(_lose_manifest(2), "version 2 is gone", id="a manifest gone"),
    pytest.param(_lose_manifest(3), "version 3 is gone", id="the newest manifest gone"),
    pytest.param(_flip_snapshot, "thesis", id="a damaged snapshot"),
    pytest.param(_flip_pin, "bt-1", id="a damaged pin"),
    pytest.param(_lose_table, "gone", id="all manifests gone"),
]


@pytest.mark.parametrize(("spoil", "named"), SPOILED)
def test_nothing_is_dropped_beside_a_root_that_cannot_be_read(
    warehouse: Warehouse, spoil: Callable[[Warehouse], None], named: str
) -> None:
    for seed in range(3):
        publish_rows(warehouse, seed)
    publish(warehouse, "another")
    warehouse.snapshots.create("thesis", {"another": 1}, created_by="test")
    warehouse.pins.create("bt-1", {"another": 1}, created_by="test")
    spoil(warehouse)
    before = everything(warehouse.root / layout.BLOBS)
    with pytest.raises(ChecksumMismatchError, match=named) as caught:
        apply_retention(warehouse, now=LATER)
    assert caught.value.hint is not None
    assert everything(warehouse.root / layout.BLOBS) == before
    assert not (warehouse.root / layout.TRASH).exists()


def test_a_tag_whose_version_is_not_the_one_it_named_stops_everything(warehouse: Warehouse, tmp_path: Path) -> None:
    publish_rows(warehouse, 1)
    publish_rows(warehouse, 2)
    warehouse.snapshots.create("thesis", {TABLE: 1}, created_by="test")
    other = Warehouse(tmp_path / "other")
    publish_rows(other, 3)
    path = warehouse.store.path(layout.version(TABLE, 1))
    path.unlink()
    path.write_bytes(other.store.get(layout.version(TABLE, 1)))
    with pytest.raises(ChecksumMismatchError, match="thesis"):
        apply_retention(warehouse, now=LATER)


def test_an_empty_home_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(ChecksumMismatchError, match="not one version"):
        apply_retention(warehouse, now=LATER)


def test_a_dry_run_says_the_same_and_leaves_every_byte(warehouse: Warehouse) -> None:
    for seed in range(4):
        publish_rows(warehouse, seed)
    before = everything(warehouse.root)
    planned = plan_retention(warehouse, now=LATER)
    assert everything(warehouse.root) == before
    done = apply_retention(warehouse, now=LATER)
    assert planned.dry_run
    assert planned.verdicts == done.verdicts
    assert (planned.files_dropped, planned.bytes_freed) == (done.files_dropped, done.bytes_freed)
    assert [file.sha256 for file in planned.files] == [file.sha256 for file in done.files]


def test_a_run_that_died_between_delta_and_trash_is_continued(warehouse: Warehouse) -> None:
    manifests = [publish_rows(warehouse, seed) for seed in range(4)]
    roots = read_roots(warehouse)
    files = expiring_files(roots, judge_all(roots, now=LATER))
    assert set(prepare(warehouse, files).values()) == {""}
    deltas = everything(warehouse.root / layout.DELTAS)
    assert all(_stands(warehouse, _hash(manifest)) for manifest in manifests)
    # It died here; or with one file in the trash and the others not.
    half = {files[0].entry.sha256: ""}
    assert drop(warehouse, half, now=LATER, keep_days=90).files_dropped == 1
    assert written(warehouse.reader(TABLE).pin(1).files[0]) == expected(0)
    assert apply_retention(warehouse, now=LATER).files_dropped == 2
    assert everything(warehouse.root / layout.DELTAS) == deltas
    for seed in range(4):
        assert written(warehouse.reader(TABLE).pin(seed + 1).files[0]) == expected(seed)


def test_a_tag_made_while_deltas_are_written_is_honoured(warehouse: Warehouse) -> None:
    first = publish_rows(warehouse, 1)
    publish_rows(warehouse, 2)
    roots = read_roots(warehouse)
    problems = prepare(warehouse, expiring_files(roots, judge_all(roots, now=LATER)))
    warehouse.snapshots.create("in-time", {TABLE: 1}, created_by="test")
    assert drop(warehouse, problems, now=LATER, keep_days=90).files_dropped == 0
    assert _stands(warehouse, _hash(first))
