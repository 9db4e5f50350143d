"""Rows as CSV: what plain DuckDB has for a value, where Arrow's writer has none or another's."""

from __future__ import annotations

import csv
import io

import duckdb
import pyarrow as pa
import pytest

from data_platform.governance.result_csv import write_rows


def written(table: pa.Table, *, escape: bool = False) -> str:
    file = io.BytesIO()
    write_rows(table, file, escape_formulas=escape)
    return file.getvalue().decode()


def table_of(sql: str) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql(sql).to_arrow_table()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("'infinity'::DATE", "infinity"),
        ("'-infinity'::DATE", "-infinity"),
        ("'0044-03-15 (BC)'::DATE", "0044-03-15 (BC)"),
        ("DATE '99999-02-28'", "99999-02-28"),
        ("TIME '24:00'", "24:00:00"),
        ("'infinity'::TIMESTAMP", "infinity"),
        ("'-infinity'::TIMESTAMP_S", "-infinity"),
        ("'infinity'::TIMESTAMP_NS", "infinity"),
        ("'infinity'::TIMESTAMPTZ", "infinity"),
        ("'0044-03-15 (BC) 01:02:03'::TIMESTAMP", "0044-03-15 (BC) 01:02:03"),
        ("TIMESTAMPTZ '99999-01-01 00:00:00+00'", "99999-01-01 00:00:00+00:00"),
    ],
)
def test_a_moment_that_arrow_has_no_text_for_is_written_as_in_sql(value: str, expected: str) -> None:
    kind = table_of(f"SELECT typeof({value}) AS t")["t"][0].as_py()
    usual = "'12:30:00'" if kind == "TIME" else "'2024-01-31'"
    table = table_of(f"SELECT {value} AS v, 1 AS n UNION ALL VALUES ({usual}::{kind}, 2), (NULL, 3) ORDER BY n")
    for escape in (False, True):
        rows = list(csv.reader(written(table, escape=escape).splitlines()))
        assert rows[1] == [expected, "1"]
        assert (rows[2][0][:10], rows[3]) == ("12:30:00.0" if kind == "TIME" else "2024-01-31", ["", "3"])
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        same = connection.execute(f"SELECT {value} = ?::{kind}", [expected]).fetchone()
    assert same == (True,)


def test_usual_moments_stand_as_arrow_writes_them() -> None:
    table = table_of("SELECT DATE '0001-01-01' AS d, DATE '9999-12-31' AS e, TIME '23:59:59.999999' AS t")
    assert written(table) == '"d","e","t"\n0001-01-01,9999-12-31,23:59:59.999999\n'


@pytest.mark.parametrize("value", ["'=1+1'::BLOB", "'\\xFF'::BLOB", "''::BLOB"])
def test_bytes_are_refused_whatever_they_are(value: str) -> None:
    with pytest.raises(pa.ArrowTypeError):
        written(table_of(f"SELECT {value} AS b"), escape=True)
