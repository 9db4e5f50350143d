"""What the client sends: statements with their parameters, and names as parts of a path. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from data_platform.errors import UsageError

Scalar = bool | int | float | str | dt.date | dt.datetime | Decimal | None
Parameters = Sequence[Scalar] | Mapping[str, Scalar] | None

_TYPES: Final = "text, a number, true or false, a date, a date with time, or nothing"


def statement(sql: str, dataset: str, as_of: int | str | None, parameters: Parameters) -> dict[str, Any]:
    """A statement as bodies hold it.

    Raises:
        UsageError: naming the parameter that can't be sent.
    """
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
        return {str(name): _value(name, value) for name, value in parameters.items()}
    if not _is_list(parameters):
        raise UsageError("The parameters must be a list of values or a mapping of names to values.")
    return [_value(number, value) for number, value in enumerate(parameters, 1)]


def _is_list(parameters: object) -> bool:
    return isinstance(parameters, Iterable) and not isinstance(parameters, str | bytes)


def _value(name: object, value: object) -> object:
    """A value as the server takes it: what JSON has no type for is named."""
    if isinstance(value, dt.datetime):
        return {"type": "timestamp", "value": value.isoformat()}
    if isinstance(value, dt.date):
        return {"type": "date", "value": value.isoformat()}
    if isinstance(value, Decimal):
        return {"type": "decimal", "value": str(value)}
    if isinstance(value, float) and not math.isfinite(value):
        raise _unfit(name, "is no finite number")
    if value is not None and not isinstance(value, bool | int | float | str):
        raise _unfit(name, f"is of a type that can't be sent ({type(value).__name__})")
    return value


def _unfit(name: object, why: str) -> UsageError:
    # As the engine says it of its own.
    return UsageError(f"The parameter ${str(name).removeprefix('$')} {why}.", hint=f"A parameter is {_TYPES}.")


def segment(name: object) -> str:
    """A name as one part of a path, whatever it holds; a part of dots alone would be taken for a way up.

    Raises:
        UsageError: for such a one.
    """
    text = quote(str(name), safe="")
    if not text.strip("."):
        raise UsageError(f"{str(name)!r} is no name.")
    return text
