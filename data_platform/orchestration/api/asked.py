"""What requests hold. Their shape is checked here, their sense by the services."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_platform.errors import UsageError
from data_platform.governance.dto import ExportFormat
from data_platform.warehouse.as_of import AsOf, parse_as_of

MOST_PARAMETERS = 1_000

AsOfText = Annotated[
    str, Field(max_length=100, description="A version's number, a tag, or a date, to read as of; the latest otherwise.")
]
Reason = Annotated[str, Field(max_length=2_000, description="Why; kept in the audit.")]


class Body(BaseModel):
    """What all bodies have in common: a name that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _well_formed(cls, given: object) -> object:
        # JSON can write half of a surrogate pair, which nothing can keep and no answer can repeat.
        try:
            json.dumps(given, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            raise ValueError("a text holds half of a surrogate pair") from None
        return given


class TypedValue(Body):
    """A value that JSON has no type for."""

    type: Literal["date", "timestamp", "decimal"]
    value: Annotated[str, Field(max_length=100)]

    def read(self) -> dt.date | dt.datetime | Decimal:
        """The value.

        Raises:
            UsageError: when the text is none.
        """
        try:
            if self.type == "date":
                return dt.date.fromisoformat(self.value)
            if self.type == "timestamp":
                return dt.datetime.fromisoformat(self.value)
            return Decimal(self.value)
        except (ValueError, InvalidOperation):
            raise UsageError(f"A parameter is no {self.type}.", hint="Dates and times are in ISO form.") from None


Value = bool | int | float | str | TypedValue | None
Scalar = bool | int | float | str | dt.date | dt.datetime | Decimal | None


class Statement(Body):
    """A SELECT over one dataset."""

    dataset: Annotated[str, Field(max_length=100)]
    sql: Annotated[str, Field(description="One SELECT, at most 16 KiB.")]
    as_of: AsOfText | None = None
    parameters: Annotated[
        list[Value] | dict[str, Value] | None,
        Field(max_length=MOST_PARAMETERS, description="The values of `?` and `$1`, or of `$name`."),
    ] = None

    def when(self) -> AsOf | None:
        """What `as_of` means."""
        return None if self.as_of is None else parse_as_of(self.as_of)

    def values(self) -> list[Scalar] | dict[str, Scalar] | None:
        """The parameters as the engine takes them."""
        if isinstance(self.parameters, dict):
            return {name: _read(value) for name, value in self.parameters.items()}
        return None if self.parameters is None else [_read(value) for value in self.parameters]


class QueryAsked(Statement):
    """A query. Without `wait_seconds` it is only stored and begun, and the answer is its id."""

    wait_seconds: Annotated[
        float | None,
        Field(gt=0, le=30, description="Answer with a page; the query is stopped when it takes longer than this."),
    ] = None
    page: Annotated[int, Field(ge=1, le=1_000_000, description="Which page; with `wait_seconds`.")] = 1
    page_size: Annotated[int, Field(ge=1, le=10_000, description="Rows a page; with `wait_seconds`.")] = 10_000


class ExportAsked(Statement):
    """An export. It is written while the request waits, or, with `wait` off, later."""

    format: ExportFormat = "csv"
    escape_formulas: Annotated[
        bool, Field(description="Put an apostrophe before text in a CSV that a spreadsheet would take for a formula.")
    ] = False
    wait: Annotated[bool, Field(description="Answer when the file is written.")] = True


class ReasonAsked(Body):
    """Why something is done."""

    reason: Reason


class SyncAsked(Body):
    """A sync of one table: of the partitions named, of all, or of those that a schedule would sync."""

    table: Annotated[str, Field(max_length=100)]
    partitions: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=500)] = []
    all_partitions: bool = False
    full: Annotated[bool, Field(description="Extract even what the source says has not changed.")] = False
    reason: Reason


class ScheduleAsked(Body):
    """A change of a table's schedule: what is left out stays. Made only while its version is the expected one."""

    expected_version: Annotated[int, Field(ge=0, le=2_000_000_000)]
    enabled: bool | None = None
    cron_expression: Annotated[str, Field(max_length=200)] | None = None
    timezone: Annotated[str, Field(max_length=100)] | None = None
    reason: Reason | None = None


def require_known(request: Request) -> None:
    """See that the description of its route knows every parameter of a request: one left unread was meant too.

    Raises:
        RequestValidationError: naming those that it does not have.
    """
    if not request.query_params:
        return
    path: str = request.scope["route"].path_format
    described: Mapping[str, Any] = cast("FastAPI", request.app).openapi()["paths"][path][request.method.lower()]
    known = {each["name"] for each in described.get("parameters", ()) if each["in"] == "query"}
    why = {"type": "extra_forbidden", "msg": "There is no such parameter"}
    unknown = [{**why, "loc": ("query", name)} for name in sorted(set(request.query_params) - known)]
    if unknown:
        raise RequestValidationError(unknown)


def _read(value: Value) -> Scalar:
    return value.read() if isinstance(value, TypedValue) else value
