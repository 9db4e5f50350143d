r"""From the server's text format to Arrow: exact types from the catalog, null kept apart from the empty string.

The format writes tabs, line ends and backslashes of a value as escapes, so that a raw tab or line end always ends a
value or a row, and a raw `\N` is always null. The CSV parser is therefore told of no quotes and no escapes, which it
reads fastest, and what was escaped is put right afterwards, in the few columns that hold any.
"""

from __future__ import annotations

import math
import re
from typing import IO, Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from data_platform.catalog import Table
from data_platform.errors import SchemaError
from data_platform.sources.base import place

COPY_FORMAT: Final = "FORMAT text"

_NULL: Final = "\\N"
_BYTE_ORDER_MARK: Final = "\ufeff".encode()
_COLUMN_OF_ERROR: Final = re.compile(r"In CSV column #(\d+)")

_NO_TEXT_HOLDS: Final = "\0"
"""The one character that Postgres stores in no text: it stands for a backslash while the other escapes are read."""

_ESCAPES: Final = {
    "\\\\": _NO_TEXT_HOLDS,
    "\\t": "\t",
    "\\n": "\n",
    "\\r": "\r",
    "\\b": "\b",
    "\\f": "\f",
    "\\v": "\v",
    _NO_TEXT_HOLDS: "\\",
}
"""All that the server ever writes after a backslash, in the order in which it must be read."""


def parse_block(block: bytes, table: Table, partition: str) -> pa.RecordBatch:
    """Turn whole rows, as the server sent them, into one batch in the table's schema.

    A NaN becomes null, as every missing value is.

    Raises:
        SchemaError: naming the column whose values do not fit its declaration or are infinite, never the value.
    """
    schema = table.arrow_schema
    if block.startswith(_BYTE_ORDER_MARK):
        # The parser takes the first one for a mark of the encoding; here it is a value's.
        block = _BYTE_ORDER_MARK + block
    try:
        parsed = csv.read_csv(
            # pyarrow reads its own buffers without copying them; its annotations do not know that.
            cast("IO[bytes]", pa.BufferReader(block)),
            read_options=csv.ReadOptions(column_names=schema.names, block_size=max(len(block), 1), use_threads=False),
            parse_options=csv.ParseOptions(
                delimiter="\t",
                quote_char=False,
                double_quote=False,
                escape_char=False,
                newlines_in_values=False,
                ignore_empty_lines=False,
            ),
            convert_options=csv.ConvertOptions(
                column_types=schema,
                null_values=[_NULL],
                strings_can_be_null=True,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        raise _misfit(str(error), table, partition) from None
    parsed = _finite(_unescaped(parsed, table), table, partition)
    for column in table.columns:
        if not column.nullable and parsed.column(column.name).null_count:
            raise SchemaError(
                f"{place(table, partition)}: column {column.name} has missing values, which the catalog rules out.",
                hint=f"Look at {column.source} at the source.",
            )
    return parsed.cast(schema).combine_chunks().to_batches()[0]


def _unescaped(parsed: pa.Table, table: Table) -> pa.Table:
    """Replace the text columns that hold a backslash, and no others."""
    for index, column in enumerate(table.columns):
        values: pa.ChunkedArray[Any] = parsed.column(index)
        if pa.types.is_string(values.type) and _holds_backslash(values):
            for escape, meant in _ESCAPES.items():
                values = pc.replace_substring(values, escape, meant)
            parsed = parsed.set_column(index, column.name, values)
    return parsed


def _holds_backslash(column: pa.ChunkedArray[Any]) -> bool:
    """One search through the bytes of all values together, which costs next to nothing when there is none."""
    return any(b"\\" in data.to_pybytes() for chunk in column.chunks if (data := chunk.buffers()[2]) is not None)


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
