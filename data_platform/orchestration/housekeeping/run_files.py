"""Pruning what runs left on the disk: what they printed, and the outputs of operations, a folder a run.

Neither is exported. What a run printed is for looking at lately, as the lines of a sync are; the outputs of our
operations are empty.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

KEEP_FILES: Final = dt.timedelta(days=30)
"""After the last change of any of a run's files, as log lines of syncs are kept."""

FOLDERS: Final = ("compute_logs", "storage")
"""Of `dagster/` in the home: standard output and error of each step, and what operations returned."""


@dataclass(frozen=True, slots=True)
class PrunedFiles:
    """How many runs' folders were, or would be, removed, and their bytes."""

    folders: int
    bytes: int


def prune_run_files(instance: dg.DagsterInstance, home: Path, now: dt.datetime, *, dry_run: bool) -> PrunedFiles:
    """Remove the folders of runs in which nothing changed for 30 days, whether or not Dagster knows the run still.

    Runs that have not ended keep theirs. `home` is the platform's.
    """
    going = set(instance.get_run_ids(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES))))
    before = (now - KEEP_FILES).timestamp()
    count = total = 0
    for folder in run_folders(home):
        size, newest = _measured(folder)
        if folder.name in going or newest >= before:
            continue
        if not dry_run:
            shutil.rmtree(folder, ignore_errors=True)
            if folder.exists():
                continue
        count += 1
        total += size
    return PrunedFiles(count, total)


def run_folders(home: Path) -> Iterator[Path]:
    """The folders that are named after a run."""
    for name in FOLDERS:
        parent = home / "dagster" / name
        if not parent.is_dir():
            continue
        with os.scandir(parent) as entries:
            found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and _is_run_id(entry.name)]
        yield from (parent / each for each in sorted(found))


def _measured(folder: Path) -> tuple[int, float]:
    """The bytes of a folder, and when something in it last changed."""
    size, newest = 0, folder.stat().st_mtime
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            found = path.lstat()
            newest = max(newest, found.st_mtime)
            size += found.st_size if path.is_file() else 0
    return size, newest


def _is_run_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
