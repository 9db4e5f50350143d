"""With a hundred thousand rows in every table, no documented query reads a table from end to end."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Final

import psycopg
import pytest
from psycopg import sql

import data_platform.records
from benchmarks.records_fill import fill
from benchmarks.records_reads import ADMINISTRATOR, Filled, Statement, undone
from benchmarks.records_rows import FILLINGS
from benchmarks.records_writes import statements
from data_platform.governance.audit_key import QueryCipher, new_key
from data_platform.records.connection import Connection, Records, connect_records
from data_platform.records.databases import embedded_databases
from data_platform.records.embedded.credentials import OWNER, SERVICE, SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.retention_policies import POLICIES
from data_platform_tests.records.explaining import SMALL_BY_DESIGN, Finding, explained, planned_once_for_all

ROWS = 100_000
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "records.md"

Documented = tuple[Records, list[Statement]]
"""The filled records, and the statements to run on them."""

NOT_STATEMENTS: Final[Mapping[str, str]] = {
    "archives.every": "names every archive there is; what it reads with are statements",
    "audit_rotation.rotate": "goes through every text there is; its batches are statements",
    "audit_verification.verify_chain": "goes through every row there is; what it reads with are statements",
    "schedules.ensure_each": "goes through every schedule there is, one a table",
}


@pytest.fixture(scope="module")
def filled(
    postgres: EmbeddedServer, _migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Documented]:
    """The records with every table filled, once for the module, and the documented statements."""
    name = f"filled_{uuid.uuid4().hex}"
    databases = dataclasses.replace(
        embedded_databases(postgres), owner_url=postgres.url(OWNER, name), service_url=postgres.url(SERVICE, name)
    )
    cipher = QueryCipher([new_key()])
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(_migrated_template)
            )
        )
        fill(postgres.url(SUPERUSER, name), ROWS, cipher)
        with connect_records(databases) as records:
            yield records, statements(Filled(ROWS, cipher, tmp_path_factory.mktemp("home")))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def told(findings: list[Finding]) -> str:
    return "\n\n".join(map(str, findings))


def test_every_table_is_full_or_small_by_design(filled: Documented) -> None:
    assert {policy.table for policy in POLICIES} == set(FILLINGS) | set(SMALL_BY_DESIGN)
    with psycopg.connect(filled[0].databases.owner_url) as owner:
        estimates = dict(
            owner.execute("SELECT relname, reltuples FROM pg_class WHERE relname = ANY (%s)", ([*FILLINGS],)).fetchall()
        )
    assert {table for table in FILLINGS if estimates[table] < ROWS} == set()


@pytest.mark.parametrize("look", [explained, planned_once_for_all])
def test_no_documented_query_reads_a_table_from_end_to_end(
    filled: Documented, look: Callable[[Records, Statement], list[Finding]]
) -> None:
    records, documented = filled
    findings = [finding for statement in documented for finding in look(records, statement)]
    assert findings == [], told(findings)


def test_a_query_that_no_index_serves_is_found(filled: Documented) -> None:
    def by_message(connection: Connection) -> None:
        connection.execute("SELECT id FROM platform.data_sync_logs WHERE message = %s", ("x",)).fetchall()

    def many_by_reason(connection: Connection) -> None:
        with connection.cursor() as cursor:
            cursor.executemany("SELECT id FROM platform.platform_audit WHERE reason = %s", [("x",), ("y",)])

    seen = [("data_sync_logs", "the server counted 1"), ("platform_audit", "the server counted 2")]
    for run, (table, counted) in zip((by_message, many_by_reason), seen, strict=True):
        statement = Statement("bad", ADMINISTRATOR, run)
        planned, done = explained(filled[0], statement)
        assert (planned.statement, planned.table, done.table, done.detail) == ("bad as adm", table, table, counted)
        assert "Seq Scan | Relation Name: " + table in planned.detail
        assert planned_once_for_all(filled[0], statement) == [done]


def test_a_query_that_hides_in_a_function_is_found(filled: Documented) -> None:
    with psycopg.connect(filled[0].databases.owner_url, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION public.hiding() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER "
            "AS $$ BEGIN RETURN (SELECT count(*) FROM platform.data_query_audit WHERE client_ip = 'x'); END $$"
        )
        try:
            hiding = Statement("hiding", ADMINISTRATOR, lambda connection: connection.execute("SELECT public.hiding()"))
            assert explained(filled[0], hiding) == [
                Finding("hiding as adm", "data_query_audit", "the server counted 1")
            ]
        finally:
            owner.execute("DROP FUNCTION public.hiding()")


def test_a_query_that_a_general_plan_would_slow_down_is_found(filled: Documented) -> None:
    def with_an_optional_filter(connection: Connection) -> None:
        connection.execute(
            "SELECT id FROM platform.data_sync_logs WHERE %(level)s::text IS NULL OR level = %(level)s",
            {"level": "ERROR"},
        )

    statement = Statement("optional", ADMINISTRATOR, with_an_optional_filter)
    assert explained(filled[0], statement) == []
    assert [finding.table for finding in planned_once_for_all(filled[0], statement)] == ["data_sync_logs"]


def test_every_function_of_the_records_stands_among_the_documented_statements(filled: Documented) -> None:
    records, documented = filled
    called: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add(frame.f_code)

    sys.setprofile(note)
    try:
        for statement in documented:
            with undone(records, statement.scope) as connection:
                statement.run(connection)
    finally:
        sys.setprofile(None)
    missing = {name for name, function in public_functions().items() if function.__code__ not in called}
    assert missing == set(NOT_STATEMENTS)


def public_functions() -> dict[str, FunctionType]:
    """What the repositories offer: functions whose first parameter is a connection, or the records themselves."""
    found: dict[str, FunctionType] = {}
    for module in pkgutil.iter_modules(data_platform.records.__path__):
        for name, function in vars(importlib.import_module(f"data_platform.records.{module.name}")).items():
            if isinstance(function, FunctionType) and function.__module__ == f"data_platform.records.{module.name}":
                parameters = [*inspect.signature(function).parameters]
                if not name.startswith("_") and parameters[:1] in (["connection"], ["records"]):
                    found[f"{module.name}.{name}"] = function
    return found


def documented_blocks() -> list[str]:
    return re.findall(r"^```sql\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)


def test_the_guide_has_queries_for_operators() -> None:
    assert len(documented_blocks()) >= 5


@pytest.mark.parametrize("block", documented_blocks())
def test_no_query_of_the_guide_reads_a_table_from_end_to_end(filled: Documented, block: str) -> None:
    def run(connection: Connection) -> None:
        for text in re.sub(r"--.*", "", block).split(";"):
            if text.strip():
                connection.execute(text.encode())

    for look in (explained, planned_once_for_all):
        findings = look(filled[0], Statement("docs/records.md", ADMINISTRATOR, run))
        assert findings == [], told(findings)
