"""The permanent file beside a table's lock: who changes the lock or publishes holds `flock` on it, for milliseconds."""

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

READER_SECONDS: Final = 5.0
"""How long whoever only looks, or asks for the lock, waits: hundreds of times what the guard is held for."""
WRITER_SECONDS: Final = 600.0
"""How long whoever has the lock and is about to publish waits for somebody who was stopped in the middle."""
_POLL_SECONDS: Final = 0.005


@contextmanager
def held_guard(path: Path, wait_seconds: float) -> Generator[None]:
    """Hold the guard for the block; the kernel gives it back if we die.

    Raises:
        LockBusyError: another process holds it for longer than we may wait.
    """
    make_folder(path.parent)
    with no_space_is_clear(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, path.stem, time.monotonic() + wait_seconds)
        try:
            yield
        finally:
            # Unlocking first frees it even where a forked child still has the descriptor open.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _take(descriptor: int, table: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockBusyError(
                    f"The lock on {table} is being changed by a process that does not go on.",
                    hint=f"It may have been stopped: `fuser {table}.guard` in the warehouse's folder `locks` names it.",
                ) from None
        else:
            return
        time.sleep(_POLL_SECONDS)
