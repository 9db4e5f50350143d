"""Asking once what several partitions look like: the same answers as asking for each, in one query of the server's."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import psycopg
import pytest

from data_platform.catalog import Partitioning, Table, WrdsQuery
from data_platform.errors import SchemaError, SourceError
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.source import open_wrds
from data_platform_tests.sources.declarations import wrds_table

QUERY = "SELECT id, day, amount FROM lab.facts WHERE day >= %(start)s AND day < %(end)s"
YEARS = [str(year) for year in range(2000, 2010)]


@pytest.fixture
def facts(owner: psycopg.Connection, tmp_path: Path) -> Table:
    """A thousand rows over ten years, without any in 2005."""
    owner.execute("CREATE TABLE lab.facts (id int, day date, amount numeric)")
    owner.execute(
        "INSERT INTO lab.facts SELECT n, date '2000-01-01' + n * 3, n / 7.0 FROM generate_series(0, 1200) n "
        "WHERE extract(year FROM date '2000-01-01' + n * 3) <> 2005"
    )
    table = wrds_table(tmp_path, {"id": "int32", "day": "date", "amount": "float64"}, QUERY, key=("id", "day"))
    assert isinstance(table.origin, WrdsQuery)
    return dataclasses.replace(table, partitioning=Partitioning.YEAR)


def test_a_survey_says_of_each_partition_what_its_own_fingerprint_says(address: WrdsAddress, facts: Table) -> None:
    with open_wrds("wrds", address) as source:
        surveyed = source.survey(facts, YEARS)
        alone = {year: source.fingerprint(facts, year) for year in YEARS}
        sparse = source.survey(facts, ["2001", "2003", "2004"])

    assert surveyed == alone
    assert sparse == {year: alone[year] for year in ("2001", "2003", "2004")}
    assert (surveyed["2005"].row_count, surveyed["2005"].details["max_date"]) == (0, "")
    assert sum(one.row_count or 0 for one in surveyed.values()) > 1000


def test_only_the_restated_year_looks_different(owner: psycopg.Connection, address: WrdsAddress, facts: Table) -> None:
    with open_wrds("wrds", address) as source:
        before = source.survey(facts, YEARS)
        owner.execute("UPDATE lab.facts SET amount = amount + 0.01 WHERE id = 300")
        owner.execute("UPDATE lab.facts SET day = day WHERE day >= '2004-01-01'")
        after = source.survey(facts, YEARS)

    assert [year for year in YEARS if before[year].value != after[year].value] == ["2002"]
    assert {year: one.row_count for year, one in before.items()} == {year: one.row_count for year, one in after.items()}


@pytest.mark.parametrize(("asked", "queries"), [(YEARS, 1), (["2000", "2004", "2005"], 2), (["2007"], 1)])
def test_a_stretch_of_years_is_one_query(
    superuser: psycopg.Connection, address: WrdsAddress, facts: Table, asked: list[str], queries: int
) -> None:
    before = _scans(superuser)
    with open_wrds("wrds", address) as source:
        source.survey(facts, asked)

    assert _scans(superuser) - before == queries


def _scans(superuser: psycopg.Connection) -> int:
    """How often the relation was read from front to back, by sessions that have ended."""
    deadline = time.monotonic() + 10
    while superuser.execute("SELECT 1 FROM pg_stat_activity WHERE application_name = 'data-platform'").fetchone():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    row = superuser.execute("SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'lab.facts'::regclass").fetchone()
    assert row is not None
    return int(row[0])


def test_a_whole_table_without_dates_is_surveyed_too(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    owner.execute("CREATE TABLE lab.facts (code text, meaning text)")
    owner.execute("INSERT INTO lab.facts VALUES ('A', 'one'), ('B', NULL)")
    table = wrds_table(tmp_path, {"code": "str", "meaning": "str"}, "SELECT code, meaning FROM lab.facts")
    table = dataclasses.replace(table, date_column=None, calendar=None)
    with open_wrds("wrds", address) as source:
        found = source.survey(table, ["all"])
        owner.execute("DELETE FROM lab.facts")
        emptied = source.survey(table, ["all"])

    assert (found["all"].row_count, found["all"].details["max_date"]) == (2, "")
    assert emptied["all"].row_count == 0
    assert emptied["all"].value != found["all"].value


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ("DROP TABLE lab.facts", SchemaError, "^lab_facts 2000 to 2009: the server has no relation lab.facts"),
        (
            "REVOKE SELECT ON lab.facts FROM wrds_demo",
            SourceError,
            "^lab_facts 2000 to 2009: .* may not read lab.facts",
        ),
        ("DROP TABLE lab.other", SchemaError, "the server has no relation lab.other"),
        ("REVOKE SELECT ON lab.other FROM wrds_demo", SourceError, "may not read lab.other"),
    ],
)
def test_what_cannot_be_read_is_named_also_when_it_is_only_joined(
    owner: psycopg.Connection,
    address: WrdsAddress,
    facts: Table,
    tmp_path: Path,
    change: str,
    error: type[Exception],
    words: str,
) -> None:
    owner.execute("CREATE TABLE lab.other (id int)")
    (tmp_path / "query.sql").write_text(QUERY.replace("lab.facts", "lab.facts LEFT JOIN lab.other USING (id)"))
    owner.execute(change)

    with open_wrds("wrds", address) as source, pytest.raises(error, match=words):
        source.survey(facts, YEARS)
