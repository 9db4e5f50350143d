"""COPY in bounded memory: a thread receives row-aligned blocks while the caller works on the ones before.

The server's protocol sends one message per row, and the driver writes each to a file. That file is the standard
library's buffered writer, so that no Python runs for a row; it hands over what it holds before it takes a row for which
there is no room, so a block never cuts one.
"""

from __future__ import annotations

import contextlib
import io
import queue
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Final

from psycopg2 import sql

from data_platform.sources.wrds.cancelling import CANCEL_SECONDS, ask_to_cancel, hang_up
from data_platform.sources.wrds.parsing import COPY_FORMAT

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from psycopg2 import extensions

BLOCK_BYTES: Final = 1024 * 1024
"""What the parser makes of it still fits into a processor's cache: blocks of 8 MiB take it twice as long."""

QUEUED_BLOCKS: Final = 6
"""The server keeps sending while the caller is busy elsewhere for about a quarter of a second."""


class CopyFailedError(Exception):
    """The copy broke off after the blocks that were yielded; `cause` is the driver's error."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


class CopyOut:
    """One COPY TO STDOUT on a session that does nothing else meanwhile. Iterate `blocks()` once.

    `rows` is the server's own count, known when the last block has been yielded.
    """

    def __init__(
        self, connection: extensions.connection, query: sql.Composable, block_bytes: int = BLOCK_BYTES
    ) -> None:
        self.rows: int | None = None
        self._connection = connection
        self._statement = sql.SQL("COPY (\n{}\n) TO STDOUT (" + COPY_FORMAT + ")").format(query)
        self._block_bytes = block_bytes
        self._queue: queue.Queue[bytes | Exception | None] = queue.Queue(QUEUED_BLOCKS)
        self._abandoned = False
        self._thread = threading.Thread(target=self._receive, name="wrds-copy", daemon=True)

    def blocks(self) -> Generator[bytes]:
        """Yield whole rows as they arrive. Closing the iterator early cancels the statement at the server.

        Raises:
            CopyFailedError: when the server refuses the query or goes away.
        """
        self._thread.start()
        try:
            while (item := self._queue.get()) is not None:
                if isinstance(item, Exception):
                    raise CopyFailedError(item) from None
                yield item
        finally:
            self._stop()

    def take(self, block: bytes) -> None:
        """Put a block where the caller finds it, waiting for room; drop it when nobody will come."""
        if not self._abandoned:
            self._queue.put(block)

    def _receive(self) -> None:
        try:
            with io.BufferedWriter(_Rows(self), self._block_bytes) as rows, self._connection.cursor() as cursor:
                cursor.copy_expert(self._statement, rows)
                self.rows = cursor.rowcount
            outcome = None
        except Exception as error:  # noqa: BLE001 - a thread that dies in silence would leave its reader waiting
            outcome = error
        self._queue.put(outcome)

    def _stop(self) -> None:
        """Leave neither the thread nor the statement behind."""
        self._abandoned = True
        if self._finished_within(0.0):
            return
        if ask_to_cancel(self._connection, CANCEL_SECONDS) and self._finished_within(CANCEL_SECONDS):
            return
        hang_up(self._connection)
        self._finished_within(None)

    def _finished_within(self, seconds: float | None) -> bool:
        """Wait for the thread, taking from the queue what it may be blocked on."""
        step = 0.02
        waited = 0.0
        while self._thread.is_alive():
            with contextlib.suppress(queue.Empty):
                while True:
                    self._queue.get_nowait()
            self._thread.join(step)
            waited += step
            if seconds is not None and waited > seconds:
                return not self._thread.is_alive()
        return True


class _Rows(io.RawIOBase):
    """Where the buffered writer puts what it has gathered: whole rows."""

    def __init__(self, copy: CopyOut) -> None:
        self._copy = copy

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        block = bytes(data)  # the writer uses its memory again
        self._copy.take(block)
        return len(block)
