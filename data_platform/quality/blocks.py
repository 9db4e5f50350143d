"""A staged file block by block: what keeps memory bounded whatever its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import polars as pl

BLOCK: Final = 131_072
"""Rows in memory at a time: as many as a published row group has, so that each is read once."""


def blocks(path: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Consecutive rows of these columns, in the file's order; none of an empty file.

    The next ones are read in a thread while the caller works on these.
    """
    frame = pl.scan_parquet(path).select(columns)
    rows = row_count(path)

    def read(start: int) -> pl.DataFrame:
        return frame.slice(start, BLOCK).collect(engine="streaming")

    coming: Future[pl.DataFrame] | None = None
    with ThreadPoolExecutor(1, "blocks") as thread:
        for start in range(0, rows, BLOCK):
            ready, coming = coming, thread.submit(read, start)
            if ready is not None:
                yield ready.result()
        if coming is not None:
            yield coming.result()


def row_count(path: Path) -> int:
    """The number of rows, from the file's footer."""
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())
