"""A staged file block by block: what keeps memory bounded whatever its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

BLOCK: Final = 131_072
"""Rows in memory at a time: as many as a published row group has, so that each is read once."""


def blocks(path: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Consecutive rows of these columns, in the file's order; none of an empty file."""
    frame = pl.scan_parquet(path).select(columns)
    rows = row_count(path)
    for start in range(0, rows, BLOCK):
        yield frame.slice(start, BLOCK).collect(engine="streaming")


def row_count(path: Path) -> int:
    """The number of rows, from the file's footer."""
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())
