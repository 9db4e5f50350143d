"""From a position in the rewritten statement back to the text that the caller wrote.

The statement that runs is DuckDB's own rendering of the parse tree, so its error positions belong to that rendering.
Both texts parse to the same tree, node by node, and every node knows where it begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Final, cast

from data_platform.governance.engine.problems import Locate, line_and_column

_NOWHERE: Final = 2**63
"""DuckDB writes 2**64 - 1 for a node that has no place in the text."""


def match_positions(rewritten: Any, original: Any) -> dict[int, int]:  # noqa: ANN401 - any JSON value
    """Byte positions of the rewritten text's nodes, each with that of the same node in the original text."""
    pairs: dict[int, int] = {}
    waiting: list[tuple[Any, Any]] = [(rewritten, original)]
    while waiting:
        left, right = waiting.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            a, b = cast("dict[str, Any]", left), cast("dict[str, Any]", right)
            here, there = a.get("query_location"), b.get("query_location")
            if isinstance(here, int) and isinstance(there, int) and here < _NOWHERE and there < _NOWHERE:
                pairs.setdefault(here, there)
            waiting.extend((a[key], b[key]) for key in a.keys() & b.keys())
        elif isinstance(left, list) and isinstance(right, list):
            waiting.extend(zip(cast("list[Any]", left), cast("list[Any]", right), strict=False))
    return pairs


def locate_in_original(sql: str, pairs: Mapping[int, int], offset: int) -> Locate:
    """A locator for messages about the rewritten text when `offset` bytes were put before it."""
    starts = sorted(pairs)

    def locate(position: int) -> tuple[int, int] | None:
        nearest = bisect_right(starts, position - offset) - 1
        return line_and_column(sql, pairs[starts[nearest]]) if nearest >= 0 else None

    return locate


def locate_directly(sql: str) -> Locate:
    """A locator for messages about the text as the caller wrote it."""
    return lambda position: line_and_column(sql, position)
