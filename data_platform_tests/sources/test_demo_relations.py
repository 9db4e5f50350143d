"""The loaded relations: all that WRDS has of these, with its columns, comments and rights."""

from __future__ import annotations

import re

import psycopg
import pytest

from data_platform.records.databases import DemoServer
from data_platform.sources.demo.load import DemoSummary
from data_platform.sources.demo.relations import RELATIONS, relation_named
from data_platform_tests.sources.wrds_columns import WRDS_COLUMNS


@pytest.fixture(autouse=True)
def _loaded(demo: DemoSummary) -> None:
    assert demo.marker.rows


def test_there_is_every_relation_and_nothing_else(superuser: psycopg.Connection) -> None:
    found = superuser.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'lab')"
    ).fetchall()

    assert {name for (name,) in found} == set(WRDS_COLUMNS)
    assert [relation.full_name for relation in RELATIONS] == list(WRDS_COLUMNS)


@pytest.mark.parametrize("name", WRDS_COLUMNS)
def test_it_has_wrdss_columns_with_the_declared_types(superuser: psycopg.Connection, name: str) -> None:
    columns = superuser.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (name,),
    ).fetchall()

    assert [column for column, _ in columns] == WRDS_COLUMNS[name].split()
    kinds = [kind.replace("character varying", "varchar") for _, kind in columns]
    assert kinds == list(relation_named(name).columns.values())


@pytest.mark.parametrize("name", WRDS_COLUMNS)
def test_it_has_rows_a_comment_statistics_and_can_be_read(
    superuser: psycopg.Connection, server: DemoServer, name: str
) -> None:
    row = superuser.execute(
        f"SELECT (SELECT count(*) FROM {name}), obj_description(oid), reltuples,"
        " has_table_privilege(%s, oid, 'SELECT'), has_table_privilege(%s, oid, 'UPDATE')"
        " FROM pg_class WHERE oid = %s::regclass",
        (server.reader, server.reader, name),
    ).fetchone()

    assert row is not None
    count, comment, counted, may_read, may_change = row
    assert count == counted > 0
    assert re.fullmatch(r"Last modified: \d\d/\d\d/\d{4} \d\d:\d\d:\d\d", comment)
    assert (may_read, may_change) == (True, False)


def test_relations_that_are_asked_for_by_year_have_an_index_on_their_date(superuser: psycopg.Connection) -> None:
    found = superuser.execute(
        "SELECT DISTINCT i.indrelid::regclass::text, a.attname FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('crsp', 'comp', 'ff')"
    ).fetchall()

    assert set(found) == {(relation.full_name, relation.date) for relation in RELATIONS if relation.date}
    assert ("crsp.dsf_v2", "dlycaldt") in found


@pytest.mark.parametrize(
    ("name", "date"), [("dsf_v2", "dlycaldt"), ("msf_v2", "mthcaldt"), ("dsf", "date"), ("msf", "date")]
)
def test_rows_lie_ordered_by_permno_and_date(superuser: psycopg.Connection, name: str, date: str) -> None:
    count = superuser.execute(
        f"SELECT count(*) FROM (SELECT permno, {date}, lag((permno, {date})) OVER (ORDER BY ctid) AS before"
        f" FROM crsp.{name}) rows WHERE (permno, {date}) <= before"
    ).fetchone()

    assert count == (0,)
