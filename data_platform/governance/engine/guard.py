"""Decide from DuckDB's own parse tree whether a statement may run. Pure: a parse tree in, a problem or nothing out.

Everything is allowed by name: query nodes, table references, expression classes, functions. A tree that holds
anything else is refused, so what a later DuckDB adds stays shut. Table names are resolved against the permitted
tables and the common table expressions in scope; data-modifying common table expressions are query nodes of a kind
that is not on the list.

The guard explains; it isn't what holds the door. The session can open only the files it was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from data_platform.governance.engine.functions import FUNCTIONS, TABLE_FUNCTIONS
from data_platform.governance.engine.problems import (
    ProblemKind,
    QueryProblem,
    Statement,
    blocked_function,
    not_a_query,
    unknown_table,
)

Node = Mapping[str, Any]
Scope = frozenset[str]

QUERY_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})

TABLE_REFERENCES: Final = frozenset(
    {"BASE_TABLE", "TABLE_FUNCTION", "JOIN", "SUBQUERY", "EXPRESSION_LIST", "EMPTY", "PIVOT", "SHOW_REF"}
)

EXPRESSION_CLASSES: Final = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "LAMBDA_REF",
        "OPERATOR",
        "PARAMETER",
        "POSITIONAL_REFERENCE",
        "STAR",
        "SUBQUERY",
        "TYPE",
        "WINDOW",
    }
)

MODIFIERS: Final = frozenset({"LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER", "ORDER_MODIFIER"})

ORDERS: Final = frozenset({"ORDER_DEFAULT", "ASCENDING", "DESCENDING"})

_PLAIN_TYPES: Final = QUERY_NODES | TABLE_REFERENCES | MODIFIERS | ORDERS

_OWN_SCHEMAS: Final = frozenset({("", ""), ("", "main"), ("memory", "main")})


def check(document: Mapping[str, Any], statement: Statement) -> QueryProblem | None:
    """Find the first reason why the statement may not run.

    Args:
        document: what DuckDB's `json_serialize_sql` answers for the text, when it is no error.
        statement: the permitted tables, and how to name a position in the caller's text.
    """
    statements = cast("list[Node]", document["statements"])
    if len(statements) != 1:
        return not_a_query(len(statements))
    permitted = _lowered(statement)
    for node, scope in _nodes(statements[0]["node"]):
        problem = _judge(node, scope, permitted, statement)
        if problem is not None:
            return problem
    return None


def named_tables(document: Mapping[str, Any], statement: Statement) -> tuple[str, ...]:
    """The permitted tables that a statement names which `check` let through, sorted.

    A common table expression of the same name hides a table, and is not the table; but where a recursive one begins,
    its own name is still the table's, and SHOW looks past all of them. Rather one table too many than one that was read
    and is not named.
    """
    permitted = _lowered(statement)
    named: set[str] = set()
    for node, scope in _nodes(cast("list[Node]", document["statements"])[0]["node"], recurring=False):
        name = str(node.get("table_name", "")).strip('"').lower()
        kind = str(node.get("type"))
        hidden = kind == "BASE_TABLE" and name in scope and not node.get("schema_name")
        if kind in {"BASE_TABLE", "SHOW_REF"} and name in permitted and not hidden:
            named.add(name)
    return tuple(sorted(name for name in statement.tables if name.lower() in named))


def _lowered(statement: Statement) -> Scope:
    return frozenset(name.lower() for name in statement.tables)


def _nodes(root: Any, *, recurring: bool = True) -> Iterator[tuple[Node, Scope]]:  # noqa: ANN401 - any JSON value
    """Every node from the root down, each with the common table expressions in scope, in the order of the text.

    `recurring` says whether a recursive one is in scope within itself.
    """
    waiting: list[tuple[Any, Scope]] = [(root, frozenset())]
    while waiting:
        found, scope = waiting.pop()
        if isinstance(found, list):
            waiting.extend((item, scope) for item in reversed(cast("list[Any]", found)))
        elif isinstance(found, dict):
            node = cast("dict[str, Any]", found)
            yield node, scope
            waiting.extend(reversed(list(_children(node, scope, recurring=recurring))))


def _children(node: Node, scope: Scope, *, recurring: bool) -> Iterator[tuple[Any, Scope]]:
    """What lies below a node, with the names of common table expressions that are visible there."""
    skipped = {"cte_map"}
    if "cte_map" in node:
        for entry in cast("list[Node]", node["cte_map"]["map"]):
            yield entry["value"], scope
            scope |= {str(entry["key"]).lower()}
    if recurring and node.get("type") == "RECURSIVE_CTE_NODE":
        scope |= {str(node.get("cte_name", "")).lower()}
    if node.get("type") == "TABLE_FUNCTION":
        skipped.add("function")
        yield node["function"]["arguments"], scope
    for key, value in node.items():
        if key not in skipped:
            yield value, scope


def _judge(node: Node, scope: Scope, permitted: Scope, statement: Statement) -> QueryProblem | None:
    kind = node.get("type")
    if not isinstance(kind, str):
        return None
    if "class" in node:
        return _judge_expression(node, statement)
    if kind.endswith("_QUERY_NODE"):
        return not_a_query(None)
    if kind not in _PLAIN_TYPES:
        return _unsupported(node, statement)
    if kind == "BASE_TABLE":
        return _judge_table(node, scope, permitted, statement)
    if kind == "TABLE_FUNCTION":
        return _judge_function(cast("Node", node["function"]), TABLE_FUNCTIONS, statement, place=node)
    if kind == "SHOW_REF" and node.get("query") is None:
        return _judge_show(node, permitted, statement)
    return None


def _judge_expression(node: Node, statement: Statement) -> QueryProblem | None:
    if node["class"] not in EXPRESSION_CLASSES:
        return _unsupported(node, statement)
    return _judge_function(node, FUNCTIONS, statement) if "function_name" in node else None


def _judge_function(
    node: Node, allowed: frozenset[str], statement: Statement, place: Node | None = None
) -> QueryProblem | None:
    name = str(node.get("function_name", ""))
    # What stands before the name is not looked at: `ticker.lower()` is a chained call, and no schema of a session
    # holds anything but DuckDB's own functions.
    if name.lower() in allowed:
        return None
    return blocked_function(name, statement, _place(place or node))


def _judge_table(node: Node, scope: Scope, permitted: Scope, statement: Statement) -> QueryProblem | None:
    name = str(node.get("table_name", ""))
    home = (str(node.get("catalog_name", "")).lower(), str(node.get("schema_name", "")).lower())
    path = cast("list[str]", node.get("qualified_name", {}).get("path", [name]))
    depth = 1 + sum(1 for part in home if part)
    if len(path) == depth:
        if home in _OWN_SCHEMAS and name.lower() in permitted:
            return None
        if home in {("", ""), ("", "recurring")} and name.lower() in scope:
            return None
    return unknown_table(name, statement, _place(node), qualifier=path[:-1])


def _judge_show(node: Node, permitted: Scope, statement: Statement) -> QueryProblem | None:
    name = str(node.get("table_name", "")).strip('"')
    if node.get("show_type") != "SHOW_SPECIAL" and name.lower() in permitted:
        return None
    return QueryProblem(
        ProblemKind.UNSUPPORTED,
        "Only a permitted table can be described",
        hint=f"Write DESCRIBE <table>. Tables: {', '.join(sorted(statement.tables))}.",
    )


def _unsupported(node: Node, statement: Statement) -> QueryProblem:
    place = _place(node)
    line, column = (statement.locate(place) if place is not None else None) or (None, None)
    return QueryProblem(ProblemKind.UNSUPPORTED, "The statement uses something that is not supported", line, column)


def _place(node: Node) -> int | None:
    location = node.get("query_location")
    return location if isinstance(location, int) else None
