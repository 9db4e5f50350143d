"""The input rows as every store's process reads them: one uncompressed Arrow file a year, mapped and not copied."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

RESTATED_COLUMN = "ret"


def input_file(folder: Path, year: int) -> Path:
    """Where the rows of a year lie."""
    return folder / f"{year}.arrow"


def years_of(folder: Path) -> list[int]:
    """The years that have rows, in order."""
    return sorted(int(path.stem) for path in folder.iterdir() if re.fullmatch(r"\d{4}\.arrow", path.name))


def year_rows(folder: Path, year: int, *, rows: int | None = None, restatement: int = 0) -> pa.Table:
    """The rows of a year, or its first `rows`, ordered by permno and date; restatement 0 is the original."""
    with pa.memory_map(str(input_file(folder, year))) as source:
        table = pa.ipc.open_file(source).read_all()
    return restated(table if rows is None else table.slice(0, rows), restatement)


def restated(table: pa.Table, restatement: int) -> pa.Table:
    """The rows as a source would correct them: one return in a hundred is another one. Deterministic."""
    if not restatement:
        return table
    position = table.schema.get_field_index(RESTATED_COLUMN)
    touched = pa.array(np.arange(table.num_rows) % 100 == restatement % 100)
    old = table.column(position).combine_chunks()
    new = pc.if_else(touched, pc.round(pc.add(old, 0.0001 * restatement), 6), old)
    return table.set_column(position, table.schema.field(position), new)


def content_of(table: pa.Table) -> tuple[int, int]:
    """Row count and sum of returns in millionths: equal for the same rows in whatever order, and exact.

    Returns have six decimals, so whole millionths add up without rounding; a sum of floats would need a tolerance, and
    one restated return in a hundred is smaller than what such a tolerance must allow.
    """
    values = table.column(RESTATED_COLUMN)
    # What Arrow calls null, pandas calls NaN; both are missing.
    present = values.filter(pc.is_finite(values))
    return table.num_rows, pc.sum(pc.round(pc.multiply(present, 1e6)).cast(pa.int64())).as_py() or 0


def total_content(contents: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The content of several tables' rows together."""
    parts = list(contents)
    return sum(rows for rows, _ in parts), sum(total for _, total in parts)
