"""A window on rows that are read from front to back: only those between what was forgotten and what was asked for."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa


class Window:
    """Rows by their number, of batches that are fetched when they are first needed."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._coming = iter(batches)
        self._held: list[pa.RecordBatch] = []
        self._first = 0
        self._end = 0

    def rows(self, low: int, high: int) -> pa.Table:
        """The rows from `low` to `high`, both included.

        Raises:
            ValueError: when there are fewer rows, or `low` was forgotten.
        """
        while self._end <= high:
            batch = next(self._coming, None)
            if batch is None:
                raise ValueError(f"there are only {self._end} rows")
            self._held.append(batch)
            self._end += batch.num_rows
        if low < self._first:
            raise ValueError(f"row {low} was forgotten")
        return pa.Table.from_batches(self._held).slice(low - self._first, high - low + 1)

    def forget(self, before: int) -> None:
        """Let go of batches that have only rows before this one."""
        while self._held and self._first + self._held[0].num_rows <= before:
            self._first += self._held.pop(0).num_rows
