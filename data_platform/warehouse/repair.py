"""Mending what verification found: from a copy, or from what still stands; what cannot be mended is marked.

Time has passed since verification, so each object is looked at again once nobody else can touch it. A damaged
document that is replaced goes to quarantine first, so that nothing that anyone may want to look at is lost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal

import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from data_platform.catalog.drift import columns_of
from data_platform.errors import ChecksumMismatchError, LockBusyError
from data_platform.warehouse import layout
from data_platform.warehouse.copies import Copies, OwnCopies, good_copy
from data_platform.warehouse.deltas.rebuild import delta_problem
from data_platform.warehouse.integrity import clear_mark, fault_of, mark_damaged, marks
from data_platform.warehouse.manifest import FileEntry, SyncManifest
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.problems import Problem, ProblemKind, is_still_wrong
from data_platform.warehouse.quarantine import QuarantineEntry, entry_id
from data_platform.warehouse.reader import file_of
from data_platform.warehouse.schemas import SchemaRegistry
from data_platform.warehouse.staging import staging_folder
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.warehouse import Warehouse

_WAIT_SECONDS: Final = 10.0
_ORDER: Final[dict[ProblemKind, int]] = {"manifest": 0, "version_gap": 0, "schema": 1, "delta": 3}
"""Manifests first, which say what the rest is for; files before the deltas that lean on them."""


class Repair(BaseModel):
    """What became of one problem."""

    model_config = ConfigDict(frozen=True)

    problem: Problem
    outcome: Literal["mended", "marked", "unmendable"]
    message: str


def repair(
    warehouse: Warehouse,
    problems: Sequence[Problem],
    copies: Sequence[Copies],
    *,
    wait_seconds: float = _WAIT_SECONDS,
) -> Iterator[Repair]:
    """Try to mend each problem and yield what became of it.

    The trash and the twins of names, then `copies` are asked in turn.
    A partition's file that cannot be mended is marked: reading it then says that only a sync can bring the partition
    back. A lost manifest stays lost, and its version says so. A table that a writer works on for longer than
    `wait_seconds` is left alone.
    """
    sources = [OwnCopies(warehouse.store), *copies]
    for problem in sorted(problems, key=lambda found: _ORDER.get(found.kind, 2)):
        try:
            yield _repair(warehouse, problem, sources, wait_seconds)
        except LockBusyError as error:
            yield Repair(problem=problem, outcome="unmendable", message=f"not now: {error.message}")


def clear_healed_marks(store: LocalStore, table: str) -> None:
    """Take away the marks of files of a table that are sound again."""
    marked = {str(mark["sha256"]) for mark in marks(store)}
    for entry in (_entry_of(store, table, sha256) for sha256 in marked):
        if entry is not None and fault_of(store, entry) is None:
            clear_mark(store, entry.sha256)


def _repair(warehouse: Warehouse, problem: Problem, copies: Sequence[Copies], wait_seconds: float) -> Repair:
    name = problem.table or "names"
    store = warehouse.store
    with ExitStack() as alone:
        lock = alone.enter_context(warehouse.lock(name).acquire(wait_seconds=wait_seconds))
        if problem.kind == "delta":  # retention writes deltas
            alone.enter_context(warehouse.lock("retention").acquire(wait_seconds=wait_seconds))
        alone.enter_context(warehouse.sweeping.exclusive(wait_seconds=wait_seconds))
        if problem.kind in {"broken_chain", "other_files"}:
            return Repair(problem=problem, outcome="unmendable", message="the versions were changed by hand")
        if not is_still_wrong(store, problem):
            return Repair(problem=problem, outcome="mended", message="it is sound again")
        folder = alone.enter_context(staging_folder(warehouse.staging_root, f"repair-{name}", lock.token.writer_id))
        for key in _keys_that_mend(problem):
            copy = good_copy(store, problem, key, copies, folder / "copy")
            if copy is not None:
                _set_aside(warehouse, problem)
                store.restore(key, copy.path)
                if problem.sha256:
                    clear_mark(store, problem.sha256)
                return Repair(problem=problem, outcome="mended", message=copy.words)
        return _mend_from_what_stands(warehouse, problem) or _give_up(store, problem)


def _keys_that_mend(problem: Problem) -> list[str]:
    """The objects of which a good copy mends a problem: for a lost delta, the file that it stands for too."""
    if problem.kind == "delta" and problem.sha256:
        return [problem.key, layout.blob(problem.sha256)]
    return [problem.key]


def _mend_from_what_stands(warehouse: Warehouse, problem: Problem) -> Repair | None:
    if problem.kind == "schema":
        return _schema_from_file(warehouse, problem)
    if problem.kind == "changed_file" and problem.sha256 and delta_problem(warehouse.store, problem.sha256) is None:
        # We are alone with the files: nobody can have put the true bytes back meanwhile.
        warehouse.store.delete(problem.key)
        clear_mark(warehouse.store, problem.sha256)
        return Repair(problem=problem, outcome="mended", message="its rows are put together from later files")
    return None


def _schema_from_file(warehouse: Warehouse, problem: Problem) -> Repair | None:
    """Write a lost schema anew from the file with which it was registered: that of the first version to name it."""
    store = warehouse.store
    manifest = Manifests(store, problem.table).load(min(problem.versions))
    (partition, *others) = manifest.changed_partitions
    entry = manifest.file(partition)
    if entry is None or others:  # not a publish of one partition, so not the one that registered it
        return None
    try:
        path = file_of(store, problem.table, manifest.manifest_version, entry)
    except ChecksumMismatchError:
        return None
    _set_aside(warehouse, problem)
    store.delete(problem.key)
    registry = SchemaRegistry(store, manifest.dataset, problem.table)
    registry.write(manifest.schema_version, columns_of(pq.ParquetFile(path).schema_arrow), manifest.sync_timestamp)
    return Repair(problem=problem, outcome="mended", message=f"read again from the file of {partition}")


def _set_aside(warehouse: Warehouse, problem: Problem) -> None:
    """Keep the damaged document for whoever wants to know what happened to it."""
    path = warehouse.store.path(problem.key)
    if not path.exists() or problem.kind in {"missing_file", "changed_file", "delta"}:
        return  # spoilt Parquet is licensed rows that nobody can vouch for
    now = dt.datetime.now(dt.UTC)
    sound = _last_sound(warehouse.store, problem.table)
    entry = QuarantineEntry(
        entry_id=entry_id(now),
        dataset=sound.dataset if sound else "",
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


def _give_up(store: LocalStore, problem: Problem) -> Repair:
    if problem.sha256 and problem.partition and problem.kind in {"missing_file", "changed_file"}:
        entry = _entry_of(store, problem.table, problem.sha256)
        fault = fault_of(store, entry, trust_notes=False) if entry else None
        if entry is not None and fault is not None:
            mark_damaged(store, problem.table, entry, fault)
        command = f"data-platform sync {problem.table} --partition {problem.partition} --full"
        return Repair(problem=problem, outcome="marked", message=f"no copy has it; fetch it again: {command}")
    message = "no good copy was found"
    if problem.kind in {"manifest", "version_gap"}:
        if problem.versions[0] == Manifests(store, problem.table).latest_number():
            message += f"; go back to the last good version: data-platform rollback {problem.table}"
    elif problem.kind in {"snapshot", "pin"}:
        message += f"; it can be dropped and made again: data-platform {problem.kind} drop {Path(problem.key).stem}"
    return Repair(problem=problem, outcome="unmendable", message=message)


def _entry_of(store: LocalStore, table: str, sha256: str) -> FileEntry | None:
    manifests = Manifests(store, table)
    for number in reversed(manifests.numbers()):
        manifest = manifests.successor_of(number - 1)
        for entry in manifest.files if manifest else ():
            if entry.sha256 == sha256:
                return entry
    return None


def _last_sound(store: LocalStore, table: str) -> SyncManifest | None:
    return Manifests(store, table).last_sound() if table else None
