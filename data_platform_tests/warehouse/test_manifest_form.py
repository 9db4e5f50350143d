"""Manifests with very many files are kept in parts, of which a publish writes one."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import FileEntry, SyncManifest, Warehouse, layout
from data_platform.warehouse.manifest_form import SPLIT_ABOVE, bad_parts, documents_of, load_manifest
from data_platform.warehouse.publish import Provenance, next_manifest
from data_platform.warehouse.repair import repair
from data_platform.warehouse.verify import verify_table


def _entry(day: dt.date, content: str) -> FileEntry:
    return FileEntry(
        partition=day.isoformat(),
        sha256=hashlib.sha256(f"{day}{content}".encode()).hexdigest(),
        bytes=10,
        rows=3,
        min_date=day,
        max_date=day,
        source="test",
        source_fingerprint="f",
    )


def _manifest(base: SyncManifest | None, number: int, files: list[FileEntry]) -> SyncManifest:
    return next_manifest(
        base,
        number,
        dataset="taq",
        table="t",
        files=files,
        changed=(files[-1].partition,),
        schema_version="1.0.0",
        provenance=Provenance("test", "f", None),
    )


@pytest.fixture
def large(warehouse: Warehouse) -> SyncManifest:
    """A version of one file more than a single document holds."""
    days = [dt.date(2000, 1, 1) + dt.timedelta(days=index) for index in range(SPLIT_ABOVE + 1)]
    manifest = _manifest(None, 1, [_entry(day, "") for day in days])
    with warehouse.lock("t").acquire() as lock:
        return warehouse.manifests("t").publish(lock, 0, lambda _: manifest)


def _parts(warehouse: Warehouse) -> set[Path]:
    return set(warehouse.store.path("tables/t/parts").iterdir())


def test_a_large_manifest_comes_back_whole(warehouse: Warehouse, large: SyncManifest) -> None:
    assert load_manifest(warehouse.store, "t", 1) == large
    assert len(_parts(warehouse)) == len({entry.partition[:4] for entry in large.files}) == 14
    assert warehouse.store.path(layout.version("t", 1)).stat().st_size < 10_000


def test_a_small_manifest_is_one_document(large: SyncManifest) -> None:
    small = _manifest(None, 1, list(large.files[:SPLIT_ABOVE]))
    assert documents_of(small)[1] == {}


def test_publishing_one_partition_writes_one_part(warehouse: Warehouse, large: SyncManifest) -> None:
    before = _parts(warehouse)
    following = _manifest(large, 2, [*large.files[:-1], _entry(large.files[-1].max_date, "restated")])
    with warehouse.lock("t").acquire() as lock:
        warehouse.manifests("t").publish(lock, 1, lambda _: following)
    assert len(_parts(warehouse) - before) == 1
    assert load_manifest(warehouse.store, "t", 2) == following
    assert load_manifest(warehouse.store, "t", 1) == large


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_spoilt_part_is_found_and_mended_from_a_copy(warehouse: Warehouse, large: SyncManifest, how: str) -> None:
    part = sorted(_parts(warehouse))[3]
    data = part.read_bytes()
    part.unlink()
    if how == "changed":
        part.write_bytes(data.replace(b"test", b"tset", 1))
    with pytest.raises(ChecksumMismatchError, match="A part of manifest t version 1 is gone or damaged"):
        warehouse.manifests("t").load(1)
    (problem,) = verify_table(warehouse.store, "t").problems
    document = warehouse.store.get(layout.version("t", 1))
    assert [Path(key).name for key, _ in bad_parts(document, "t", warehouse.store.get, name="t")] == [part.name]

    class Elsewhere:
        def fetch(self, key: str, target: Path, *, skip: int = 0) -> bool:
            target.write_bytes(data if key.endswith(part.name) else document)
            return skip == 0

    assert [item.outcome for item in repair(warehouse, [problem], [Elsewhere()])] == ["mended"]
    assert warehouse.manifests("t").load(1) == large


def test_a_part_that_went_bad_is_written_anew_when_a_publish_names_it_again(
    warehouse: Warehouse, large: SyncManifest
) -> None:
    part = sorted(_parts(warehouse))[3]
    part.chmod(0o600)
    part.write_bytes(b"rotten")
    following = _manifest(large, 2, list(large.files))
    with warehouse.lock("t").acquire() as lock:
        warehouse.manifests("t").publish(lock, 1, lambda _: following)
    assert load_manifest(warehouse.store, "t", 2) == following
    assert load_manifest(warehouse.store, "t", 1) == large
