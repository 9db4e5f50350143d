"""A file that was put together again is right each time that it is handed out, whatever happened to it meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.deltas.rebuild import rebuild
from data_platform.warehouse.manifest import FileEntry
from data_platform.warehouse.retention.deciding import Expiring
from data_platform.warehouse.retention.securing import secure_delta
from data_platform.warehouse.trash import move_to_trash, new_run
from data_platform_tests.warehouse.changing import KEY, TABLE, age, expected, flip, publish_rows, written


def _expiring(entries: list[FileEntry]) -> Expiring:
    return Expiring(table=TABLE, entry=entries[0], later=tuple(entries[1:]))


def _two_states(warehouse: Warehouse) -> list[FileEntry]:
    return [publish_rows(warehouse, seed).files[0] for seed in (1, 2)]


def _other_rows(path: Path) -> None:
    pq.write_table(pq.read_table(path).slice(5), path)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _flipped(path: Path) -> None:
    flip(path, 300)


@pytest.mark.parametrize("source", ["delta", "trash"])
@pytest.mark.parametrize("change", [_other_rows, _emptied, _flipped])
def test_a_rebuilt_file_that_was_changed_is_put_together_again(
    warehouse: Warehouse, change: Callable[[Path], None], source: str
) -> None:
    entries = _two_states(warehouse)
    sha256 = entries[0].sha256
    if source == "delta":
        secure_delta(warehouse.store, _expiring(entries), KEY)
    move_to_trash(warehouse.store, sha256, new_run(dt.datetime.now(dt.UTC)))
    path = rebuild(warehouse.store, sha256)
    assert path is not None
    path.chmod(0o600)
    change(path)
    assert rebuild(warehouse.store, sha256) == path
    assert written(path) == expected(1)


def test_a_rebuilt_file_that_was_only_touched_stays_as_it_is(warehouse: Warehouse) -> None:
    entries = _two_states(warehouse)
    sha256 = entries[0].sha256
    secure_delta(warehouse.store, _expiring(entries), KEY)
    warehouse.store.delete(layout.blob(sha256))
    path = rebuild(warehouse.store, sha256)
    assert path is not None
    made = path.stat().st_ino
    age(path, 1_000)
    for spoilt in ("the delta is sound", "the delta is damaged"):
        assert rebuild(warehouse.store, sha256) == path, spoilt
        assert path.stat().st_ino == made, spoilt
        flip(warehouse.store.path(layout.delta(sha256)), 100)


def test_a_rebuilt_file_that_was_changed_and_cannot_be_made_again_is_not_handed_out(warehouse: Warehouse) -> None:
    entries = _two_states(warehouse)
    sha256 = entries[0].sha256
    secure_delta(warehouse.store, _expiring(entries), KEY)
    warehouse.store.delete(layout.blob(sha256))
    path = rebuild(warehouse.store, sha256)
    assert path is not None
    flip(path, 300)
    flip(warehouse.store.path(layout.delta(sha256)), 100)
    with pytest.raises(ChecksumMismatchError, match="damaged"):
        rebuild(warehouse.store, sha256)
    warehouse.store.delete(layout.delta(sha256))
    assert rebuild(warehouse.store, sha256) is None
