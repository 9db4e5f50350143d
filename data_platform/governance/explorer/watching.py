"""Cancelling what runs in this process when another process asks for it: one look at the records a second for all."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary, ref

from data_platform.governance.engine.cancellation import Cancellation
from data_platform.records import query_requests
from data_platform.records.connection import Records
from data_platform.records.scope import Scope

BY_USER: Final = "by its user"

_EVERY_SECONDS: Final = 1.0
_SCOPE: Final = Scope.system("explorer")


class CancelWatch:
    """The requests that run in this process over one set of records. Its thread lives while there are any."""

    def __init__(self, records: Records, every_seconds: float = _EVERY_SECONDS) -> None:
        # Weak: the dictionary of all watches keeps this one for as long as its records live.
        self._records = ref(records)
        self._every = every_seconds
        self._lock = threading.Lock()
        self._running: dict[UUID, Cancellation] = {}
        self._left = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped: str | None = None

    @contextmanager
    def watching(self, request_id: UUID, cancellation: Cancellation) -> Generator[None]:
        """Within the block, a request to cancel reaches the cancellation."""
        with self._lock:
            self._running[request_id] = cancellation
            self._left.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="cancelled-requests", daemon=True)
                self._thread.start()
            stopped = self._stopped
        if stopped is not None:
            cancellation.cancel(stopped)
        try:
            yield
        finally:
            with self._lock:
                del self._running[request_id]
                if not self._running:
                    self._left.set()

    def cancel(self, request_id: UUID, reason: str | None) -> None:
        """Stop a request at once when it runs in this process."""
        with self._lock:
            cancellation = self._running.get(request_id)
        if cancellation is not None:
            cancellation.cancel(reason or BY_USER)

    def stop(self, reason: str) -> None:
        """Stop everything that runs in this process, and whatever begins from now on."""
        with self._lock:
            self._stopped = reason
            running = list(self._running.values())
        for cancellation in running:
            cancellation.cancel(reason)

    def _look(self) -> None:
        while True:
            self._left.wait(self._every)
            with self._lock:
                if not self._running:
                    self._thread = None
                    return
                running = list(self._running)
            records = self._records()
            if records is None:
                with self._lock:
                    self._thread = None
                return
            try:
                with records.transaction(_SCOPE) as connection:
                    cancelled = query_requests.cancelled_among(connection, running)
            except Exception:  # noqa: BLE001, S112 - the database may be away for a while, and come back
                continue
            for request_id, reason in cancelled.items():
                self.cancel(request_id, reason)


_watches: WeakKeyDictionary[Records, CancelWatch] = WeakKeyDictionary()
_watches_lock = threading.Lock()


def watch_over(records: Records) -> CancelWatch:
    """The one watch of this process over these records."""
    with _watches_lock:
        watch = _watches.get(records)
        if watch is None:
            watch = _watches[records] = CancelWatch(records)
        return watch
