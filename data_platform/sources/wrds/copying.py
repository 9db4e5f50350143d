"""COPY in bounded memory: a thread receives row-aligned blocks while the caller works on the one before.

The server's protocol sends one message per row, and libpq hands over whole messages, so a block never cuts a row.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import psycopg2
from psycopg2 import sql

from data_platform.sources.wrds.cancelling import ask_to_cancel
from data_platform.sources.wrds.parsing import COPY_FORMAT, Block

if TYPE_CHECKING:
    from psycopg2 import extensions

BLOCK_BYTES: Final = 8 * 1024 * 1024
"""Where the measured speed stops rising; memory grows with it."""

QUEUED_BLOCKS: Final = 2

CANCEL_SECONDS: Final = 10.0
"""How long the server may take to heed a cancellation before the line is cut."""


class CopyFailedError(Exception):
    """The copy broke off; `cause` is the driver's error and `rows` how many had been received."""

    def __init__(self, cause: Exception, rows: int) -> None:
        super().__init__()
        self.cause = cause
        self.rows = rows


class CopyOut:
    """One COPY TO STDOUT on a session that does nothing else meanwhile. Iterate `blocks()` once."""

    def __init__(
        self, connection: extensions.connection, query: sql.Composable, block_bytes: int = BLOCK_BYTES
    ) -> None:
        self.rows_received = 0
        self.bytes_received = 0
        self._connection = connection
        self._statement = sql.SQL("COPY (\n{}\n) TO STDOUT (" + COPY_FORMAT + ")").format(query)
        self._block_bytes = block_bytes
        self._queue: queue.Queue[Block | Exception | None] = queue.Queue(QUEUED_BLOCKS)
        self._abandoned = False
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._thread = threading.Thread(target=self._receive, name="wrds-copy", daemon=True)

    def blocks(self) -> Generator[Block]:
        """Yield blocks as they arrive. Closing the iterator early cancels the statement at the server.

        Raises:
            CopyFailedError: when the server refuses the query or goes away.
        """
        self._thread.start()
        try:
            while (item := self._queue.get()) is not None:
                if isinstance(item, Exception):
                    raise CopyFailedError(item, self.rows_received) from None
                yield item
        finally:
            self._stop()

    def write(self, row: bytes) -> None:
        """Take one row from the driver, which knows this object as a file."""
        if self._abandoned:
            return
        self._pending.append(row)
        self._pending_bytes += len(row)
        if self._pending_bytes >= self._block_bytes:
            self._flush()

    def _flush(self) -> None:
        block = Block(b"".join(self._pending), len(self._pending))
        self.rows_received += block.rows
        self.bytes_received += len(block.data)
        self._pending = []
        self._pending_bytes = 0
        self._queue.put(block)

    def _receive(self) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.copy_expert(self._statement, self)
            if self._pending and not self._abandoned:
                self._flush()
            outcome = None
        except Exception as error:  # noqa: BLE001 - a thread that dies in silence would leave its reader waiting
            self.rows_received += len(self._pending)
            outcome = error
        self._queue.put(outcome)

    def _stop(self) -> None:
        """Leave neither the thread nor the statement behind."""
        self._abandoned = True
        if self._finished_within(0.0):
            return
        if ask_to_cancel(self._connection, CANCEL_SECONDS) and self._finished_within(CANCEL_SECONDS):
            return
        # The server does not heed the cancellation: hang up, which ends the driver's wait at once. The server notices
        # when it sends the next row.
        with contextlib.suppress(OSError, psycopg2.Error):
            line = socket.socket(fileno=os.dup(self._connection.fileno()))
            with line:
                line.shutdown(socket.SHUT_RDWR)
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
