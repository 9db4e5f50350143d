"""Which files of a warehouse belong into a backup, and which of them can't be vouched for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.deltas.form import read_delta, read_rows
from data_platform.warehouse.integrity import hash_file
from data_platform.warehouse.manifest import SyncManifest
from data_platform.warehouse.schemas import SchemaRegistry
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.version_sets import VersionSets
from data_platform.warehouse.warehouse import Warehouse

_GONE: Final = "is gone"

NOTHING_BEFORE: Final[Mapping[str, str]] = MappingProxyType({})


class Finding(BaseModel):
    """A file that is not fit to be backed up, and why."""

    model_config = ConfigDict(frozen=True)

    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file to keep under `key`, with the hash that it has or, for a blob, must have."""

    key: str
    path: Path
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What to back up, and what could not be read as what it should be."""

    candidates: tuple[Candidate, ...]
    findings: tuple[Finding, ...]


def candidate(key: str, path: Path) -> Candidate:
    """A file under the hash of the content that it has now."""
    return Candidate(key, path, hash_file(path), path.stat().st_size)


def select(warehouse: Warehouse, before: Mapping[str, str] = NOTHING_BEFORE) -> Selection:
    """Find every fact the warehouse holds: manifests, schemas, named versions, deltas, marks, and published files.

    `before` gives for each key of the last set the hash of its content then: what was sound and is the same needs no
    second look, and what was there should not have vanished.

    Names come first, then manifests, then the files that these name, so whatever is published or tagged meanwhile is
    in whole or not at all.
    Hold the sweep lock shared from here until everything was sent. A file that was dropped and can be rebuilt from
    its delta is not missed; where there is neither, both are, so that what the last set has of either is kept.
    """
    store = warehouse.store
    found: dict[str, Candidate] = {}
    findings: list[Finding] = []
    blobs: dict[str, tuple[int, str]] = {}
    for sets in (warehouse.snapshots, warehouse.pins):
        _select_named(store, sets, found, findings)
    for table in warehouse.tables():
        for manifest in _select_manifests(warehouse, table, found, findings):
            for entry in manifest.files:
                blobs[entry.sha256] = (entry.bytes, f"{table}, partition {entry.partition}")
        _select_schemas(store, table, found, findings)
    _select_deltas(store, before, found, findings)
    for key in store.list(layout.DAMAGED):
        with suppress(FileNotFoundError):  # a mark that was cleared just now
            found[key] = candidate(key, store.path(key))
    reported = {finding.key for finding in findings}
    for sha256, (size, where) in sorted(blobs.items()):
        key, delta = layout.blob(sha256), layout.delta(sha256)
        problem = _blob_problem(store, sha256, size)
        if problem is None:
            found[key] = Candidate(key, store.path(key), sha256, size)
            continue
        if delta in found and problem is _GONE:
            continue
        lost = [name for name in (key, delta) if name in before and name not in found and name not in reported]
        message = f"{where}: the file {sha256[:12]}… {problem}."
        findings += [Finding(key=name, message=message) for name in lost or ([] if delta in reported else [key])]
    return Selection(tuple(found.values()), tuple(findings))


def _select_manifests(
    warehouse: Warehouse, table: str, found: dict[str, Candidate], findings: list[Finding]
) -> Iterator[SyncManifest]:
    """Select a table's manifests, with the parts of those that have too many files for one document."""
    store, manifests = warehouse.store, warehouse.manifests(table)
    # The highest number counts a newest manifest that is gone, as long as anything still knows of it.
    for number in range(1, manifests.latest_number() + 1):
        key = layout.version(table, number)
        try:
            manifest = manifests.load(number)
        except UsageError:
            findings.append(Finding(key=key, message=f"The manifest of {table} version {number} is gone."))
        except ChecksumMismatchError as error:
            findings.append(Finding(key=key, message=error.message))
        else:
            found[key] = candidate(key, store.path(key))
            yield manifest
    for key in store.list(layout.manifest_part(table, "").rpartition("/")[0]):
        part = candidate(key, store.path(key))
        if key == layout.manifest_part(table, part.sha256):
            found[key] = part
        else:
            findings.append(Finding(key=key, message=f"{key}, a part of manifests, is damaged."))


def _select_schemas(store: LocalStore, table: str, found: dict[str, Candidate], findings: list[Finding]) -> None:
    registry = SchemaRegistry(store, "", table)  # the dataset matters for registering only
    for version in registry.versions():
        key = layout.schema(table, version)
        try:
            registry.load(version)
        except ChecksumMismatchError as error:
            findings.append(Finding(key=key, message=error.message))
        else:
            found[key] = candidate(key, store.path(key))


def _select_named(store: LocalStore, sets: VersionSets, found: dict[str, Candidate], findings: list[Finding]) -> None:
    for name in sets.names():
        key = sets.key(name)
        with suppress(UsageError, FileNotFoundError):  # a name that was dropped just now
            try:
                sets.get(name)
            except ChecksumMismatchError as error:
                findings.append(Finding(key=key, message=error.message))
            else:
                found[key] = candidate(key, store.path(key))


def _select_deltas(
    store: LocalStore, before: Mapping[str, str], found: dict[str, Candidate], findings: list[Finding]
) -> None:
    """Select the deltas: what one says of itself is always checked, its rows when the last set has not the same."""
    for path in sorted(store.path(layout.DELTAS).glob("*/*.parquet")):
        key = layout.delta(path.stem)
        if path != store.path(key):
            continue
        with suppress(FileNotFoundError):  # written anew just now, as the file that it stands for is still there
            try:
                item = candidate(key, path)
                delta = read_delta(path, path.stem)
                if before.get(key) != item.sha256:
                    read_rows(path, delta)
            except ChecksumMismatchError as error:
                findings.append(Finding(key=key, message=error.message))
            else:
                found[key] = item


def _blob_problem(store: LocalStore, sha256: str, size: int) -> str | None:
    try:
        actual = store.path(layout.blob(sha256)).stat().st_size
    except FileNotFoundError:
        return _GONE
    return None if actual == size else "has another size than was published"
