"""Copies of the warehouse's objects elsewhere, and which of them are good enough to take the place of a damaged one.

A copy may be as spoilt as what it is to replace, may be of an object that was dropped and made again, or may belong
to another history of the table; each is asked for newest first until one is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from data_platform.errors import ChecksumMismatchError, PlatformError, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.deltas.form import read_delta, read_rows
from data_platform.warehouse.integrity import hash_file
from data_platform.warehouse.manifest import SyncManifest
from data_platform.warehouse.manifest_form import bad_parts, manifest_from
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.problems import Problem
from data_platform.warehouse.schemas import parse_schema
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.trash import fetch_from_trash
from data_platform.warehouse.version_sets import parse_set, pins, snapshots, twin


class Copies(Protocol):
    """Somewhere else where the warehouse's objects are kept, such as a backup."""

    def fetch(self, key: str, target: Path, *, skip: int = 0) -> bool:
        """Write the newest copy of an object to `target`, or an older, different one; False when there is none."""
        ...


class OwnCopies:
    """Copies that the warehouse itself keeps: files in the trash, and the twins of tags and pins."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store

    def fetch(self, key: str, target: Path, *, skip: int = 0) -> bool:
        """Copy a published file out of the trash, or the twin of a name."""
        if key.startswith((f"{layout.SNAPSHOTS}/", f"{layout.PINS}/")) and skip == 0 and self._store.exists(twin(key)):
            target.write_bytes(self._store.get(twin(key)))
            return True
        is_file = key.startswith(f"{layout.BLOBS}/")
        return is_file and skip == 0 and fetch_from_trash(self._store, Path(key).stem, target)


@dataclass(frozen=True, slots=True)
class GoodCopy:
    """A copy that may take the object's place, and what to say of it."""

    path: Path
    words: str


def good_copy(store: LocalStore, problem: Problem, key: str, copies: Sequence[Copies], target: Path) -> GoodCopy | None:
    """The first copy of `key` that mends the problem; None when there is none. A place that fails is passed over."""
    for source in copies:
        skip = 0
        while True:
            target.unlink(missing_ok=True)
            try:
                if not source.fetch(key, target, skip=skip):
                    break
                if problem.kind in {"manifest", "version_gap"}:
                    _mend_parts(store, problem, source, target)
                return GoodCopy(target, _require_good(store, problem, key, target))
            except (ChecksumMismatchError, UsageError):
                skip += 1
            except PlatformError:
                break
    return None


def _require_good(store: LocalStore, problem: Problem, key: str, path: Path) -> str:
    """Say in words what the copy is.

    Raises:
        ChecksumMismatchError: when it is not what it is to replace.
    """
    if key.startswith(f"{layout.BLOBS}/"):
        if hash_file(path) != problem.sha256:
            raise ChecksumMismatchError("The copy is damaged.")
        return "restored from a copy of the file"
    if problem.kind == "delta":
        read_rows(path, read_delta(path, problem.sha256 or ""))
        return "restored from a copy"
    if problem.kind == "schema":
        found = parse_schema(path.read_bytes(), name="The copy")
        if (found.table, f"v{found.version}") != (problem.table, Path(problem.key).stem):
            raise ChecksumMismatchError("The copy is of another schema.")
        return "restored from a copy"
    if problem.kind in {"snapshot", "pin"}:
        named = parse_set(path.read_bytes(), Path(problem.key).stem, problem.kind)
        return f"restored from a copy: made {named.created_at:%Y-%m-%d %H:%M:%S} UTC by {named.created_by}"
    _require_fitting(store, problem, manifest_from(path.read_bytes(), problem.table, store.get, name=problem.key))
    return "restored from a copy"


def _require_fitting(store: LocalStore, problem: Problem, manifest: SyncManifest) -> None:
    """Let only the very manifest pass that its neighbours follow and that the tags and pins named."""
    number = problem.versions[0]
    manifests = Manifests(store, problem.table)
    before, after = manifests.predecessor_of(number), manifests.successor_of(number)
    names = (*snapshots(store).checksums_of(problem.table, number), *pins(store).checksums_of(problem.table, number))
    fits = (
        (manifest.table, manifest.manifest_version) == (problem.table, number)
        and (before is None or manifest.previous_checksum in {None, before.checksum})
        and (after is None or after.previous_checksum in {None, manifest.checksum})
        and all(checksum == manifest.checksum for checksum in names)
    )
    if not fits:
        raise ChecksumMismatchError("The copy is of another version.")


def _mend_parts(store: LocalStore, problem: Problem, source: Copies, manifest: Path) -> None:
    """Bring back the parts of a large manifest that are gone or damaged."""
    copy = manifest.with_name("part")
    for key, sha256 in bad_parts(manifest.read_bytes(), problem.table, store.get, name=problem.key):
        if source.fetch(key, copy) and hash_file(copy) == sha256:
            store.restore(key, copy)
