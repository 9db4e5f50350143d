"""Bringing a set back: every file under its name, its hash checked before it gets that name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from data_platform.errors import DiskSpaceError, UsageError
from data_platform.warehouse.backup.objects import Objects
from data_platform.warehouse.backup.sets import BackupSet
from data_platform.warehouse.store import LocalStore, make_folder

Progress = Callable[[int, int], None]
"""Called with the plain bytes received just now and the number to receive in all."""

_WAREHOUSE: Final = "warehouse"


def restore_files(objects: Objects, backup: BackupSet, home: Path, outside: frozenset[str], progress: Progress) -> None:
    """Write every file of a set below `home`; keys in a folder of `outside` lie beside the warehouse, not in it.

    Raises:
        ChecksumMismatchError: when an object is gone or damaged, naming file and object.
        DiskSpaceError: when there is not enough room for the set.
        DestinationError: when the place fails.
    """
    make_folder(home)
    free = shutil.disk_usage(home).free
    if free < backup.bytes:
        raise DiskSpaceError(
            f"Not enough room: the backup holds {backup.bytes / 2**20:,.0f} MiB, {free / 2**20:,.0f} MiB are free.",
            hint="Free some space, or restore to another volume.",
        )
    warehouse = LocalStore(home / _WAREHOUSE)
    for file in backup.files:
        received = home / "receiving"
        objects.fetch(file.sha256, received, name=file.key, progress=lambda size: progress(size, backup.bytes))
        if file.key.partition("/")[0] in outside:
            target = home / file.key
            make_folder(target.parent)
            received.replace(target)
        else:
            warehouse.restore(file.key, received)


def require_empty(folder: Path) -> None:
    """Let a folder pass that does not exist or holds nothing.

    Raises:
        UsageError: for any other.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(
            f"{folder} is not an empty folder; a backup is never restored over something.",
            hint="Name a folder that does not exist yet.",
        )
