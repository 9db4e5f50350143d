"""A small file system whose power can be cut: a file, mounted through a loop device. Needs root on Linux."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import time
from pathlib import Path
from typing import Final, Literal

FileSystem = Literal["ext4", "xfs"]
FILE_SYSTEMS: Final[tuple[FileSystem, ...]] = ("ext4", "xfs")

# The same request for both file systems: linux/fs/ext4/ext4.h and linux/fs/xfs/libxfs/xfs_fs.h, GOINGDOWN.
_GOING_DOWN: Final = 0x8004587D
JOURNAL_FLUSHED: Final = 1
NOTHING_FLUSHED: Final = 2
_BYTES: Final = 400 << 20
_UMOUNT_SECONDS: Final = 10.0


def why_not(file_system: FileSystem) -> str | None:
    """Why no such volume can be made here, or None when it can."""
    if os.geteuid() != 0:
        return "mounting a loop device needs root"
    if shutil.which(f"mkfs.{file_system}") is None:
        return f"mkfs.{file_system} is not installed"
    if not Path("/dev/loop-control").exists():
        return "there are no loop devices"
    return None


class Volume:
    """A mounted file system in a file; unmounted and removed on the way out."""

    def __init__(self, file_system: FileSystem, folder: Path) -> None:
        self.mount_point = folder / "mnt"
        self._image = folder / "image"
        self.mount_point.mkdir(parents=True)
        with self._image.open("wb") as image:
            image.truncate(_BYTES)
        _run(f"mkfs.{file_system}", "-q", str(self._image))
        self._mounted = False
        self.mount()

    def mount(self) -> None:
        """Mount it, replaying its journal after a power cut."""
        _run("mount", "-o", "loop", str(self._image), str(self.mount_point))
        self._mounted = True

    def cut_power(self, flag: int) -> None:
        """Stop the file system at once: what has not reached the device is lost."""
        descriptor = os.open(self.mount_point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _GOING_DOWN, struct.pack("I", flag))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        """Unmount, waiting for killed processes to let go."""
        deadline = time.monotonic() + _UMOUNT_SECONDS
        while self._mounted:
            try:
                _run("umount", str(self.mount_point))
                self._mounted = False
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def remove(self) -> None:
        """Unmount and delete the file."""
        self.unmount()
        shutil.rmtree(self._image.parent)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed programs, our own paths
