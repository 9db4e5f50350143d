"""Rows for people and programs: every value that SQL has, also where Python has none."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa
import pytest

from data_platform.governance.result_rows import row_objects


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DATE '2024-01-02'", "2024-01-02"),
        ("'infinity'::DATE", "infinity"),
        ("'-infinity'::TIMESTAMP", "-infinity"),
        ("'infinity'::TIMESTAMPTZ", "infinity"),
        ("'infinity'::TIMESTAMP_NS", "infinity"),
        ("TIMESTAMP_NS '2024-01-02 03:04:05.000000006'", "2024-01-02T03:04:05.000000006"),
        ("DATE '99999-02-28'", "99999-02-28"),
        ("'0044-03-15 (BC)'::DATE", "0044-03-15 (BC)"),
        ("'0001-12-31 (BC)'::DATE", "0001-12-31 (BC)"),
        ("TIMESTAMP '12345-06-07 08:09:10.000011'", "12345-06-07T08:09:10.000011"),
        ("TIMESTAMPTZ '12345-01-01 00:00:00+00'", "12345-01-01T00:00:00+00:00"),
        ("'99999-01-01 00:00:00.5'::TIMESTAMP::TIMESTAMP_MS", "99999-01-01T00:00:00.500"),
        ("TIME '12:30:00.5'", "12:30:00.500000"),
        ("TIME '24:00:00'", "24:00:00"),
        ("'01:02:03.000000004'::TIME_NS", "01:02:03.000000004"),
        ("[DATE '99999-01-01', NULL, DATE '2020-01-01']", ["99999-01-01", None, "2020-01-01"]),
        ("[DATE '99999-01-01']::DATE[1]", ["99999-01-01"]),
        ("{'x': 'infinity'::TIMESTAMP, 'y': [TIME '24:00:00']}", {"x": "infinity", "y": ["24:00:00"]}),
        ("MAP {DATE '99999-01-01': 1}", [["99999-01-01", 1]]),
        ("union_value(q := 'infinity'::DATE)", "infinity"),
        ("NULL::TIME", None),
    ],
)
def test_a_date_that_python_has_none_for_is_text(sql: str, expected: object) -> None:
    with duckdb.connect() as connection:
        table = connection.sql(f"SELECT {sql} AS v, 1 AS n").to_arrow_table()
    assert json.loads(json.dumps(row_objects(table))) == [{"v": expected, "n": 1}]


def test_no_rows_are_none() -> None:
    assert row_objects(pa.table({"a": pa.array([], pa.date32())})) == []
