"""The one lock between publishing and sweeping: publishers share it, the sweeper has it to itself.

Without it a publisher could find its content already in place and rely on it in the moment in which the sweeper takes
it away. Whoever writes down that a version is needed (a publish, a tag, a pin, a backup) holds it shared for as long
as that takes; whoever removes published files holds it exclusively. It is a `flock`: the kernel frees it with its
holder.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from data_platform.errors import LockBusyError
from data_platform.warehouse.store import make_folder, no_space_is_clear

_POLL_SECONDS: Final = 0.1
SHARED_WAIT_SECONDS: Final = 60.0


class SweepLock:
    """The file `locks/sweep.flock` of a warehouse."""

    def __init__(self, root: Path) -> None:
        self._path = root / "locks" / "sweep.flock"

    @contextmanager
    def shared(self) -> Generator[None]:
        """Keep published files from being swept meanwhile; a sweep that is running is waited for.

        Raises:
            LockBusyError: when it takes more than a minute.
        """
        with self._flock(fcntl.LOCK_SH, SHARED_WAIT_SECONDS):
            yield

    @contextmanager
    def exclusive(self, *, wait_seconds: float = 10.0) -> Generator[None]:
        """Be the only one who touches published files.

        Raises:
            LockBusyError: when publishers, or another sweep, do not make room in time.
        """
        with self._flock(fcntl.LOCK_EX, wait_seconds):
            yield

    @contextmanager
    def _flock(self, kind: int, wait_seconds: float) -> Generator[None]:
        make_folder(self._path.parent)
        with no_space_is_clear(self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + wait_seconds
            while not _obtained(descriptor, kind):
                if time.monotonic() >= deadline:
                    raise LockBusyError(
                        "Published files are being "
                        + ("published, tagged or backed up" if kind == fcntl.LOCK_EX else "swept")
                        + " by another process; nothing was done.",
                        hint="Run the same command again in a while.",
                    )
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            # Unlocking first frees it even where a forked child still has the descriptor open.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


def _obtained(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
