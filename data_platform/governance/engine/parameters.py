"""Bound parameters: which values may be bound, their way through the task's JSON, and whether a statement has them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeGuard, cast

from data_platform.errors import UsageError
from data_platform.governance.engine.problems import ProblemKind, QueryProblem, Statement

Scalar = str | int | float | bool | Decimal | dt.date | dt.datetime | None

Parameters = Sequence[Scalar] | Mapping[str, Scalar]
"""Values for `?` and `$1` in order, or for `$name` by name."""

MAX_PARAMETER_BYTES: Final = 64 * 1024

_WIDEST: Final = 2**127
_DIGITS: Final = 38
_TYPES: Final = "text, a number, true or false, a date, a date with time, or nothing"


def encode(parameters: Parameters | None) -> dict[str, list[str]]:
    """Each parameter's name (its number from 1 when it has none), type and value, all as text.

    Raises:
        UsageError: naming the parameter that can't be bound, or when all together are longer than 64 KiB.
    """
    if parameters is None:
        return {}
    if _is_text(parameters):
        raise UsageError("The parameters must be a list of values or a mapping of names to values.")
    if isinstance(parameters, Mapping):
        named = [(str(name).removeprefix("$"), value) for name, value in parameters.items()]
    else:
        named = [(str(number), value) for number, value in enumerate(parameters, 1)]
    encoded: dict[str, list[str]] = {}
    for name, value in named:
        # DuckDB takes $Name and $name for the same.
        if name.lower() in encoded:
            raise UsageError(f"The parameter {_shown(name)} is given twice.")
        encoded[name.lower()] = _encode(name, value)
    if len(json.dumps(encoded)) > MAX_PARAMETER_BYTES:
        raise UsageError(
            f"The parameters are longer than {MAX_PARAMETER_BYTES // 1024} KiB together.",
            hint="Put long lists of values into a join or a range.",
        )
    return encoded


def decode(encoded: Mapping[str, list[str]]) -> dict[str, Scalar]:
    """The values that `encode` wrote, by lower-case name."""
    return {name: _decode(kind, text) for name, (kind, text) in encoded.items()}


def misfit(document: Mapping[str, Any], given: Mapping[str, object], statement: Statement) -> QueryProblem | None:
    """The first parameter that the statement needs and was not given, or was given and doesn't stand in it."""
    asked: dict[str, int | None] = {}
    waiting: list[Any] = [document["statements"]]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting.extend(reversed(cast("list[Any]", found)))
        elif isinstance(found, dict):
            node = cast("dict[str, Any]", found)
            if node.get("class") == "PARAMETER":
                asked.setdefault(str(node["identifier"]).lower(), node.get("query_location"))
            waiting.extend(reversed(list(node.values())))
    for name, place in asked.items():
        if name not in given:
            line, column = (None if place is None else statement.locate(place)) or (None, None)
            text = f"No value was given for the parameter {_shown(name)}"
            return QueryProblem(ProblemKind.PARAMETER, text, line, column)
    for name in given:
        if name not in asked:
            return QueryProblem(ProblemKind.PARAMETER, f"The statement has no parameter {_shown(name)}")
    return None


def _encode(name: str, value: object) -> list[str]:
    match value:
        case None:
            return ["null", ""]
        case bool():
            return ["bool", "1" if value else ""]
        case int():
            if not -_WIDEST <= value < _WIDEST:
                raise _unfit(name, "is a whole number of more than 128 bits")
            return ["int", str(value)]
        case float():
            return ["float", repr(value)]
        case Decimal():
            if not value.is_finite() or not _fits(value):
                raise _unfit(name, f"is no decimal number of at most {_DIGITS} digits")
            return ["decimal", str(value)]
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise _unfit(name, "is not valid text") from None
            return ["str", value]
        case dt.datetime():
            return ["datetime", value.isoformat()]
        case dt.date():
            return ["date", value.isoformat()]
        case _:
            raise _unfit(name, f"is of a type that can't be bound ({type(value).__name__})")


def _decode(kind: str, text: str) -> Scalar:
    match kind:
        case "null":
            return None
        case "bool":
            return bool(text)
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "decimal":
            return Decimal(text)
        case "str":
            return text
        case "datetime":
            return dt.datetime.fromisoformat(text)
        case "date":
            return dt.date.fromisoformat(text)
        case _:
            raise ValueError("unknown kind of parameter")


def _fits(value: Decimal) -> bool:
    _, digits, exponent = value.as_tuple()
    places = int(exponent)
    return max(len(digits) + max(places, 0), -min(places, 0)) <= _DIGITS


def _unfit(name: str, why: str) -> UsageError:
    return UsageError(f"The parameter {_shown(name)} {why}.", hint=f"A parameter is {_TYPES}.")


def _shown(name: str) -> str:
    return f"${name}" if name.isidentifier() or name.isdecimal() else "with the odd name"


def _is_text(parameters: object) -> TypeGuard[str | bytes]:
    return isinstance(parameters, str | bytes)
