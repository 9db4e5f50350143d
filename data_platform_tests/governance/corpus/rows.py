"""Whether two answers are the same: in order if the statement orders them, floats to nine digits."""

from __future__ import annotations

import math
from typing import Any, cast

import pyarrow as pa

_DIGITS = 9


def difference(found: pa.Table, expected: pa.Table, *, ordered: bool) -> str | None:
    """The first thing in which `found` is not what was expected, or None."""
    if found.column_names != expected.column_names:
        return f"columns {found.column_names}, expected {expected.column_names}"
    if [str(kind) for kind in found.schema.types] != [str(kind) for kind in expected.schema.types]:
        return f"types {found.schema.types}, expected {expected.schema.types}"
    ours, theirs = _rows(found), _rows(expected)
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, expected {len(theirs)}"
    if not ordered:
        ours, theirs = sorted(ours, key=_key), sorted(theirs, key=_key)
    wrong = [(left, right) for left, right in zip(ours, theirs, strict=True) if not _same(left, right)]
    if not wrong or (not ordered and _match([left for left, _ in wrong], [right for _, right in wrong])):
        return None
    return f"row {wrong[0][0]}, expected {wrong[0][1]}"


def _match(ours: list[list[Any]], theirs: list[list[Any]]) -> bool:
    """Whether each row has one that is the same: what differs in the last digit may be sorted otherwise."""
    left_over = list(theirs)
    for row in ours:
        place = next((i for i, other in enumerate(left_over) if _same(row, other)), None)
        if place is None:
            return False
        del left_over[place]
    return True


def _rows(table: pa.Table) -> list[list[Any]]:
    # Not `to_pylist`: two columns may have one name.
    columns = [column.to_pylist() for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _key(value: object) -> str:
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{value:.{_DIGITS}g}" if value else "0"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_key, cast('list[object]', value)))}]"
    if isinstance(value, dict):
        return _key(sorted(cast("dict[str, object]", value).items()))
    return repr(value)


def _same(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        both_nan = math.isnan(left) and math.isnan(right)
        return both_nan or math.isclose(left, right, rel_tol=10**-_DIGITS, abs_tol=10**-12)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        ours, theirs = cast("list[object]", left), cast("list[object]", right)
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(left, dict) and isinstance(right, dict):
        return _same(list(cast("dict[str, object]", left).items()), list(cast("dict[str, object]", right).items()))
    return left == right
