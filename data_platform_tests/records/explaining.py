"""Seeing which tables are read from end to end: in the plan of each statement, and in what the server counted.

A plan shows what the planner would do, also in branches that are not taken this time. The counters show what was done,
also inside of functions and triggers, whose plans no EXPLAIN shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import psycopg
from psycopg import sql
from psycopg.abc import Params, Query

from benchmarks.records_reads import Statement, undone
from data_platform.records.connection import Connection, Records

SMALL_BY_DESIGN: Final[Mapping[str, str]] = {
    "audit_heads": "one row a chain, and there are two",
    "scope_keys": "one row",
    "data_coverage": "one row a partition, and who reads it asks for a dataset of them",
}
"""Tables that take one page whatever happens, so that an index would only be a detour; and why."""

_EXPLAINED: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_SHOWN: Final = ("Relation Name", "Index Name", "Index Cond", "Filter", "Plan Rows")


@dataclass(frozen=True, slots=True)
class Finding:
    """A table that a statement reads from end to end, and how that was seen."""

    statement: str
    table: str
    detail: str

    def __str__(self) -> str:
        return f"{self.statement}: all of {self.table}\n{self.detail}"


class Explaining:
    """A connection that has each statement explained before it runs it, with the same parameters."""

    def __init__(self, connection: Connection, name: str, findings: list[Finding]) -> None:
        self._connection = connection
        self._name = name
        self._findings = findings

    def execute(self, query: Query, params: Params | None = None, **options: bool) -> psycopg.Cursor[dict[str, Any]]:
        self.explain(query, params)
        return self._connection.execute(query, params, **options)

    def cursor(self) -> _ExplainingCursor:
        return _ExplainingCursor(self._connection.cursor(), self)

    def explain(self, query: Query, params: Params | None) -> None:
        shown = query.as_string(self._connection) if isinstance(query, sql.Composable) else query
        text = (shown.decode() if isinstance(shown, bytes) else str(shown)).strip()
        if not text.upper().startswith(_EXPLAINED):
            return
        row = self._connection.execute(f"EXPLAIN (FORMAT JSON, VERBOSE) {text}".encode(), params).fetchone()
        assert row is not None
        plan = row["QUERY PLAN"][0]["Plan"]
        self._findings += [
            Finding(self._name, table, "\n".join((" ".join(text.split()), *_lines(plan)))) for table in _whole(plan)
        ]

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


class _ExplainingCursor:
    def __init__(self, cursor: psycopg.Cursor[dict[str, Any]], owner: Explaining) -> None:
        self._cursor = cursor
        self._owner = owner

    def __enter__(self) -> _ExplainingCursor:
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def execute(self, query: Query, params: Params | None = None, **options: bool) -> psycopg.Cursor[dict[str, Any]]:
        self._owner.explain(query, params)
        return self._cursor.execute(query, params, **options)

    def executemany(self, query: Query, params: Sequence[Params], **options: bool) -> None:
        # One plan stands for all: the rows differ in values only.
        if params:
            self._owner.explain(query, params[0])
        self._cursor.executemany(query, params, **options)

    def __getattr__(self, name: str) -> object:
        return getattr(self._cursor, name)


def explained(records: Records, statement: Statement) -> list[Finding]:
    """Run a statement in its scope, undo it, and return what it reads from end to end."""
    findings: list[Finding] = []
    with undone(records, statement.scope) as connection, _counted(connection, statement.title, findings):
        statement.run(cast("Connection", Explaining(connection, statement.title, findings)))
    return findings


def planned_once_for_all(records: Records, statement: Statement) -> list[Finding]:
    """Do the same with the plans that serve any parameters: what the server may choose once it knows a statement well.

    psycopg prepares what it sends for the sixth time, and after five more the server may settle on such a plan.
    """
    findings: list[Finding] = []
    with undone(records, statement.scope) as connection, _counted(connection, statement.title, findings):
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        usual, connection.prepare_threshold = connection.prepare_threshold, 0
        try:
            statement.run(connection)
        finally:
            connection.prepare_threshold = usual
    return findings


@contextmanager
def _counted(connection: Connection, name: str, findings: list[Finding]) -> Generator[None]:
    # What earlier transactions of this session did may not have been handed over yet: only the difference counts.
    before = _sequential(connection)
    yield
    findings += [
        Finding(name, table, f"the server counted {times}")
        for table, times in (_sequential(connection) - before).items()
    ]


def _sequential(connection: Connection) -> Counter[str]:
    rows = connection.execute(
        "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE schemaname = 'platform' AND seq_scan > 0"
    ).fetchall()
    return Counter({row["relname"]: row["seq_scan"] for row in rows if row["relname"] not in SMALL_BY_DESIGN})


def _nodes(node: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[int, Mapping[str, Any]]]:
    yield depth, node
    for child in node.get("Plans", ()):
        yield from _nodes(child, depth + 1)


def _whole(plan: Mapping[str, Any]) -> list[str]:
    return [
        node["Relation Name"]
        for _, node in _nodes(plan)
        if node["Node Type"] == "Seq Scan"
        and node["Schema"] == "platform"
        and node["Relation Name"] not in SMALL_BY_DESIGN
    ]


def _lines(plan: Mapping[str, Any]) -> list[str]:
    return [
        "  " * (depth + 1) + " | ".join((node["Node Type"], *(f"{key}: {node[key]}" for key in _SHOWN if key in node)))
        for depth, node in _nodes(plan)
    ]
