"""Rows of a result as JSON can say them: the same at the command line and over HTTP."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final, cast

import pyarrow as pa

_INFINITE: Final = {32: 2**31 - 1, 64: 2**63 - 1}
_EPOCH: Final = dt.date(1970, 1, 1)
_CYCLE_DAYS, _CYCLE_YEARS = 146_097, 400
DIGITS: Final = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def row_objects(table: pa.Table) -> list[dict[str, object]]:
    """The rows as objects that JSON can say: dates in ISO form, whole decimals as integers, NaN as null."""
    return [
        {name: plain(value) for name, value in zip(table.column_names, row, strict=True)} for row in row_values(table)
    ]


def row_values(table: pa.Table) -> list[tuple[object, ...]]:
    """The rows as Python's values, dates that Python has none for as text; see `values_of`."""
    return list(zip(*map(values_of, table.columns), strict=True))


def values_of(array: Any) -> list[Any]:  # noqa: ANN401 - an Arrow array, whose class is generic without a use here
    """An array's values; times of day, infinite dates and those outside Python's calendar are text, as SQL has them.

    `coalesce(linkenddt, 'infinity')` is a date like any other in SQL, and 24:00 is a time.
    """
    if not _has_times(array.type):
        with suppress(OverflowError, ValueError):
            return array.to_pylist()
    return [value_of(each) for each in array]


def plain(value: object) -> object:
    """One value as JSON can say it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast(Mapping[object, object], value).items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast(Sequence[object], value)]
    return str(value)


def _has_times(kind: Any) -> bool:  # noqa: ANN401 - an Arrow type, whose class is generic without a use here
    fields = [kind.field(number) for number in range(kind.num_fields)]
    # Infinity in nanoseconds would be taken for a day of the year 2262.
    ours = pa.types.is_time(kind) or (pa.types.is_timestamp(kind) and kind.unit == "ns")
    return ours or any(_has_times(field.type) for field in fields)


def value_of(scalar: Any) -> object:  # noqa: ANN401 - an Arrow scalar, whose class is generic without a use here
    """One value, as `values_of` says."""
    kind, types = scalar.type, pa.types
    if not scalar.is_valid:
        return None
    if types.is_map(kind):
        return [(value_of(entry[0]), value_of(entry[1])) for entry in scalar.values]
    if types.is_struct(kind):
        return {kind.field(number).name: value_of(scalar[number]) for number in range(kind.num_fields)}
    if types.is_union(kind):
        return value_of(scalar.value)
    if types.is_nested(kind):
        return [value_of(each) for each in scalar.values]
    if types.is_time(kind):
        second, fraction = divmod(int(scalar.value), 10 ** DIGITS[kind.unit])
        return _time(second, fraction, kind.unit)
    infinite = types.is_timestamp(kind) and abs(int(scalar.value)) == _INFINITE[64]
    try:
        return _moment(kind, int(scalar.value)) if infinite else scalar.as_py()
    except (OverflowError, ValueError):
        return _moment(kind, int(scalar.value))


def _moment(kind: Any, count: int) -> str:  # noqa: ANN401 - as above
    """A date or a timestamp, by what its type counts."""
    if abs(count) == _INFINITE[kind.bit_width]:
        return "infinity" if count > 0 else "-infinity"
    if pa.types.is_date(kind):
        return _day(count)
    seconds, fraction = divmod(count, 10 ** DIGITS[kind.unit])
    days, second = divmod(seconds, 86_400)
    return f"{_day(days)}T{_time(second, fraction, kind.unit)}" + ("" if kind.tz is None else "+00:00")


def _time(second: int, fraction: int, unit: str) -> str:
    written = f".{fraction:0{DIGITS[unit]}}" if fraction else ""
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}{written}"


def _day(days: int) -> str:
    """A day of any year, written as SQL does; the calendar begins anew every four hundred years."""
    cycles, rest = divmod(days, _CYCLE_DAYS)
    day = _EPOCH + dt.timedelta(days=rest)
    year = day.year + _CYCLE_YEARS * cycles
    return f"{year:04}-{day:%m-%d}" if year > 0 else f"{1 - year:04}-{day:%m-%d} (BC)"
