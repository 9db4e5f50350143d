"""The trash: published files that nothing needs as they are, kept for a while in case that was a mistake.

Each run of whoever removes files has a folder of its own, named by its time. A file goes there by a rename, so it is
in one place or the other, whatever happens.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from data_platform.warehouse import layout
from data_platform.warehouse.integrity import open_sound
from data_platform.warehouse.store import LocalStore, fsync_path, make_folder, no_space_is_clear, temporary_beside

_TIME: Final = "%Y%m%dT%H%M%SZ"
_RUN: Final = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}")
_FILE: Final = re.compile(r"([0-9a-f]{64})\.parquet")


@dataclass(frozen=True, slots=True)
class TrashedFile:
    """A file in the trash, named by its hash; `trashed_at` is UTC."""

    sha256: str
    path: Path
    trashed_at: dt.datetime


def new_run(now: dt.datetime) -> str:
    """A name for the files that go to the trash together."""
    return f"{now.astimezone(dt.UTC).strftime(_TIME)}-{uuid.uuid4().hex[:8]}"


def move_to_trash(store: LocalStore, sha256: str, run: str) -> None:
    """Move a published file to the trash, durably."""
    source = store.path(layout.blob(sha256))
    target = store.path(f"{layout.TRASH}/{run}/{sha256}.parquet")
    make_folder(target.parent)
    with no_space_is_clear(target):
        source.rename(target)
        fsync_path(target.parent)
        fsync_path(source.parent)
    store.path(layout.sound(sha256)).unlink(missing_ok=True)


def trashed(store: LocalStore) -> Iterator[TrashedFile]:
    """Everything in the trash, oldest first; what does not look like ours is passed over."""
    for folder in sorted(store.path(layout.TRASH).glob("*")):
        run = _RUN.fullmatch(folder.name)
        if run is None:
            continue
        made_at = dt.datetime.strptime(run[1], _TIME).replace(tzinfo=dt.UTC)
        for path in _inside(folder):
            named = _FILE.fullmatch(path.name)
            if named is not None:
                yield TrashedFile(named[1], path, made_at)


def delete_trashed(file: TrashedFile) -> None:
    """Delete a file of the trash for good, and its run's folder with the last one."""
    with no_space_is_clear(file.path):
        file.path.unlink(missing_ok=True)
        fsync_path(file.path.parent)
    with suppress(OSError):  # other files are in it still
        file.path.parent.rmdir()


def fetch_from_trash(store: LocalStore, sha256: str, target: Path) -> bool:
    """Copy a file of that hash out of the trash; False when there is none, or only a damaged one.

    One that is deleted from the trash meanwhile is copied all the same, or counts as none.

    Raises:
        DiskSpaceError: when the disk is full.
    """
    for file in trashed(store):
        sound = open_sound(file.path, sha256) if file.sha256 == sha256 else None
        if sound is not None:
            with sound, no_space_is_clear(target):
                _copy(sound, target)
            return True
    return False


def _inside(folder: Path) -> list[Path]:
    """What a run's folder holds; nothing when the folder was deleted meanwhile."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _copy(source: IO[bytes], target: Path) -> None:
    temporary = temporary_beside(target)
    try:
        with temporary.open("xb") as sink:
            shutil.copyfileobj(source, sink)
        temporary.chmod(0o444)
        fsync_path(temporary)
        os.replace(temporary, target)  # noqa: PTH105 - as elsewhere: over whatever is there
        fsync_path(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
