"""Types whose values Arrow changes without a word: carried as text, or refused with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, cast

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data_platform.governance.engine.problems import ProblemError, ProblemKind, QueryProblem

_QUOTED: Final = re.compile(r"'(?:[^']|'')*'" + r'|"(?:[^"]|"")*"')
_CHANGED: Final = re.compile(r"\b(?:UHUGEINT|TIME WITH TIME ZONE|BIT|BIGNUM|VARIANT)\b")
_UNSIGNED: Final = "UHUGEINT"
# DuckDB's own client gives these as text too; Arrow would have the bytes that DuckDB keeps them in.
_AS_TEXT: Final = frozenset({"BIT", "BIGNUM"})
# Out of its bytes: to make one of a number, Arrow loads pandas, half a gigabyte of a worker's address space.
_ZERO: Final = pa.Array.from_buffers(pa.decimal128(38, 0), 1, [None, pa.py_buffer(bytes(16))])[0]


def check_types(columns: Sequence[tuple[str, str]]) -> None:
    """Refuse columns whose values lose something on their way: the offset of TIMETZ, the top of a nested UHUGEINT.

    What `readable` makes text of is let through.

    Args:
        columns: names and types, as DESCRIBE writes them.

    Raises:
        ProblemError: naming the type and the cast.
    """
    for number, (_, dtype) in enumerate(columns, start=1):
        # A name within a type, or a value of an ENUM, may be called anything.
        found = None if dtype == _UNSIGNED or dtype in _AS_TEXT else _CHANGED.search(_QUOTED.sub("", dtype))
        if found is not None:
            raise _changed(number, found.group(), ProblemKind.UNSUPPORTED)


def readable(relation: duckdb.DuckDBPyRelation, columns: Sequence[tuple[str, str]]) -> duckdb.DuckDBPyRelation:
    """The relation with its columns of bits and of numbers of any length as text."""
    if not any(dtype in _AS_TEXT for _, dtype in columns):
        return relation
    selected = (
        f"{f'CAST(#{number} AS VARCHAR)' if dtype in _AS_TEXT else f'#{number}'} AS {_quoted(name)}"
        for number, (name, dtype) in enumerate(columns, start=1)
    )
    return relation.project(", ".join(selected))


def check_values(batch: pa.RecordBatch, columns: Sequence[tuple[str, str]]) -> None:
    """Refuse a UHUGEINT above what Arrow's decimals carry, which arrives as a negative number.

    Raises:
        ProblemError: as `check_types` does.
    """
    compute = cast("Any", pc)
    for number, (_, dtype) in enumerate(columns):
        if dtype == _UNSIGNED and compute.any(compute.less(batch.column(number), _ZERO)).as_py():
            raise _changed(number + 1, _UNSIGNED, ProblemKind.VALUE)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _changed(number: int, dtype: str, kind: ProblemKind) -> ProblemError:
    why = "a number that is too large for an answer" if kind is ProblemKind.VALUE else "values that an answer changes"
    text = f"Column {number} of the result holds {why} ({dtype})"
    return ProblemError(QueryProblem(kind, text, hint="Cast it to text: CAST(... AS VARCHAR)."))
