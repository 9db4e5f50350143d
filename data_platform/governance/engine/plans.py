"""What DuckDB's plan of a statement says of its size. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

_GUESS = "Estimated Cardinality"


def estimated_rows(plan: Mapping[str, Any]) -> int | None:
    """The rows that the plan's outermost step is expected to return; None where the planner makes no guess.

    Args:
        plan: the root of DuckDB's `EXPLAIN (FORMAT json)`. A union carries no guess of its own; it is the sum of its
            parts, and any other step without one is taken for its only part.
    """
    if plan.get("name") == "EMPTY_RESULT":
        return 0
    guess = str(cast("Mapping[str, Any]", plan.get("extra_info") or {}).get(_GUESS, ""))
    if guess.isdecimal():
        return int(guess)
    parts = [estimated_rows(part) for part in cast("list[Mapping[str, Any]]", plan.get("children") or [])]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not known or (len(known) > 1 and plan.get("name") != "UNION"):
        return None
    return sum(known)
