"""The fingerprint changes when, and only when, another extraction would give something else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import psycopg
import pytest

from data_platform.catalog import Table, find_table
from data_platform.errors import SchemaError, SourceError
from data_platform.sources import Fingerprint
from data_platform.sources.demo.load import DemoSummary
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.source import open_wrds
from data_platform_tests.sources.declarations import with_dtype, wrds_table

QUERY = "SELECT id, day, words FROM lab.facts -- all of them"


@pytest.fixture
def facts(owner: psycopg.Connection, tmp_path: Path) -> Table:
    owner.execute("CREATE TABLE lab.facts (id int, day date, words text, other int)")
    owner.execute("INSERT INTO lab.facts SELECT n, date '2024-01-01' + n, 'w' || n, n FROM generate_series(1, 50) AS n")
    owner.execute("COMMENT ON TABLE lab.facts IS 'Last modified: 11/26/2025 01:40:41'")
    return wrds_table(tmp_path, {"id": "int32", "day": "date", "words": "str"}, QUERY)


def _fingerprint(address: WrdsAddress, table: Table, partition: str = "all") -> Fingerprint:
    with open_wrds("wrds", address) as source:
        return source.fingerprint(table, partition)


def test_it_counts_and_describes_without_values(address: WrdsAddress, facts: Table) -> None:
    found = _fingerprint(address, facts)

    assert found.row_count == 50
    assert found.details["comment"] == "Last modified: 11/26/2025 01:40:41"
    assert found.details["max_date"] == "2024-02-20"
    assert found.query_hash == found.details["query_hash"]
    assert len(found.value) == len(found.query_hash or "") == 64
    assert _fingerprint(address, facts) == found


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE lab.facts SET words = 'other' WHERE id = 7",
        "UPDATE lab.facts SET words = NULL WHERE id = 7",
        "DELETE FROM lab.facts WHERE id = 7",
        "INSERT INTO lab.facts SELECT * FROM lab.facts WHERE id = 7",
        "ALTER TABLE lab.facts ALTER words TYPE varchar(20)",
        "ALTER TABLE lab.facts ADD COLUMN extra int",
    ],
)
def test_a_change_at_the_source_shows(
    owner: psycopg.Connection, address: WrdsAddress, facts: Table, change: str
) -> None:
    before = _fingerprint(address, facts).value
    owner.execute(change)

    assert _fingerprint(address, facts).value != before


@pytest.mark.parametrize("text", ["'Last modified: 11/26/2025 13:00:00'", "NULL"])
def test_another_comment_is_shown_and_is_no_other_fingerprint(
    owner: psycopg.Connection, address: WrdsAddress, facts: Table, text: str
) -> None:
    before = _fingerprint(address, facts)
    owner.execute(f"COMMENT ON TABLE lab.facts IS {text}")
    after = _fingerprint(address, facts)

    assert after.value == before.value
    assert after.details != before.details
    assert after.details["comment"] == text.strip("'").replace("NULL", "")


def test_another_declaration_is_another_fingerprint(address: WrdsAddress, facts: Table) -> None:
    before = _fingerprint(address, facts)
    after = _fingerprint(address, with_dtype(facts, "id", "int64"))

    assert after.value != before.value
    assert after.query_hash == before.query_hash
    assert {name for name, text in after.details.items() if text != before.details[name]} == {"declaration_hash"}


def test_the_server_is_not_made_to_sort_what_it_only_hashes(
    superuser: psycopg.Connection, address: WrdsAddress, facts: Table
) -> None:
    with open_wrds("wrds", address) as source:
        source.fingerprint(facts, "all")
        (sent,) = superuser.execute(
            "SELECT query FROM pg_stat_activity"
            " WHERE application_name = 'data-platform' AND datname = current_database()"
        ).fetchone() or ("",)
    plan = "\n".join(line for (line,) in superuser.execute(f"EXPLAIN {sent}"))

    assert "hashtextextended" in sent
    assert "Aggregate" in plan
    assert "Sort" not in plan


def test_where_rows_lie_on_the_servers_disk_does_not_show(
    owner: psycopg.Connection, address: WrdsAddress, facts: Table
) -> None:
    before = _fingerprint(address, facts).value
    owner.execute("UPDATE lab.facts SET other = other + 1 WHERE id % 2 = 0")
    owner.execute("VACUUM FULL lab.facts")

    assert _fingerprint(address, facts).value == before


def test_another_query_is_another_fingerprint(address: WrdsAddress, facts: Table, tmp_path: Path) -> None:
    before = _fingerprint(address, facts)
    (tmp_path / "query.sql").write_text(QUERY.replace("all of them", "every one"))

    assert _fingerprint(address, facts).query_hash != before.query_hash


def test_partitions_of_the_demo_differ_and_share_their_query(address: WrdsAddress, demo: DemoSummary) -> None:
    years = range(demo.marker.first_year, demo.marker.last_year + 1)
    found = [_fingerprint(address, find_table("crsp_daily"), str(year)) for year in years]

    assert len({one.value for one in found}) == len(found)
    assert len({one.query_hash for one in found}) == 1
    assert sum(one.row_count or 0 for one in found) == demo.marker.rows
    assert [one.details["max_date"][:4] for one in found] == [str(year) for year in years]


def test_an_empty_partition_has_one_too(address: WrdsAddress, demo: DemoSummary) -> None:
    assert demo.marker.first_year > 1990
    found = _fingerprint(address, find_table("crsp_daily"), "1990")

    assert (found.row_count, found.details["max_date"]) == (0, "")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ("DROP TABLE lab.facts", SchemaError, "the server has no relation lab.facts"),
        ("ALTER TABLE lab.facts RENAME words TO letters", SchemaError, "lab.facts has no column words"),
        ("REVOKE SELECT ON lab.facts FROM wrds_demo", SourceError, "may not read lab.facts"),
        ("REVOKE USAGE ON SCHEMA lab FROM wrds_demo", SourceError, "may not read lab.facts"),
    ],
)
def test_what_cannot_be_read_has_none(
    owner: psycopg.Connection, address: WrdsAddress, facts: Table, change: str, error: type[Exception], words: str
) -> None:
    owner.execute(change)

    with pytest.raises(error, match=f"^lab_facts all: .*{words}"):
        _fingerprint(address, dataclasses.replace(facts))
