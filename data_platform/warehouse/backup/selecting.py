"""Which files of a warehouse belong into a backup, and which of them can't be vouched for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.manifest import SyncManifest
from data_platform.warehouse.schemas import SchemaRegistry
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.version_sets import VersionSets
from data_platform.warehouse.warehouse import Warehouse

_HALF_WRITTEN: Final = ".tmp-"


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
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Candidate(key, path, sha256, path.stat().st_size)


def select(warehouse: Warehouse) -> Selection:
    """Find every fact the warehouse holds: manifests, schemas, named versions, deltas, marks, and published files.

    Names come first, then manifests, then the files that these name, so whatever is published or tagged meanwhile is
    in whole or not at all.
    Hold the sweep lock shared from here until everything was sent. A file that was dropped and can be rebuilt from
    its delta is not missed.
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
    for folder in (layout.DELTAS, layout.DAMAGED):
        for key in _below(store, folder):
            with suppress(FileNotFoundError):  # a mark that was cleared just now
                found[key] = candidate(key, store.path(key))
    for sha256, (size, where) in sorted(blobs.items()):
        key = layout.blob(sha256)
        problem = _blob_problem(store, sha256, size)
        if problem is None:
            found[key] = Candidate(key, store.path(key), sha256, size)
        elif layout.delta(sha256) not in found:
            findings.append(Finding(key=key, message=f"{where}: the file {sha256[:12]}… {problem}."))
    return Selection(tuple(found.values()), tuple(findings))


def _select_manifests(
    warehouse: Warehouse, table: str, found: dict[str, Candidate], findings: list[Finding]
) -> Iterator[SyncManifest]:
    """Select a table's manifests, with the parts of those that have too many files for one document."""
    store, manifests = warehouse.store, warehouse.manifests(table)
    numbers = manifests.numbers()
    for number in range(1, max(numbers, default=0) + 1):
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


def _below(store: LocalStore, folder: str) -> Iterator[str]:
    root = store.path(folder)
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.startswith(_HALF_WRITTEN):
            yield f"{folder}/{path.relative_to(root).as_posix()}"


def _blob_problem(store: LocalStore, sha256: str, size: int) -> str | None:
    try:
        actual = store.path(layout.blob(sha256)).stat().st_size
    except FileNotFoundError:
        return "is gone"
    return None if actual == size else "has another size than was published"
