"""Rows of a result as JSON can say them: the same at the command line and over HTTP."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

import pyarrow as pa


def row_objects(table: pa.Table) -> list[dict[str, object]]:
    """The rows as objects that JSON can say: dates in ISO form, whole decimals as integers, NaN as null."""
    return [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]


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
