"""From the server's CSV to Arrow: exact types from the catalog, null kept apart from the empty string."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import IO, Final, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from data_platform.catalog import Table
from data_platform.errors import SchemaError
from data_platform.sources.base import place

COPY_FORMAT: Final = "FORMAT csv, NULL ''"
"""Null arrives as nothing at all and an empty string as two quotes; every other character survives in quotes."""

_COLUMN_OF_ERROR: Final = re.compile(r"In CSV column #(\d+)")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows as the server sent them."""

    data: bytes
    rows: int


def parse_block(block: Block, table: Table, partition: str) -> pa.RecordBatch:
    """Turn a block into one batch in the table's schema; a NaN becomes null, as every missing value is.

    Raises:
        SchemaError: naming the column whose values do not fit its declaration or are infinite, never the value.
    """
    schema = table.arrow_schema
    try:
        parsed = csv.read_csv(
            # pyarrow reads its own buffers without copying them; its annotations do not know that.
            cast("IO[bytes]", pa.BufferReader(block.data)),
            read_options=csv.ReadOptions(
                column_names=schema.names, block_size=max(len(block.data), 1), use_threads=False
            ),
            parse_options=csv.ParseOptions(
                # Exact and cheap: as many line ends as rows means that no value holds one.
                newlines_in_values=block.data.count(b"\n") != block.rows,
                ignore_empty_lines=False,
            ),
            convert_options=csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        raise _misfit(str(error), table, partition) from None
    if parsed.num_rows != block.rows:
        raise SchemaError(
            f"{place(table, partition)}: {block.rows} rows arrived and {parsed.num_rows} could be read.",
            hint="This is a fault of ours; please report it with the table's column types.",
        )
    parsed = _finite(parsed, table, partition)
    for column in table.columns:
        if not column.nullable and parsed.column(column.name).null_count:
            raise SchemaError(
                f"{place(table, partition)}: column {column.name} has missing values, which the catalog rules out.",
                hint=f"Look at {column.source} at the source.",
            )
    return parsed.cast(schema).combine_chunks().to_batches()[0]


def _finite(parsed: pa.Table, table: Table, partition: str) -> pa.Table:
    """Replace the columns that hold NaN, and no others; refuse infinities."""
    for index, column in enumerate(table.columns):
        values = parsed.column(index)
        if not pa.types.is_floating(values.type):
            continue
        # A sum costs one pass and no memory, and is finite only when every value is.
        total = cast("float | None", pc.sum(values).as_py())
        if total is None or math.isfinite(total):
            continue
        infinite = pc.is_inf(values)  # pyright: ignore[reportUnknownMemberType] - partial stubs
        if pc.any(infinite).as_py():
            raise SchemaError(
                f"{place(table, partition)}: column {column.name} holds infinite values, which no table may.",
                hint=f"Look at {column.source} at the source.",
            )
        missing = pc.is_nan(values)  # pyright: ignore[reportUnknownMemberType] - partial stubs
        known = pc.if_else(missing, pa.scalar(None, values.type), values)
        parsed = parsed.set_column(index, column.name, known)
    return parsed


def _misfit(text: str, table: Table, partition: str) -> SchemaError:
    found = _COLUMN_OF_ERROR.search(text)
    number = int(found.group(1)) if found else -1
    if not 0 <= number < len(table.columns):
        return SchemaError(
            f"{place(table, partition)}: rows do not have the {len(table.columns)} declared columns.",
            hint="Compare the extract query with the catalog.",
        )
    column = table.columns[number]
    return SchemaError(
        f"{place(table, partition)}: column {column.name} holds values that are not {column.dtype}.",
        hint=f"The source's type of {column.source} has changed, or the catalog declares the wrong one.",
    )
