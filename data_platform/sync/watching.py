"""Watching an extraction: whoever wants to see each batch does, and every few seconds a line says how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from data_platform.catalog import Table
from data_platform.sync.context import SyncContext
from data_platform.sync.journal import Journal
from data_platform.sync.pace import Pace, closing_line, progress_line


class Watching:
    """Watches one extraction; `lines` counts what was said of it."""

    def __init__(
        self, context: SyncContext, journal: Journal, table: Table, partition: str, expected: int | None
    ) -> None:
        self.lines = 0
        self._context = context
        self._journal = journal
        self._partition = partition
        self._title = f"{table.name} {partition}"
        self._expected = expected

    def through(
        self, batches: Iterable[pa.RecordBatch], clock: Callable[[], float] = time.monotonic
    ) -> Iterator[pa.RecordBatch]:
        """Pass batches on."""
        pace = Pace.begin(self._expected, clock())
        said_at = pace.now
        for batch in batches:
            pace = pace.after(batch.num_rows, clock())
            self._context.progress(pace)
            if pace.now - said_at >= self._context.line_seconds:
                said_at = pace.now
                self._say(progress_line(self._title, pace), pace, pace.rate)
            yield batch
        pace = pace.after(0, clock())
        self._say(closing_line(self._title, pace), pace, pace.average)

    def _say(self, line: str, pace: Pace, rate: float) -> None:
        self.lines += 1
        self._context.tell(line)
        self._journal.log(
            "INFO",
            line,
            partition=self._partition,
            rows=pace.rows,
            expected_rows=pace.expected,
            rows_per_second=round(rate),
            seconds=round(pace.seconds, 3),
            seconds_left=None if pace.remaining is None else round(pace.remaining, 3),
        )
