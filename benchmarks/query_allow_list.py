"""A door as people write it: parse with sqlglot, one SELECT only, and no table but those on a list."""

from __future__ import annotations

import logging
from collections.abc import Collection

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

# It would warn of every statement that it does not know.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


def refusal(sql: str, allowed: Collection[str]) -> str | None:
    """Why the statement is not run; None when it is."""
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree is not None]
    except (SqlglotError, RecursionError):
        return "it does not parse"
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return "it is not one SELECT"
    named = {table.name.lower() for table in trees[0].find_all(exp.Table)}
    own = {each.alias.lower() for each in trees[0].find_all(exp.CTE)}
    return "it names another table" if named - own - set(allowed) else None
