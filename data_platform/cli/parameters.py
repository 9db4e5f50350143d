"""`--param NAME=VALUE`: values that are bound to a statement instead of being written into it. Pure."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import Annotated, Final

import typer

from data_platform.errors import UsageError
from data_platform.governance.engine.parameters import Scalar

Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="The value of $NAME, or of ? by its number: --param year=2024, --param 1=AAPL, --param code='\"007\"'.",
    ),
]

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def parameters_of(given: list[str] | None) -> dict[str, Scalar] | None:
    """Read the options; None when there are none.

    Raises:
        UsageError: for one without a name, or a name that is given twice.
    """
    found: dict[str, Scalar] = {}
    for each in given or []:
        name, equals, text = each.partition("=")
        if not equals or not name:
            raise UsageError("A parameter is given as NAME=VALUE.", hint="Such as: --param year=2024")
        if name in found:
            raise UsageError("A parameter is given twice.", hint="Give each name once.")
        found[name] = value_of(text)
    return found or None


def value_of(text: str) -> Scalar:
    """A number, `true`, `false`, `null`, a date such as 2024-01-15, or text; in double quotes it is text for sure."""
    if _DATE.fullmatch(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return text
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, float) and not math.isfinite(value):
        return text
    return value if value is None or isinstance(value, bool | int | float | str) else text
