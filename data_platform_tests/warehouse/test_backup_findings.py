"""What a backup finds spoilt or gone in the warehouse: it is named, and the sound copy of an earlier backup is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.retention.applying import apply_retention
from data_platform_tests.warehouse.backups import backups_at, facts, filled, new_key, place, run
from data_platform_tests.warehouse.changing import LATER, TABLE, flip, publish_rows
from data_platform_tests.warehouse.test_backup_run import restored


def test_a_blob_that_is_gone_is_found_and_kept_unless_its_delta_replaces_it(tmp_path: Path) -> None:
    warehouse = _with_history(tmp_path)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    run(backups, warehouse)
    sha256 = warehouse.manifests(TABLE).load(1).files[0].sha256
    content = warehouse.store.get(layout.blob(sha256))
    warehouse.store.delete(layout.blob(sha256))
    assert [finding.key for finding in run(backups, warehouse).findings] == [layout.blob(sha256)]
    assert backups.get(None).find(layout.blob(sha256)) is not None
    warehouse.store.put_if_absent(layout.blob(sha256), content)
    apply_retention(warehouse, now=LATER)
    assert not warehouse.store.exists(layout.blob(sha256))
    assert run(backups, warehouse).findings == ()
    assert backups.get(None).find(layout.blob(sha256)) is None
    assert backups.get(None).find(layout.delta(sha256)) is not None
    assert backups.fetch(layout.blob(sha256), tmp_path / "older")


def _with_history(home: Path) -> Warehouse:
    """Three versions of a table, of which the first two have expired at `LATER`."""
    warehouse = Warehouse(home / "warehouse")
    for seed in range(3):
        publish_rows(warehouse, seed)
    return warehouse


@pytest.mark.parametrize("harm", ["its rows", "what it says of itself", "gone"])
def test_a_delta_that_goes_bad_is_found_and_stays_in_the_set_as_it_was(harm: str, tmp_path: Path) -> None:
    warehouse = _with_history(tmp_path)
    apply_retention(warehouse, now=LATER)
    sound = facts(warehouse)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    assert run(backups, warehouse).findings == ()
    key = layout.delta(warehouse.manifests(TABLE).load(1).files[0].sha256)
    if harm == "gone":
        warehouse.store.delete(key)
    else:
        flip(warehouse.store.path(key), 60 if harm == "its rows" else len(sound[key]) - 100)
    for _ in range(2):
        assert [finding.key for finding in run(backups, warehouse).findings] == [key]
        assert backups.get(None).missing == ()
    assert facts(restored(backups, tmp_path / "new")) == sound


def test_a_file_whose_delta_is_damaged_as_it_is_dropped_stays_in_the_set(tmp_path: Path) -> None:
    warehouse = _with_history(tmp_path)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    run(backups, warehouse)
    apply_retention(warehouse, now=LATER)
    sha256 = warehouse.manifests(TABLE).load(1).files[0].sha256
    flip(warehouse.store.path(layout.delta(sha256)), 60)
    found = {finding.key for finding in run(backups, warehouse).findings}
    assert found == {layout.delta(sha256), layout.blob(sha256)}
    assert backups.get(None).find(layout.blob(sha256)) is not None
    assert backups.get(None).missing == (layout.delta(sha256),)


def test_a_newest_manifest_that_is_gone_is_found_by_a_first_backup_too(tmp_path: Path) -> None:
    warehouse = _with_history(tmp_path)
    key = layout.version(TABLE, 3)
    warehouse.store.delete(key)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    assert [finding.key for finding in run(backups, warehouse).findings] == [key]
    assert backups.get(None).missing == (key,)


def test_a_newest_manifest_that_only_the_last_set_knows_is_found_and_kept(tmp_path: Path) -> None:
    warehouse = _with_history(tmp_path)
    sound = facts(warehouse)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    run(backups, warehouse)
    for key in (layout.version(TABLE, 3), layout.latest_hint(TABLE)):
        warehouse.store.delete(key)
    assert layout.version(TABLE, 3) in {finding.key for finding in run(backups, warehouse).findings}
    assert facts(restored(backups, tmp_path / "new")) == sound


@pytest.mark.parametrize("protocol", ["file", "memory"])
def test_fetch_gives_each_of_the_different_copies_newest_first(protocol: str, tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    backups = backups_at(place(protocol, tmp_path), tmp_path, new_key())
    key = layout.snapshot("paper")
    contents: list[bytes] = []
    for number in (1, 2, 3):
        warehouse.snapshots.drop("paper")
        warehouse.snapshots.create("paper", {"t": number}, created_by="tests")
        contents.append(warehouse.store.get(key))
        for _ in range(2):
            run(backups, warehouse)
    for skip, content in enumerate(reversed(contents)):
        assert backups.fetch(key, tmp_path / "got", skip=skip)
        assert (tmp_path / "got").read_bytes() == content
    assert not backups.fetch(key, tmp_path / "none", skip=3)
    assert not (tmp_path / "none").exists()
