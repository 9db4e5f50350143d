"""The thread that takes lines out of a queue and stores them in batches, or leaves them in a file for later."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue

from data_platform.records.pending_lines import PendingLines
from data_platform.records.sync_logs import NewLine
from data_platform.sync.lines.patience import Patience


@dataclass(frozen=True, slots=True)
class Limits:
    """A batch has so many lines, or waits so long since its first; so many lines may wait in memory.

    The database has `answer_seconds` to store a batch. When it did not, it is left in peace for `retry_seconds`.
    Closing takes `close_seconds` at most: twice `answer_seconds`, and time for the disk.
    """

    batch_lines: int = 100
    batch_seconds: float = 1.0
    waiting_lines: int = 10_000
    answer_seconds: float = 2.0
    retry_seconds: float = 5.0
    close_seconds: float = 5.0


class LineWriter:
    """Stores lines by `store`, files of lines by `load`; what can't be stored waits in `pending`.

    A line is in the table, in a file or, for `batch_seconds` and twice `answer_seconds` at most, in memory: that much a
    process loses that is killed. One that ends otherwise closes the writer.
    """

    def __init__(
        self,
        store: Callable[[Sequence[NewLine]], object],
        load: Callable[[], object],
        pending: PendingLines,
        limits: Limits,
    ) -> None:
        self._store = store
        self._load = load
        self._pending = pending
        self._limits = limits
        self._waiting: SimpleQueue[NewLine | None] = SimpleQueue()
        self._closing = False
        self._retry_at = 0.0
        self._database = Patience("sync-lines-database")
        self._thread = threading.Thread(target=self._run, name="sync-lines", daemon=True)
        self._thread.start()
        # For a process that ends without closing; a bound method equals itself.
        atexit.register(self.close)

    def offer(self, line: NewLine) -> None:
        """Take a line. Never waits and never raises."""
        if self._closing or self._waiting.qsize() >= self._limits.waiting_lines:
            self._pending.append([line], "too many lines wait in memory")
        else:
            self._waiting.put(line)

    def close(self) -> None:
        """Store what waits, or leave it in the file; both within `close_seconds`. Closing again does nothing."""
        if not self._closing:
            self._closing = True
            self._waiting.put(None)
        self._thread.join(self._limits.close_seconds)
        if not self._thread.is_alive():
            atexit.unregister(self.close)

    def _run(self) -> None:
        ending = False
        while not ending:
            batch, ending = self._gather()
            if batch:
                self._keep(batch)
            # Lines that found the queue full have not been secured by whoever left them.
            self._pending.secure()
        self._database.end()
        self._pending.close()

    def _gather(self) -> tuple[list[NewLine], bool]:
        """Wait for lines; at the end return all there are, and True."""
        batch: list[NewLine] = []
        line = self._waiting.get()
        until = time.monotonic() + self._limits.batch_seconds
        while line is not None:
            batch.append(line)
            if len(batch) >= self._limits.batch_lines:
                return batch, False
            try:
                line = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                return batch, False
        return batch + self._rest(), True

    def _rest(self) -> list[NewLine]:
        rest: list[NewLine] = []
        while True:
            try:
                line = self._waiting.get_nowait()
            except Empty:
                return rest
            if line is not None:
                rest.append(line)

    def _keep(self, batch: Sequence[NewLine]) -> None:
        why = self._attempt(partial(self._store, batch))
        if why is not None:
            self._pending.append(batch, why)
        elif not self._closing and self._pending.close():
            # The database is back. At the end of a run this is left to the next one, which has the time.
            self._attempt(self._load)

    def _attempt(self, work: Callable[[], object]) -> str | None:
        if time.monotonic() < self._retry_at:
            return "the database did not answer a moment ago"
        why = self._database.attempt(work, self._limits.answer_seconds)
        if why is not None:
            self._retry_at = time.monotonic() + self._limits.retry_seconds
        return why
