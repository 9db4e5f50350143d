"""One number for the rows of a result, by which a replay is compared with what was answered then. Pure.

Equal rows give equal numbers whatever order they come in; when the query orders them, a second number covers the order.
Floating numbers count to ten significant digits, because the last bits of a sum depend on how the work was shared out.
A sum in which large numbers cancel each other can differ by more than that, and so can a number that lies within such
an error of the middle between two roundings.

Values of types that few results have (lists, structs, decimals) are written one by one, outside the engine's limits: a
result with more of them than `MOST_SLOW` gets no number, and a replay of it can't tell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_platform.governance.result_rows import values_of
from data_platform.records.query_audit import ResultHash

DIGITS: Final = 10

MOST_SLOW: Final = 2_000_000
"""Values that are written one by one; they take seconds, and the whole process while they do."""

_EXACT: Final = Context(prec=76)
"""Python's own takes 28 digits of a number; SQL's have up to 38 of them, Arrow's 76."""

_NULL, _BETWEEN = "\\N", "\x1f"
_MIDDLE: Final = 170
_POWERS: Final = np.array([float(f"1e{exponent}") for exponent in range(-_MIDDLE, _MIDDLE + 1)])


def affordable_hash(table: pa.Table, *, ordered: bool) -> ResultHash | None:
    """The same as `result_hash`; None when that would take too long."""
    columns = cast("list[Any]", table.columns)
    slow = sum(slow_values(chunk) for column in columns for chunk in column.chunks)
    return None if slow > MOST_SLOW else result_hash(table, ordered=ordered)


def result_hash(table: pa.Table, *, ordered: bool) -> ResultHash:
    """The numbers of a result: its column names and its rows."""
    names = json.dumps(table.column_names)
    if not table.num_columns or not table.num_rows:
        return ResultHash(_digest(names, b""), _digest(names, b"") if ordered else None)
    rows = row_texts(table)
    in_any_order = rows.take(cast("Any", pc).sort_indices(rows))
    return ResultHash(_digest(names, _content(in_any_order)), _digest(names, _content(rows)) if ordered else None)


def slow_values(array: Any) -> int:  # noqa: ANN401 - an Arrow array, whose class is generic without a use here
    """How many values of an array have to be written one by one, those within others counted too."""
    if _is_fast(array.type):
        return 0
    return values_within(array)


def values_within(array: Any) -> int:  # noqa: ANN401 - as above
    """How many values an array has, those within others counted too."""
    kind: Any = array.type
    count = len(array)
    if pa.types.is_struct(kind):
        return count + sum(values_within(each) for each in array.flatten())
    if pa.types.is_map(kind):
        return count + values_within(array.keys) + values_within(array.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return count + values_within(array.flatten())
    if pa.types.is_union(kind):
        return count + sum(values_within(array.field(number)) for number in range(kind.num_fields))
    return count


def _is_fast(kind: Any) -> bool:  # noqa: ANN401 - as above
    types = pa.types
    text = types.is_string(kind) or types.is_large_string(kind)
    plain = types.is_integer(kind) or types.is_boolean(kind) or types.is_floating(kind)
    return text or plain or types.is_date32(kind) or types.is_timestamp(kind)


def row_texts(table: pa.Table) -> Any:  # noqa: ANN401 - an Arrow array, whose class is generic without a use here
    """Each row as one text that ends with a line feed; equal when all the values are, and only then."""
    columns = [_texts(column) for column in table.columns]
    end, between = pa.scalar("\n", pa.large_string()), pa.scalar(_BETWEEN, pa.large_string())
    return cast("Any", pc).binary_join_element_wise(*columns, end, between)


def _texts(values: Any) -> Any:  # noqa: ANN401 - Arrow arrays, whose compute functions have no precise stubs
    compute = cast("Any", pc)
    array: Any = values.combine_chunks()
    kind: Any = array.type
    if pa.types.is_floating(kind):
        texts = _significant(array.cast(pa.float64()))
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = array.cast(pa.large_string())
        for character, written in (("\\", "\\\\"), (_BETWEEN, "\\x"), ("\n", "\\n")):
            texts = compute.replace_substring(texts, character, written)
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        texts = array.cast(pa.large_string())
    elif pa.types.is_date32(kind):
        texts = array.cast(pa.int32()).cast(pa.large_string())
    elif pa.types.is_timestamp(kind):
        texts = _instants(array).cast(pa.large_string())
    else:
        texts = pa.array([None if value is None else _word(value) for value in values_of(array)], pa.large_string())
    return compute.fill_null(texts, pa.scalar(_NULL, pa.large_string()))


def _instants(array: Any) -> Any:  # noqa: ANN401 - as above
    """Microseconds; in a column with finer ones, or with instants too far away for that, what its own unit counts."""
    try:
        return array.cast(pa.timestamp("us")).cast(pa.int64())
    except pa.ArrowInvalid:
        return array.cast(pa.int64())


def _significant(array: Any) -> Any:  # noqa: ANN401 - as above
    """Each number's ten digits and its exponent as one integer, which every machine writes alike."""
    compute = cast("Any", pc)
    numbers = np.asarray(compute.fill_null(array, 0.0).to_numpy(zero_copy_only=False), dtype=np.float64)
    finite = np.isfinite(numbers)
    sizes = np.where(finite & (numbers != 0), np.abs(numbers), 1.0)
    exponents = np.floor(np.log10(sizes)).astype(np.int64)
    # In two steps: a power of ten alone could be too large or too small for a number.
    shift = DIGITS - 1 - exponents
    half = shift // 2
    digits = np.rint(sizes * _POWERS[half + _MIDDLE] * _POWERS[shift - half + _MIDDLE])
    over, under = digits >= 10**DIGITS, digits < 10 ** (DIGITS - 1)
    digits = np.where(over, np.rint(digits / 10), np.where(under, np.rint(digits * 10), digits))
    words = digits.astype(np.int64) * 1_000 + exponents + over - under + 400
    texts = pa.array(words * np.sign(np.where(finite, numbers, 0)).astype(np.int64)).cast(pa.large_string())
    if not finite.all():
        names = np.where(np.isnan(numbers), "nan", np.where(numbers > 0, "inf", "-inf"))
        texts = compute.if_else(pa.array(finite), texts, pa.array(names, pa.large_string()))
    return compute.if_else(array.is_valid(), texts, pa.scalar(None, pa.large_string()))


def _word(value: object) -> str:
    """A value of a type that few results have; floating numbers within it are rounded too."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=True)


def _plain(value: object) -> object:
    match value:
        case float():
            return f"{value:.{DIGITS - 1}e}"
        case Decimal():
            return str(value.normalize(_EXACT))
        case bytes():
            return value.hex()
        case Mapping():
            entries = cast("Mapping[object, object]", value).items()
            return {str(key): _plain(item) for key, item in entries}
        case list() | tuple():
            return [_plain(item) for item in cast("list[object]", value)]
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)


def _content(rows: Any) -> memoryview:  # noqa: ANN401 - as above
    """The texts one after the other; the array was made by a computation, so it begins where its buffers do."""
    _, offsets, data = rows.buffers()
    return memoryview(data)[: int(np.frombuffer(offsets, np.int64)[len(rows)])]


def _digest(names: str, content: bytes | memoryview) -> str:
    found = hashlib.sha256(f"{names}\n".encode())
    found.update(content)
    return found.hexdigest()
