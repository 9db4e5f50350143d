"""The file that one process counts in.

A file has the layout of `prometheus_client.mmap_dict`, which reads it. It is written with `pwrite` and not through a
mapping: a write to a mapped page on a full disk ends the process, and here it is an error that is passed over. What is
written this way stays when the process is killed. The owner keeps `flock` on its file for as long as it lives, so
whoever obtains that has the kernel's word that nobody counts there any more.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import struct
from pathlib import Path
from typing import Final

SUFFIX: Final = ".db"
MOST_SERIES: Final = 5_000
"""How many series one process may begin: what comes after that is not counted."""

_HEADER: Final = struct.Struct("ii")
_VALUE: Final = struct.Struct("dd")
_ATTEMPTS: Final = 3


def series(metric: str, labels: tuple[str, ...], part: str = "") -> str:
    """The key of one number: `part` is a bucket's upper bound or ``sum`` for histograms."""
    return json.dumps([metric, list(labels), part])


class ProcessFile:
    """The numbers of one process. Not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = _create(folder)
        self._places: dict[str, tuple[int, float]] = {}
        self._used = _HEADER.size
        self._write(_HEADER.pack(self._used, 0), 0)

    @property
    def is_there(self) -> bool:
        """Whether the file still has a name."""
        return os.fstat(self._descriptor).st_nlink > 0

    def add(self, key: str, amount: float) -> None:
        """Add to a number."""
        _, value = self._places.get(key, (0, 0.0))
        self.put(key, value + amount)

    def put(self, key: str, value: float) -> None:
        """Set a number.

        Raises:
            OSError: when it can't be written; the file is as it was.
        """
        known = self._places.get(key)
        if known is not None:
            self._write(_VALUE.pack(value, 0.0), known[0])
            self._places[key] = (known[0], value)
            return
        if len(self._places) >= MOST_SERIES:
            raise OSError(errno.EDQUOT, "this process counts too many series")
        name = key.encode()
        padded = name + b" " * (8 - (len(name) + 4) % 8)
        entry = struct.pack("i", len(name)) + padded + _VALUE.pack(value, 0.0)
        # First the entry, then that it counts: whoever is killed between them has written nothing.
        self._write(entry, self._used)
        end = self._used + len(entry)
        self._write(_HEADER.pack(end, 0), 0)
        self._used = end
        self._places[key] = (end - _VALUE.size, value)

    def close(self) -> None:
        """Let go of the file, which is then a dead process's."""
        os.close(self._descriptor)

    def _write(self, data: bytes, position: int) -> None:
        if os.pwrite(self._descriptor, data, position) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _create(folder: Path) -> int:
    """Create a file and hold its lock. A folding process that saw it before the lock may have removed it: once more."""
    for _ in range(_ATTEMPTS):
        path = folder / f"{os.getpid()}-{secrets.token_hex(6)}{SUFFIX}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BlockingIOError:
            pass
        os.close(descriptor)
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
