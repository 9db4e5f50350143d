"""Retention, applied: files that only expired versions need are replaced by deltas from which they can be rebuilt.

First, while others publish and read, each such file gets a delta, written, flushed and proven: the rows put together
from it have the content hash of the file's. Then, alone, what is needed is read once more, and the files that still
nobody needs are moved to the trash. A run that dies between the two is continued by the next. Manifests stay for ever.
Last, every other superseded file gets its delta early: should its bytes go bad, its rows come from later files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from data_platform.catalog import TABLES
from data_platform.warehouse import layout
from data_platform.warehouse.retention.deciding import KEEP_DAYS, Expiring, Verdict, expiring_files, judge_all
from data_platform.warehouse.retention.roots import read_roots
from data_platform.warehouse.retention.securing import secure_delta
from data_platform.warehouse.trash import move_to_trash, new_run
from data_platform.warehouse.warehouse import Warehouse

Progress = Callable[[int, int], None]


class DroppedFile(BaseModel):
    """What became of a file that only expired versions need; sizes in bytes, `reason` where it was kept."""

    model_config = ConfigDict(frozen=True)

    table: str
    partition: str
    sha256: str
    outcome: Literal["dropped", "would be dropped", "kept"]
    bytes: int
    delta_bytes: int | None = None
    reason: str = ""


class RetentionReport(BaseModel):
    """What a run did, or in a dry run would do; `run` names its folder in the trash.

    `files_secured` counts the superseded files that stay and got, or would get, a delta early.
    """

    model_config = ConfigDict(frozen=True)

    dry_run: bool
    keep_days: int
    run: str | None
    verdicts: tuple[Verdict, ...]
    files: tuple[DroppedFile, ...]
    versions_expired: int
    files_dropped: int
    bytes_freed: int
    delta_bytes: int
    files_secured: int = 0


def plan_retention(
    warehouse: Warehouse, *, now: dt.datetime | None = None, keep_days: int = KEEP_DAYS
) -> RetentionReport:
    """Say what `apply_retention` would do; nothing is written.

    Raises:
        ChecksumMismatchError: when a manifest, snapshot or pin cannot be read, or there is no version at all.
    """
    verdicts, standing = _survey(warehouse, now or dt.datetime.now(dt.UTC), keep_days)
    files = [_outcome(file, "would be dropped") for file in standing]
    going = {file.sha256 for file in files}
    unsecured = [file for file in _unsecured(warehouse) if file.entry.sha256 not in going]
    report = _report(verdicts, files, keep_days=keep_days, run=None)
    return report.model_copy(update={"files_secured": len(unsecured)})


def apply_retention(
    warehouse: Warehouse,
    *,
    now: dt.datetime | None = None,
    keep_days: int = KEEP_DAYS,
    progress: Progress = lambda _done, _total: None,
) -> RetentionReport:
    """Replace the files that only versions older than `keep_days` need by deltas. `progress` is told bytes.

    A file that is damaged, or whose delta cannot be proven, is kept and reported.

    Raises:
        ChecksumMismatchError: as `plan_retention` does; nothing is dropped.
        LockBusyError: when another run is at work, or publishers leave no room; nothing is dropped, and what was
            prepared serves the next run.
        DiskSpaceError: when there is no room for the deltas; nothing is dropped.
    """
    now = now or dt.datetime.now(dt.UTC)
    # Two runs at once could each base a file on the other's.
    with warehouse.lock("retention").acquire():
        _, standing = _survey(warehouse, now, keep_days)
        problems = prepare(warehouse, standing, progress)
        report = drop(warehouse, problems, now=now, keep_days=keep_days)
        secured = prepare(warehouse, _unsecured(warehouse), progress)
    return report.model_copy(update={"files_secured": sum(not problem for problem in secured.values())})


def prepare(
    warehouse: Warehouse, files: Sequence[Expiring], progress: Progress = lambda _done, _total: None
) -> dict[str, str]:
    """Give each file a proven delta, in the order of their last use: then what each is derived from still stands.

    Returns for each file, by hash, why it must be kept; empty when its rows are secured.
    """
    total = sum(file.entry.bytes for file in files)
    done = 0
    problems: dict[str, str] = {}
    for file in files:
        declared = TABLES.get(file.table)
        problems[file.entry.sha256] = secure_delta(warehouse.store, file, declared.key if declared else ())
        done += file.entry.bytes
        progress(done, total)
    return problems


def drop(warehouse: Warehouse, problems: Mapping[str, str], *, now: dt.datetime, keep_days: int) -> RetentionReport:
    """Move to the trash what `prepare` secured and still only expired versions need.

    Raises:
        ChecksumMismatchError, LockBusyError: nothing was moved.
    """
    run = new_run(now)
    files: list[DroppedFile] = []
    with warehouse.sweeping.exclusive():
        verdicts, standing = _survey(warehouse, now, keep_days)
        for file in standing:
            problem = problems.get(file.entry.sha256, "it expired only now; the next run takes it")
            if problem:
                files.append(_outcome(file, "kept", reason=problem))
                continue
            delta_bytes = warehouse.store.path(layout.delta(file.entry.sha256)).stat().st_size
            move_to_trash(warehouse.store, file.entry.sha256, run)
            files.append(_outcome(file, "dropped", delta_bytes=delta_bytes))
    return _report(verdicts, files, keep_days=keep_days, run=run)


def _survey(warehouse: Warehouse, now: dt.datetime, keep_days: int) -> tuple[list[Verdict], list[Expiring]]:
    """Every version's verdict, and the files that only expired ones need and that still stand."""
    roots = read_roots(warehouse)
    verdicts = judge_all(roots, now=now, keep_days=keep_days)
    expiring = expiring_files(roots, verdicts)
    return verdicts, [file for file in expiring if warehouse.store.exists(layout.blob(file.entry.sha256))]


def _unsecured(warehouse: Warehouse) -> list[Expiring]:
    """The files that the latest version of no table needs, that stand, and that have no delta yet."""
    roots = read_roots(warehouse)
    superseded = [
        verdict.model_copy(update={"expires": verdict.superseded_at is not None})
        for verdict in judge_all(roots, now=dt.datetime.now(dt.UTC))
    ]
    store = warehouse.store
    return [
        file
        for file in expiring_files(roots, superseded)
        if store.exists(layout.blob(file.entry.sha256)) and not store.exists(layout.delta(file.entry.sha256))
    ]


def _outcome(
    file: Expiring,
    outcome: Literal["dropped", "would be dropped", "kept"],
    *,
    delta_bytes: int | None = None,
    reason: str = "",
) -> DroppedFile:
    return DroppedFile(
        table=file.table,
        partition=file.entry.partition,
        sha256=file.entry.sha256,
        outcome=outcome,
        bytes=file.entry.bytes,
        delta_bytes=delta_bytes,
        reason=reason,
    )


def _report(
    verdicts: Sequence[Verdict], files: Sequence[DroppedFile], *, keep_days: int, run: str | None
) -> RetentionReport:
    going = [file for file in files if file.outcome != "kept"]
    return RetentionReport(
        dry_run=run is None,
        keep_days=keep_days,
        run=run,
        verdicts=tuple(verdicts),
        files=tuple(files),
        versions_expired=sum(verdict.expires for verdict in verdicts),
        files_dropped=len(going),
        bytes_freed=sum(file.bytes for file in going),
        delta_bytes=sum(file.delta_bytes or 0 for file in going),
    )
