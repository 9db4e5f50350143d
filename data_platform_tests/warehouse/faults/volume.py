"""A file system of its own in an image file, whose power can be cut. Needs root and loop devices."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Final

import pytest

# XFS_IOC_GOINGDOWN, which ext4 has too: _IOR('X', 125, __u32).
_GOING_DOWN: Final = 0x8004587D
# mkfs.xfs refuses less than 300 MiB; the image is sparse.
_BYTES: Final = 320 * 2**20
_MAKE: Final = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q", "-f")}


class Lost(IntEnum):
    """What a cut takes with it: all that is only in memory, or the data but not the journal."""

    DATA = 1
    EVERYTHING = 2


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted file system."""

    image: Path
    folder: Path

    def cut_power(self, lost: Lost) -> None:
        """Stop the file system where it is, as a power cut does, and mount what the disk has."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _GOING_DOWN, struct.pack("I", lost))
        finally:
            os.close(descriptor)
        _run("umount", self.folder)
        _run("mount", "-o", "loop", self.image, self.folder)


@contextmanager
def volume(kind: str, folder: Path) -> Iterator[Volume]:
    """An empty ext4 or XFS file system; the test is skipped where none can be made."""
    if why_not(kind):
        pytest.skip(why_not(kind))
    image, mounted = folder / f"{kind}.img", folder / kind
    mounted.mkdir()
    _make(kind, image)
    if _run("mount", "-o", "loop", image, mounted, check=False):
        pytest.skip("no loop device can be mounted here")
    try:
        yield Volume(image, mounted)
    finally:
        _run("umount", mounted)
        image.unlink()


@contextmanager
def small_volume(folder: Path, size: int) -> Iterator[Path]:
    """An empty file system in memory with room for `size` bytes."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    folder.mkdir()
    mounted = _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder, check=False)
    if mounted:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        _run("umount", folder)


@cache
def why_not(kind: str) -> str:
    """Why no power can be cut here; empty when it can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    if shutil.which(_MAKE[kind][0]) is None:
        return f"{_MAKE[kind][0]} is not installed"
    if not Path("/dev/loop-control").exists():
        return "there are no loop devices here"
    return ""


def _make(kind: str, image: Path) -> None:
    with image.open("wb") as file:
        file.truncate(_BYTES)
    _run(*_MAKE[kind], image)


def _run(*command: str | Path, check: bool = True) -> int:
    return subprocess.run([str(word) for word in command], capture_output=True, check=check).returncode
