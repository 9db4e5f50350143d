"""Column types by their short, engine-neutral names, and the Arrow type each stands for."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from data_platform.errors import UsageError

_ARROW: Final[dict[str, pa.DataType]] = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "int16": pa.int16(),
    "int8": pa.int8(),
    "float64": pa.float64(),
    "float32": pa.float32(),
    "str": pa.string(),
    "utf8": pa.string(),
    "string": pa.string(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "datetime[us]": pa.timestamp("us"),
    "datetime[ns]": pa.timestamp("ns"),
    "datetime[ms]": pa.timestamp("ms"),
}


def arrow_type(alias: str) -> pa.DataType:
    """Return the Arrow type of an alias such as ``float64``, ``str`` or ``datetime[us]`` (case-insensitive).

    Raises:
        UsageError: for an alias that is not in the list.
    """
    found = _ARROW.get(alias.strip().lower())
    if found is None:
        raise UsageError(f"Unknown column type {alias!r}.", hint=f"Known: {', '.join(sorted(_ARROW))}.")
    return found
