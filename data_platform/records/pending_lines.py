"""Log lines that wait for the database: private files of the home, one line of JSON each, written by one process.

`logs/sync/pending-<pid>-<n>.jsonl` is locked (`flock`) for as long as its writer may add to it; the kernel frees the
lock with the writer, however that ends. Whoever obtains it stores the lines and removes the file: `pending_loading`.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from data_platform.records.private_files import private_folder, sync_folder
from data_platform.records.sync_logs import NewLine

FOLDER: Final = Path("logs") / "sync"
"""In the home."""

ROTATE_BYTES: Final = 4 * 1024 * 1024
"""A file of this size is left for others to store, who read it whole."""

_LINE: Final = TypeAdapter(NewLine)
_numbers: Final = count(1)
_log = logging.getLogger(__name__)


def encoded(line: NewLine) -> bytes:
    """Return a line as it stands in a file, with its end."""
    return _LINE.dump_json(line) + b"\n"


def decoded(text: bytes) -> NewLine:
    """Return the line that a file has.

    Raises:
        ValueError: when it is none, as the last one of a process that was killed while it wrote.
    """
    return _LINE.validate_json(text)


class PendingLines:
    """Where one process leaves lines. Shared by threads; `append` never waits for the disk, `secure` does."""

    def __init__(self, home: Path, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        self.folder = home / FOLDER
        self._rotate_bytes = rotate_bytes
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._secured = True

    def append(self, lines: Sequence[NewLine], why: str) -> None:
        """Add lines; `why` they are not in the database is told once a file.

        Never raises: lines that no disk takes are lost, and that is told.
        """
        content = b"".join(encoded(line) for line in lines)
        try:
            with self._lock:
                if self._descriptor is None:
                    self._descriptor = self._created(why)
                self._secured = False
                _write(self._descriptor, content)
        except OSError as error:
            _log.error("%d log lines of a sync are lost: %s (%s), and %s", len(lines), error.strerror, self.folder, why)
            # What came after half a line would be unreadable with it.
            self.close()

    def secure(self) -> None:
        """Make what was added durable."""
        with self._lock:
            # A copy, because another thread may close the file meanwhile.
            copy = None if self._secured or self._descriptor is None else os.dup(self._descriptor)
            self._secured = True
        if copy is None:
            return
        try:
            os.fsync(copy)
            full = os.fstat(copy).st_size >= self._rotate_bytes
        except OSError as error:
            _log.warning("%s: log lines may not outlive a power cut: %s", self.folder, error.strerror)
            full = False
        finally:
            os.close(copy)
        if full:
            self.close()

    def close(self) -> bool:
        """Leave the file for others to store; return whether there was one. The next line begins another."""
        self.secure()
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return False
        # Unlocking first frees it even where a forked child still has the descriptor open.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
        return True

    def _created(self, why: str) -> int:
        private_folder(self.folder)
        while True:
            path = self.folder / f"pending-{os.getpid()}-{next(_numbers)}.jsonl"
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                continue
            if _ours(descriptor):
                sync_folder(self.folder)
                _log.warning("Log lines of a sync go to %s and are stored later: %s", path, why)
                return descriptor
            os.close(descriptor)


def _ours(descriptor: int) -> bool:
    """Lock a new file; False when somebody who took it for an abandoned one was faster."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(descriptor).st_nlink > 0


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
