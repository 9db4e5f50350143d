"""Rows of a result as CSV: every value that SQL has, also those that Arrow's writer has no text for."""

from __future__ import annotations

import re
from typing import IO, Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from data_platform.governance.result_rows import DIGITS, value_of

_BEGINNINGS: Final = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - the wide forms too, which some spreadsheets read alike
_FORMULA: Final = f"^[{re.escape(_BEGINNINGS)}]"

_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""The days of the years 1 to 9999, which readers of CSV know."""

_DAY_SECONDS: Final = 86_400
_MOST: Final = 2**63 - 2


def write_rows(table: pa.Table, file: IO[bytes], *, escape_formulas: bool = False) -> None:
    """Write UTF-8 with a header line; text stands in quotes, so that an empty text (`""`) is not a missing value.

    Infinite dates, those outside the years 1 to 9999, and 24:00 are written as SQL does.

    Raises:
        pyarrow.ArrowException: when a column has a type that CSV has no room for.
    """
    if any(_is_binary(column.type) for column in cast("list[Any]", table.columns)):
        # Arrow writes bytes that happen to be UTF-8 as text, a formula among them, and fails on others.
        raise pa.ArrowTypeError("bytes")
    rows = table
    if escape_formulas:
        rows = _each(rows, _without_formulas)
        rows = rows.rename_columns([_name_without_formula(name) for name in rows.column_names])
    # After the formulas: `-infinity` is a date, and none.
    pa_csv.write_csv(_each(rows, _moments_as_text), file)


def _each(table: pa.Table, change: Any) -> pa.Table:  # noqa: ANN401 - of Arrow's columns, whose class has no use here
    columns = cast("list[Any]", table.columns)
    return pa.table([change(column) for column in columns], names=table.column_names)


def _is_binary(kind: Any) -> bool:  # noqa: ANN401 - as above
    types = pa.types
    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)


def _without_formulas(column: Any) -> Any:  # noqa: ANN401 - as above
    """Text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers."""
    kind: Any = column.type
    if pa.types.is_dictionary(kind):
        # An ENUM is text like any other.
        kind = kind.value_type
        column = column.cast(kind)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return column
    compute = cast("Any", pc)
    escaped = compute.binary_join_element_wise(pa.scalar("'", kind), column, pa.scalar("", kind))
    return compute.if_else(compute.match_substring_regex(column, _FORMULA), escaped, column)


def _name_without_formula(name: str) -> str:
    return f"'{name}" if name[:1] in tuple(_BEGINNINGS) else name


def _moments_as_text(column: Any) -> Any:  # noqa: ANN401 - as above
    """Arrow's writer has no text for some moments, and the text of others for infinity with a time zone."""
    first, last = _bounds(column.type)
    if first is None:
        return column
    compute, array = cast("Any", pc), column.combine_chunks()
    counts = array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64())  # noqa: PLR2004 - bits
    odd = compute.or_(compute.less(counts, first), compute.greater(counts, last))
    if not compute.any(odd).as_py():
        return column
    # As Arrow separates days from times.
    texts = [str(value_of(each)).replace("T", " ") for each in array.filter(odd)]
    return compute.replace_with_mask(array.cast(pa.string()), odd, pa.array(texts, pa.string()))


def _bounds(kind: Any) -> tuple[int | None, int | None]:  # noqa: ANN401 - an Arrow type, as above
    """The first and the last that Arrow writes as readers know it, as the type counts; None for what is no moment."""
    if pa.types.is_date32(kind):
        return _FIRST_DAY, _LAST_DAY
    if pa.types.is_time(kind):
        return 0, _DAY_SECONDS * 10 ** DIGITS[kind.unit] - 1
    if pa.types.is_timestamp(kind):
        second = 10 ** DIGITS[kind.unit]
        first, last = _FIRST_DAY * _DAY_SECONDS * second, (_LAST_DAY + 1) * _DAY_SECONDS * second - 1
        return max(first, -_MOST), min(last, _MOST)
    return None, None
