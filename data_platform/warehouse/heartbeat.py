"""A sign of life: while a lock is held, its file's modification time is renewed every minute.

It tells people whether an owner that the kernel calls alive is at work or stopped. Nothing is ever decided by it.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Final

HEARTBEAT_SECONDS: Final = 60.0


class Heartbeat:
    """Renews the times of an open file until stopped; ends with the process, and is not inherited by forked ones."""

    def __init__(self, descriptor: int, every_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._descriptor = descriptor
        self._every = every_seconds
        self._stopped = threading.Event()
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._beat, name="lock heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it; once this returns, the descriptor is not touched any more and may be closed."""
        if os.getpid() == self._pid:  # a forked child has the object but not the thread
            self._stopped.set()
            self._thread.join()

    def _beat(self) -> None:
        while not self._stopped.wait(self._every):
            with suppress(OSError):
                os.utime(self._descriptor)
