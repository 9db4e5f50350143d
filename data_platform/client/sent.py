"""What the client sends: statements with their parameters, and names as parts of a path. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from data_platform.errors import UsageError

Scalar = bool | int | float | str | dt.date | dt.datetime | Decimal | None
Parameters = Sequence[Scalar] | Mapping[str, Scalar] | None


def statement(sql: str, dataset: str, as_of: int | str | None, parameters: Parameters) -> dict[str, Any]:
    """A statement as bodies hold it."""
    return {
        "sql": sql,
        "dataset": dataset,
        "as_of": None if as_of is None else str(as_of),
        "parameters": _sent(parameters),
    }


def _sent(parameters: Parameters) -> object:
    if parameters is None:
        return None
    if isinstance(parameters, Mapping):
        return {name: _value(value) for name, value in parameters.items()}
    return [_value(value) for value in parameters]


def _value(value: Scalar) -> object:
    """A value as the server takes it: what JSON has no type for is named."""
    if isinstance(value, dt.datetime):
        return {"type": "timestamp", "value": value.isoformat()}
    if isinstance(value, dt.date):
        return {"type": "date", "value": value.isoformat()}
    if isinstance(value, Decimal):
        return {"type": "decimal", "value": str(value)}
    return value


def segment(name: object) -> str:
    """A name as one part of a path, whatever it holds; a part of dots alone would be taken for a way up.

    Raises:
        UsageError: for such a one.
    """
    text = quote(str(name), safe="")
    if not text.strip("."):
        raise UsageError(f"{str(name)!r} is no name.")
    return text


def format_of(path: Path) -> str:
    """The format that a file's name tells.

    Raises:
        UsageError: when it tells none.
    """
    if path.suffix in {".csv", ".parquet"}:
        return path.suffix[1:]
    raise UsageError("The format is neither given nor in the file's name.", hint="Name the file *.csv or *.parquet.")
