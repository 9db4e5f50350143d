"""Everything that DuckDB has is decided: a release with a new function, setting, statement or word fails here first.

DuckDB tells its functions, settings, kinds of statements and keywords. It does not tell the kinds of its parse tree;
those are held by the guard's lists, which let through nothing else, and by what the corpus of queries needs of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import duckdb
import pytest

from data_platform.governance.engine import guard
from data_platform.governance.engine.functions import FUNCTIONS, TABLE_FUNCTIONS
from data_platform.governance.engine.limits import EngineLimits
from data_platform.governance.engine.session import open_session
from data_platform_tests.governance.corpus.reading import CORPUS, cases

CALLED_AS = {"table": "table", "table_macro": "table", "pragma": "pragma"}
"""What is called anywhere else is called for a value."""
ALLOWED = {"value": FUNCTIONS, "table": TABLE_FUNCTIONS, "pragma": frozenset[str]()}
STATEMENTS = {
    *("ALTER", "ANALYZE", "ATTACH", "CALL", "COPY", "COPY_DATABASE", "CREATE", "CREATE_FUNC", "DELETE", "DETACH"),
    *("DROP", "EXECUTE", "EXPLAIN", "EXPORT", "EXTENSION", "INSERT", "INVALID", "LOAD", "LOGICAL_PLAN", "MERGE_INTO"),
    *("MULTI", "PRAGMA", "PREPARE", "RELATION", "SELECT", "SET", "TRANSACTION", "UPDATE", "VACUUM", "VARIABLE_SET"),
}
NOT_IN_THE_CORPUS = frozenset({"PARAMETER", "LAMBDA_REF", "LIMIT_PERCENT_MODIFIER", "CTE_NODE"})
"""Bound parameters, of which the corpus has none; and what this release's parser was never seen to make."""


def decided(file: str) -> dict[str, set[str]]:
    """The names of each section; sections `kind: reason` of one kind together."""
    found: dict[str, set[str]] = {}
    for section in (CORPUS / file).read_text(encoding="utf-8").split("\n== ")[1:]:
        title, _, names = section.partition("\n")
        found.setdefault(title.partition(":")[0], set()).update(names.split())
    return found


def functions() -> Iterator[tuple[str, str]]:
    """Every function as (what it is called as, name)."""
    rows = duckdb.execute("SELECT DISTINCT lower(function_name), function_type FROM duckdb_functions()").fetchall()
    yield from ((CALLED_AS.get(kind, "value"), name.replace(" ", "_")) for name, kind in rows)


def _covers(names: set[str], name: str) -> bool:
    return name in names or any(name.startswith(start[:-1]) for start in names if start.endswith("*") and start != "*")


def test_every_function_is_allowed_or_refused_for_a_reason() -> None:
    refused = decided("decided.txt")
    undecided = [
        (kind, name)
        for kind, name in sorted(functions())
        if name not in ALLOWED[kind] and not _covers(refused[kind], name)
    ]
    assert undecided == [], "allow them in engine/functions.py, or refuse them in decided.txt with a reason"


def test_no_function_is_decided_twice_and_none_is_gone() -> None:
    refused = decided("decided.txt")
    known = set(functions())
    assert [(kind, name) for kind, names in refused.items() for name in names if name in ALLOWED[kind]] == []
    assert [
        (kind, name)
        for kind, names in refused.items()
        for name in names
        if (kind, name) not in known and not any(k == kind and _covers({name}, n) for k, n in known)
    ] == []


def test_every_kind_of_statement_is_known() -> None:
    assert {name for name in dir(duckdb.StatementType) if name.isupper()} == STATEMENTS


def test_every_word_of_the_grammar_is_known() -> None:
    rows = duckdb.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()
    assert {name for (name,) in rows} == decided("keywords.txt")["known"]


def test_every_setting_is_set_or_left_and_none_can_be_changed() -> None:
    sections = decided("settings.txt")
    query = "SELECT lower(name), value FROM duckdb_settings()"
    usual = dict(duckdb.execute(query).fetchall())
    with open_session({}, EngineLimits()) as session:
        ours = dict(session.execute(query).fetchall())
        assert ours.keys() == sections["set"] | sections["left"] | sections["open"]
        assert {name for name, value in ours.items() if value != usual[name]} <= sections["set"]
        for name in sections["set"] | sections["left"]:
            with pytest.raises(duckdb.Error):
                session.execute(f'SET "{name}" = DEFAULT')
            with pytest.raises(duckdb.Error):
                session.execute(f'RESET "{name}"')
        assert dict(session.execute(query).fetchall()) == ours


def test_the_guard_lets_through_the_kinds_that_queries_need_and_no_others() -> None:
    classes: set[str] = set()
    types: set[str] = set()
    with duckdb.connect() as connection:
        for case in cases("queries"):
            ((text,),) = connection.execute("SELECT json_serialize_sql($1::VARCHAR)", [case.sql]).fetchall()
            for node in _nodes(json.loads(text)["statements"][0]["node"]):
                if "class" in node:
                    classes.add(node["class"])
                elif isinstance(node.get("type"), str):
                    types.add(node["type"])
    permitted = guard.QUERY_NODES | guard.TABLE_REFERENCES | guard.MODIFIERS | guard.ORDERS
    assert guard.EXPRESSION_CLASSES - classes <= NOT_IN_THE_CORPUS
    assert permitted - types <= NOT_IN_THE_CORPUS
    assert classes <= guard.EXPRESSION_CLASSES
    assert types <= permitted


def _nodes(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON value
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _nodes(item)
    elif isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        yield fields
        for value in fields.values():
            yield from _nodes(value)
