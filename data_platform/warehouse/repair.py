"""Mending what verification found: from a backup, or from what still stands; what cannot be mended is marked.

A damaged object that is replaced goes to quarantine first, so that nothing that anyone may want to look at is lost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, Protocol

import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from data_platform.catalog.drift import columns_of
from data_platform.errors import ChecksumMismatchError, PlatformError
from data_platform.warehouse import layout
from data_platform.warehouse.integrity import clear_mark, fault_of, hash_file, mark_damaged, marks
from data_platform.warehouse.manifest import FileEntry
from data_platform.warehouse.manifest_form import bad_parts, manifest_from
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.problems import Problem
from data_platform.warehouse.quarantine import QuarantineEntry, entry_id
from data_platform.warehouse.rebuild import delta_problem
from data_platform.warehouse.schemas import SchemaRegistry
from data_platform.warehouse.staging import staging_folder
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.trash import fetch_from_trash
from data_platform.warehouse.warehouse import Warehouse

_WAIT_SECONDS: Final = 10.0


class Copies(Protocol):
    """Somewhere else where the warehouse's objects are kept, such as a backup."""

    def fetch(self, key: str, target: Path) -> bool:
        """Write the newest copy of an object to `target`; False when there is none."""
        ...


class _Trash:
    """What was dropped and is not deleted yet."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store

    def fetch(self, key: str, target: Path) -> bool:
        """Copy a published file out of the trash."""
        return key.startswith(f"{layout.BLOBS}/") and fetch_from_trash(self._store, Path(key).stem, target)


class Repair(BaseModel):
    """What became of one problem."""

    model_config = ConfigDict(frozen=True)

    problem: Problem
    outcome: Literal["mended", "marked", "unmendable"]
    message: str


def repair(warehouse: Warehouse, problems: Sequence[Problem], copies: Sequence[Copies]) -> list[Repair]:
    """Try to mend each problem; the trash, then `copies` are asked in turn.

    A partition's file that cannot be mended is marked: reading it then says that only a sync can bring the partition
    back. A lost manifest stays lost, and its version says so.

    Raises:
        LockBusyError: when a writer works on a table whose manifest or schema is to be mended.
    """
    return [_repair(warehouse, problem, [_Trash(warehouse.store), *copies]) for problem in problems]


def clear_healed_marks(store: LocalStore, table: str) -> None:
    """Take away the marks of files of a table that are sound again."""
    marked = {str(mark["sha256"]) for mark in marks(store)}
    for entry in (_entry_of(store, table, sha256) for sha256 in marked):
        if entry is not None and fault_of(store, entry) is None:
            clear_mark(store, entry.sha256)


def _repair(warehouse: Warehouse, problem: Problem, copies: Sequence[Copies]) -> Repair:
    name = problem.table or "names"
    with (
        warehouse.lock(name).acquire(wait_seconds=_WAIT_SECONDS) as lock,
        warehouse.sweeping.exclusive(),
        staging_folder(warehouse.staging_root, f"repair-{name}", lock.token.writer_id) as folder,
    ):
        if problem.kind in {"broken_chain", "other_files"}:
            return Repair(problem=problem, outcome="unmendable", message="the versions were changed by hand")
        fetched = _fetch(warehouse.store, problem, copies, folder / "copy")
        if fetched is not None:
            _set_aside(warehouse, problem)
            warehouse.store.restore(problem.key, fetched)
            if problem.sha256:
                clear_mark(warehouse.store, problem.sha256)
            return Repair(problem=problem, outcome="mended", message="restored from a copy")
        if problem.kind == "schema":
            return _schema_from_files(warehouse, problem)
        if problem.kind == "changed_file" and problem.sha256 and delta_problem(warehouse.store, problem.sha256) is None:
            # Alone with the files: nobody can have put the true bytes back meanwhile.
            warehouse.store.delete(problem.key)
            clear_mark(warehouse.store, problem.sha256)
            return Repair(problem=problem, outcome="mended", message="its rows are put together from later files")
    return _give_up(warehouse.store, problem)


def _fetch(store: LocalStore, problem: Problem, copies: Sequence[Copies], target: Path) -> Path | None:
    """A good copy of the object, or None; a copy that is itself not what it should be counts as none."""
    for source in copies:
        target.unlink(missing_ok=True)
        try:
            if source.fetch(problem.key, target):
                if problem.kind in {"manifest", "version_gap"}:
                    _mend_parts(store, problem, source, target)
                if _is_good(store, problem, target):
                    return target
        except ChecksumMismatchError:
            continue
    return None


def _mend_parts(store: LocalStore, problem: Problem, source: Copies, manifest: Path) -> None:
    """Bring back the parts of a large manifest that are gone or damaged."""
    copy = manifest.with_name("part")
    for key, sha256 in bad_parts(manifest.read_bytes(), problem.table, store.get, name=problem.key):
        if source.fetch(key, copy) and hash_file(copy) == sha256:
            store.restore(key, copy)


def _is_good(store: LocalStore, problem: Problem, path: Path) -> bool:
    if problem.kind in {"missing_file", "changed_file"}:
        return hash_file(path) == problem.sha256
    if problem.kind in {"manifest", "version_gap"}:
        manifest = manifest_from(path.read_bytes(), problem.table, store.get, name=problem.key)
        follows = Manifests(store, problem.table).successor_of(manifest.manifest_version)
        named = (manifest.table, manifest.manifest_version) == (problem.table, problem.versions[0])
        return named and (follows is None or follows.previous_checksum == manifest.checksum)
    return True  # sealed: whoever reads it next finds out


def _set_aside(warehouse: Warehouse, problem: Problem) -> None:
    """Keep the damaged object for whoever wants to know what happened to it."""
    path = warehouse.store.path(problem.key)
    if not path.exists() or problem.kind in {"missing_file", "changed_file", "delta"}:
        return  # spoilt Parquet is licensed rows that nobody can vouch for
    now = dt.datetime.now(dt.UTC)
    entry = QuarantineEntry(
        entry_id=entry_id(now),
        dataset=_dataset_of(warehouse.store, problem.table),
        table=problem.table or problem.kind,
        partition=path.stem,
        created_at=now,
        findings=(problem.message,),
        source="verify",
        source_fingerprint="",
        row_count=None,
        files=(path.name,),
    )
    warehouse.quarantine.add(entry, moved={}, written={path.name: path.read_bytes()})


def _schema_from_files(warehouse: Warehouse, problem: Problem) -> Repair:
    """Write a lost schema anew from the Parquet file for which it was registered."""
    store = warehouse.store
    version = Path(problem.key).stem.removeprefix("v")
    for number in problem.versions:
        manifest = Manifests(store, problem.table).load(number)
        for partition in manifest.changed_partitions:
            entry = manifest.file(partition)
            if entry is not None and fault_of(store, entry) is None:
                columns = columns_of(pq.ParquetFile(store.path(layout.blob(entry.sha256))).schema_arrow)
                with warehouse.lock(problem.table).guard():
                    _set_aside(warehouse, problem)
                    store.delete(problem.key)
                    SchemaRegistry(store, manifest.dataset, problem.table).write(
                        version, columns, manifest.sync_timestamp
                    )
                return Repair(problem=problem, outcome="mended", message=f"read again from the file of {partition}")
    return _give_up(store, problem)


def _give_up(store: LocalStore, problem: Problem) -> Repair:
    if problem.sha256 and problem.partition and problem.kind in {"missing_file", "changed_file"}:
        entry = _entry_of(store, problem.table, problem.sha256)
        if entry is not None:
            fault = fault_of(store, entry, trust_notes=False)
            if fault is not None:
                mark_damaged(store, problem.table, entry, fault)
            command = f"data-platform sync {problem.table} --partition {problem.partition} --full"
            return Repair(problem=problem, outcome="marked", message=f"no copy has it; fetch it again: {command}")
    message = "no copy has it"
    if problem.kind == "manifest" and problem.versions[0] == Manifests(store, problem.table).latest_number():
        message += f"; go back to the last good version: data-platform rollback {problem.table}"
    return Repair(problem=problem, outcome="unmendable", message=message)


def _entry_of(store: LocalStore, table: str, sha256: str) -> FileEntry | None:
    manifests = Manifests(store, table)
    for number in reversed(manifests.numbers()):
        try:
            manifest = manifests.load(number)
        except PlatformError:
            continue
        for entry in manifest.files:
            if entry.sha256 == sha256:
                return entry
    return None


def _dataset_of(store: LocalStore, table: str) -> str:
    manifests = Manifests(store, table)
    for number in reversed(manifests.numbers()):
        try:
            return manifests.load(number).dataset
        except PlatformError:
            continue
    return ""
