"""Rows through COPY: whole and in order; every misfit is named by its column and never by its value."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from data_platform.catalog import find_table
from data_platform.errors import SchemaError, SourceError, UsageError
from data_platform.sources.demo.load import DemoSummary
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.source import open_wrds
from data_platform_tests.sources.declarations import wrds_table
from data_platform_tests.sources.extracting import extract

CRSP = find_table("crsp_daily")


def test_the_demos_year_arrives_whole_in_the_catalogs_schema_and_order(demo: DemoSummary, address: WrdsAddress) -> None:
    with open_wrds("demo", address, 1 << 18) as source:
        expected = source.fingerprint(CRSP, "2023").row_count
        batches = list(source.extract(CRSP, "2023"))
        received = source.bytes_received

    rows = pa.Table.from_batches(batches)
    keys = list(zip(rows["permno"].to_pylist(), rows["date"].to_pylist(), strict=True))
    assert demo.marker.rows > rows.num_rows == expected > 5000
    assert len(batches) > 3
    assert all(batch.schema.equals(CRSP.arrow_schema) for batch in batches)
    assert keys == sorted(set(keys))
    assert {date.year for _, date in keys} == {2023}
    assert received > 1_000_000


def test_rows_come_in_the_order_of_the_key_whatever_the_query_says(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    owner.execute(
        'CREATE TABLE lab.facts AS SELECT n / 7 AS "Odd name", n % 7 AS n FROM generate_series(48, 0, -1) AS n'
    )
    table = wrds_table(
        tmp_path,
        {"n": "int32", "Odd name": "int32"},
        'SELECT n, "Odd name" FROM lab.facts -- as they lie',
        key=("Odd name", "n"),
    )

    rows = [row for batch in extract(address, table) for row in batch.to_pylist()]

    assert [(row["Odd name"], row["n"]) for row in rows] == [divmod(n, 7) for n in range(49)]


def test_no_rows_give_no_batches(owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path) -> None:
    owner.execute("CREATE TABLE lab.facts (day date)")

    assert extract(address, wrds_table(tmp_path, {"day": "date"}, "SELECT day FROM lab.facts")) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [("int32", "'secret-12.5'"), ("date", "'secret'"), ("float64", "'1,5'"), ("bool", "'yes'"), ("int16", "'40000'")],
)
def test_a_value_that_does_not_fit_its_type_is_named_by_its_column_only(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path, kind: str, value: str
) -> None:
    owner.execute(f"CREATE TABLE lab.facts AS SELECT 1 AS id, {value}::text AS odd")
    table = wrds_table(tmp_path, {"id": "int32", "odd": kind}, "SELECT id, odd FROM lab.facts")

    with pytest.raises(SchemaError) as caught:
        extract(address, table)

    assert caught.value.message == f"lab_facts all: column odd holds values that are not {kind}."
    assert value.strip("'") not in str(caught.value)


def test_a_missing_value_where_the_catalog_rules_it_out_is_refused(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    owner.execute("CREATE TABLE lab.facts AS SELECT NULL::int AS id")
    table = wrds_table(tmp_path, {"id": "int32"}, "SELECT id FROM lab.facts", required=("id",))

    with pytest.raises(SchemaError, match="lab_facts all: column id has missing values"):
        extract(address, table)


FLOATS = [("numeric", "float64"), ("float8", "float64"), ("float4", "float32")]


@pytest.mark.parametrize(("kind", "dtype"), FLOATS)
@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_nan_is_a_missing_value_and_its_neighbours_stay(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path, kind: str, dtype: str, block_bytes: int
) -> None:
    owner.execute(f"CREATE TABLE lab.facts (id int, odd {kind}, even {kind})")
    owner.execute("INSERT INTO lab.facts VALUES (1, 0.5, 1), (2, 'NaN', 2), (3, NULL, 3), (4, -0.5, 4)")
    table = wrds_table(tmp_path, {"id": "int32", "odd": dtype, "even": dtype}, "SELECT id, odd, even FROM lab.facts")

    rows = pa.Table.from_batches(extract(address, table, block_bytes=block_bytes))

    assert rows.schema.equals(table.arrow_schema)
    assert rows["odd"].to_pylist() == [0.5, None, None, -0.5]
    assert rows["even"].to_pylist() == [1, 2, 3, 4]
    assert (rows["odd"].null_count, rows["even"].null_count) == (2, 0)


def test_finite_values_whose_sum_is_not_stay_as_they_are(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    owner.execute("CREATE TABLE lab.facts AS SELECT 1.7e308::float8 AS x FROM generate_series(1, 3)")
    table = wrds_table(tmp_path, {"x": "float64"}, "SELECT x FROM lab.facts", required=("x",))

    assert [row["x"] for batch in extract(address, table) for row in batch.to_pylist()] == [1.7e308] * 3


def test_nan_where_the_catalog_rules_out_missing_values_is_refused(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    owner.execute("CREATE TABLE lab.facts AS SELECT 1 AS id, 'NaN'::numeric AS odd")
    table = wrds_table(tmp_path, {"id": "int32", "odd": "float64"}, "SELECT id, odd FROM lab.facts", required=("odd",))

    with pytest.raises(SchemaError, match="lab_facts all: column odd has missing values"):
        extract(address, table)


@pytest.mark.parametrize(("kind", "dtype"), FLOATS)
@pytest.mark.parametrize("values", [["Infinity"], ["-Infinity"], ["Infinity", "-Infinity"], ["NaN", "Infinity"]])
def test_an_infinite_value_is_refused_by_its_columns_name(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path, kind: str, dtype: str, values: list[str]
) -> None:
    owner.execute(f"CREATE TABLE lab.facts (id int, odd {kind})")
    with owner.cursor() as cursor:
        cursor.executemany("INSERT INTO lab.facts VALUES (%s, %s)", list(enumerate(["12.5", *values])))
    table = wrds_table(tmp_path, {"id": "int32", "odd": dtype}, "SELECT id, odd FROM lab.facts")

    with pytest.raises(SchemaError) as caught:
        extract(address, table)

    assert caught.value.message == "lab_facts all: column odd holds infinite values, which no table may."
    assert "12.5" not in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "relation", "error", "words"),
    [
        ("SELECT id FROM lab.nothing", "lab.nothing", SchemaError, "the server has no relation lab.nothing"),
        ("SELECT id FROM nolab.facts", "nolab.facts", SchemaError, "the server has no relation nolab.facts"),
        ("SELECT gone AS id FROM lab.facts", "lab.facts", SchemaError, "lab.facts has no column gone"),
        ("SELECT f.gone AS id FROM lab.facts f", "lab.facts", SchemaError, "lab.facts has no column f.gone"),
        ("SELECT id FROM lab.hidden", "lab.hidden", SourceError, "the WRDS account wrds_demo may not read lab.hidden"),
        ("SELECT id FROM closed.facts", "closed.facts", SourceError, "may not read closed.facts"),
        ("SELECT id, id AS twice FROM lab.facts", "lab.facts", SchemaError, "column twice is not declared"),
        ("SELECT id AS other FROM lab.facts", "lab.facts", SchemaError, "column id is missing"),
        ("SELECT id FROM lab.facts WHERE 1 / (id - 1) > 0", "lab.facts", SourceError, "refused the query on lab.facts"),
        ("SELEKT", "lab.facts", SourceError, "refused the query on lab.facts (SQLSTATE 42601)"),
    ],
    ids=[
        "table",
        "schema",
        "column",
        "qualified column",
        "right",
        "subscription",
        "surplus",
        "renamed",
        "fails",
        "no query",
    ],
)
def test_what_the_server_refuses_is_told_apart(
    owner: psycopg.Connection,
    address: WrdsAddress,
    tmp_path: Path,
    sql: str,
    relation: str,
    error: type[Exception],
    words: str,
) -> None:
    owner.execute("CREATE TABLE lab.facts AS SELECT 1 AS id, 'secret' AS words")
    owner.execute("CREATE TABLE lab.hidden AS SELECT 1 AS id")
    owner.execute(f"REVOKE ALL ON lab.hidden FROM {address.user}")
    owner.execute("CREATE SCHEMA closed CREATE TABLE facts (id int)")
    try:
        with pytest.raises(error) as caught:
            extract(address, wrds_table(tmp_path, {"id": "int32"}, sql, relation=relation))
    finally:
        owner.execute("DROP SCHEMA closed CASCADE")

    assert str(caught.value).startswith("lab_facts all: ")
    assert words in str(caught.value)


def test_columns_in_another_order_are_refused(owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path) -> None:
    owner.execute("CREATE TABLE lab.facts AS SELECT 1 AS a, 2 AS b")
    table = wrds_table(tmp_path, {"a": "int32", "b": "int32"}, "SELECT b, a FROM lab.facts")

    with pytest.raises(SchemaError, match="the columns stand in another order"):
        extract(address, table)


def test_a_partition_that_does_not_fit_is_refused(address: WrdsAddress) -> None:
    with pytest.raises(UsageError, match="no partition of crsp_daily"):
        extract(address, CRSP, "2024-01")
