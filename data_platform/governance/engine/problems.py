"""What went wrong with a statement, in words that hold no path, no stored value and no name of another dataset.

DuckDB's messages quote paths ("Cannot access file ..."), stored values ("Could not convert string 'T10001' ...") and
names it finds similar, so none is passed on as it is. Before the first row is read a message can only speak of the
statement and of column types; from then on nothing but the class of the error and its position is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, cast


class ProblemKind(StrEnum):
    """Why a statement was refused or failed; the values are fit to be metric labels."""

    SYNTAX_ERROR = "syntax_error"
    MULTI_STATEMENT = "multi_statement"
    NOT_SELECT = "not_select"
    BLOCKED_FUNCTION = "blocked_function"
    CROSS_DATASET = "cross_dataset"
    FILE_ACCESS = "file_access"
    UNSUPPORTED = "unsupported"
    UNKNOWN_NAME = "unknown_name"
    BINDING = "binding"
    PARAMETER = "parameter"
    VALUE = "value"
    TOO_LARGE = "too_large"
    MEMORY = "memory"
    TIMEOUT = "timeout"
    STORAGE = "storage"
    SANDBOX = "sandbox"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class QueryProblem:
    """A problem in the caller's terms; `line` and `column` count from 1, columns in characters."""

    kind: ProblemKind
    text: str
    line: int | None = None
    column: int | None = None
    hint: str | None = None

    def __str__(self) -> str:
        where = "" if self.line is None else f" (line {self.line}, column {self.column})"
        return f"{self.text}{where}."

    def to_json(self) -> dict[str, Any]:
        """The problem as plain values, for the message to the parent process."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> QueryProblem:
        """The problem that `to_json` wrote."""
        return cls(
            ProblemKind(document["kind"]), document["text"], document["line"], document["column"], document["hint"]
        )


class ProblemError(Exception):
    """Carries a problem from where it is found to where the worker answers."""

    def __init__(self, problem: QueryProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


Locate = Callable[[int], tuple[int, int] | None]
"""From DuckDB's byte position to line and column of the text that the caller sent; None when it has no place there."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What an explanation may draw on: the dataset asked for, its tables, and where a position lies in the text."""

    dataset: str
    tables: tuple[str, ...]
    locate: Locate


def line_and_column(sql: str, position: int) -> tuple[int, int] | None:
    """Turn a byte position in the UTF-8 text into line and column; None when it lies outside."""
    encoded = sql.encode()
    if not 0 <= position <= len(encoded):
        return None
    before = encoded[:position].decode(errors="ignore")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def unknown_table(name: str, statement: Statement, position: int | None, qualifier: Sequence[str] = ()) -> QueryProblem:
    """A name that is no permitted table: the same answer whether or not something of that name exists."""
    if _FILE_LIKE.search(name):
        return _problem(ProblemKind.FILE_ACCESS, "Reading files is not permitted", statement, position)
    path = [*qualifier, name]
    subject = f"Table {'.'.join(path)}" if all(map(_IDENTIFIER.fullmatch, path)) else "Table"
    return _problem(
        ProblemKind.CROSS_DATASET,
        f"{subject} not found or not permitted in dataset {statement.dataset}",
        statement,
        position,
        hint=f"Tables: {', '.join(sorted(statement.tables))}.",
    )


def explain(message: str, statement: Statement, *, data_was_read: bool) -> QueryProblem:
    """Translate an engine error, plain (``Binder Error: ...``) or in DuckDB's JSON form."""
    error_class, fields = _parse(message)
    position = _position(fields)
    text = str(fields.get("exception_message", ""))
    if fixed := _BY_CLASS.get(error_class):
        kind, words = fixed
        return _problem(kind, words, statement, position, hint=_HINTS.get(error_class))
    if data_was_read or error_class not in {"Parser", "Syntax", "Catalog", "Binder"}:
        return _problem(ProblemKind.INTERNAL, "The query could not be run", statement, position)
    if error_class in {"Parser", "Syntax"}:
        return _unparsed(text, statement, position)
    name = str(fields.get("name", ""))
    if fields.get("type") == "Table":
        return unknown_table(name, statement, position)
    if error_class == "Catalog":
        what = str(fields.get("type", "Name"))
        if "Function" in what:
            return blocked_function(name, statement, position)
        return _problem(ProblemKind.UNKNOWN_NAME, f"{what} {_quotable(name)} does not exist", statement, position)
    if fields.get("error_subtype") == "COLUMN_NOT_FOUND" and name:
        candidates = [c for c in str(fields.get("candidates", "")).split(",") if c]
        return _problem(
            ProblemKind.UNKNOWN_NAME,
            f"Column {_quotable(name)} not found",
            statement,
            position,
            hint=f"Did you mean {' or '.join(candidates[:3])}?" if candidates else None,
        )
    return _problem(ProblemKind.BINDING, _first_line(text), statement, position)


def blocked_function(name: str, statement: Statement, position: int | None) -> QueryProblem:
    """A function that is unknown or not on the list of permitted ones: the two are not told apart."""
    return _problem(
        ProblemKind.BLOCKED_FUNCTION, f"Function {_quotable(name)} is unknown or not permitted", statement, position
    )


def not_a_query(statement_count: int | None) -> QueryProblem:
    """Text that is not exactly one SELECT; `statement_count` is None when DuckDB parsed another kind of statement."""
    if statement_count is None:
        return QueryProblem(
            ProblemKind.NOT_SELECT,
            "Only a SELECT statement can be run here",
            hint="Data cannot be changed through a query; a PIVOT names its values with IN (...).",
        )
    if statement_count == 0:
        return QueryProblem(ProblemKind.NOT_SELECT, "There is no statement in this text", hint="Write one SELECT.")
    return QueryProblem(ProblemKind.MULTI_STATEMENT, "Exactly one statement can be run at a time")


def _unparsed(text: str, statement: Statement, position: int | None) -> QueryProblem:
    if text.startswith(_TOO_DEEP):
        return QueryProblem(ProblemKind.UNSUPPORTED, "The statement is nested too deeply")
    return _problem(ProblemKind.SYNTAX_ERROR, _syntax_text(text), statement, position)


def parse_failure(document: Mapping[str, Any], statement: Statement) -> QueryProblem:
    """Translate the answer that DuckDB's serializer gives instead of a parse tree."""
    if document.get("error_type") == "not implemented":
        return not_a_query(None)
    if document.get("error_type") == "parser":
        return _unparsed(str(document.get("error_message", "")), statement, _position(document))
    return QueryProblem(ProblemKind.UNSUPPORTED, "This statement is not supported")


_IDENTIFIER: Final = re.compile(r"\w{1,64}")
_FILE_LIKE: Final = re.compile(r"[/\\:*?]|\.\w+$")
_TOO_DEEP: Final = "Max expression depth limit"
_MESSAGE: Final = re.compile(r"\s*(?P<error_class>[A-Za-z][A-Za-z -]*?) Error: (?P<body>.*)", re.DOTALL)
_NEAR: Final = re.compile(r'syntax error at or near "(?P<token>[\w.,;()*+=<>-]{1,40})"')
_QUOTED: Final = re.compile(r"""(["'])(?P<inside>.*?)\1""")
_HARMLESS: Final = re.compile(r"[\w .,()\[\]*+<>=%|!-]{1,80}")

_BY_CLASS: Final[dict[str, tuple[ProblemKind, str]]] = {
    "Permission": (ProblemKind.FILE_ACCESS, "Reading files is not permitted"),
    "Conversion": (ProblemKind.VALUE, "A value could not be converted to the type asked for"),
    "Out of Range": (ProblemKind.VALUE, "A value is out of range"),
    "Invalid Input": (ProblemKind.VALUE, "A function was given a value that it cannot work with"),
    "Mismatch Type": (ProblemKind.VALUE, "A value is of another type than the one asked for"),
    "Invalid type": (ProblemKind.VALUE, "A value is of another type than the one asked for"),
    "Out of Memory": (ProblemKind.MEMORY, "The query needed more memory than it may use"),
    "Interrupt": (ProblemKind.TIMEOUT, "The query ran into its time limit"),
    "INTERRUPT": (ProblemKind.TIMEOUT, "The query ran into its time limit"),
    "IO": (ProblemKind.STORAGE, "The stored data could not be read"),
    "Not implemented": (ProblemKind.UNSUPPORTED, "The statement uses something that is not supported"),
}

_HINTS: Final[dict[str, str]] = {"Conversion": "try_cast(...) gives NULL where a cast would fail."}


def _parse(message: str) -> tuple[str, Mapping[str, Any]]:
    if "bad_alloc" in message:
        return "Out of Memory", {}
    found = _MESSAGE.match(message)
    if found is None:
        return "", {}
    body = found["body"]
    if body.startswith("{"):
        try:
            return found["error_class"], cast("dict[str, Any]", json.loads(body))
        except ValueError:
            return found["error_class"], {}
    return found["error_class"], {"exception_message": body}


def _position(fields: Mapping[str, Any]) -> int | None:
    raw = str(fields.get("position", ""))
    return int(raw) if raw.isdecimal() else None


def _problem(
    kind: ProblemKind, text: str, statement: Statement, position: int | None, hint: str | None = None
) -> QueryProblem:
    place = None if position is None else statement.locate(position)
    line, column = place or (None, None)
    return QueryProblem(kind, text, line, column, hint)


def _syntax_text(text: str) -> str:
    near = _NEAR.search(text)
    if near:
        return f'Syntax error at or near "{near["token"]}"'
    if "unterminated" in text:
        return "Syntax error: a quote or comment is not closed"
    return "Syntax error"


def _quotable(name: str) -> str:
    return f'"{name}"' if _HARMLESS.fullmatch(name) else "of that name"


def _first_line(text: str) -> str:
    line = text.partition("\n")[0].strip().rstrip("!.")
    shown = _QUOTED.sub(lambda m: m[0] if _HARMLESS.fullmatch(m["inside"]) else "...", line)
    return shown[:1].upper() + shown[1:] or "The query is not valid"
