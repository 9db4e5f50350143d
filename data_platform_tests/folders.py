"""Folders whose path is short enough for a Unix socket, in memory where there is room.

A database is made for each test that asks for one, and a home for many: hundreds of small files, which a disk takes
ten times as long for as memory does. What is about the disk itself (power cuts, kills, full disks) stays on a disk.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

import psutil

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a new folder is made in it
_DISK: Final = Path("/tmp")  # noqa: S108 - a new folder is made in it
_ROOM: Final = 4 << 30
_NAME: Final = re.compile(r"dpt-(\d+)-")


def short_folder() -> Path:
    """A new, empty folder, which the caller removes."""
    place = _MEMORY if _has_room(_MEMORY) else _DISK
    _remove_leftovers(place)
    return Path(tempfile.mkdtemp(prefix=f"dpt-{os.getpid()}-", dir=place))


def _has_room(place: Path) -> bool:
    try:
        return os.access(place, os.W_OK) and shutil.disk_usage(place).free >= _ROOM
    except OSError:
        return False


def _remove_leftovers(place: Path) -> None:
    """Remove what tests that were killed have left: it would fill the memory."""
    for folder in place.glob("dpt-*-*"):
        if (made_by := _NAME.match(folder.name)) and not psutil.pid_exists(int(made_by[1])):
            shutil.rmtree(folder, ignore_errors=True)
