"""Every value survives the way through COPY, byte for byte, bit for bit."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from random import Random

import psycopg
import pyarrow as pa
import pytest

from data_platform.errors import SchemaError
from data_platform.sources.wrds.address import WrdsAddress
from data_platform_tests.sources.declarations import wrds_table
from data_platform_tests.sources.extracting import extract

TEXTS = [
    "plain",
    "tab\there",
    'quo"ted"',
    "new\nline",
    "carriage\r\nreturn\r",
    "back\\slash",
    "\\N",
    "\\.",
    "",
    None,
    " ",
    "a,b,",
    "NULL",
    "nan",
    "é漢🂡",
    "''",
    '"',
    "\ufeffmark",
    "\b\f\v\x01\x1f\x7f",
    "\\t",
    "\\\t\\",
    "\\\\N",
    "\\n\n\\",
    "\\.\n",
    "x\\",
]


@pytest.mark.parametrize(("block_bytes", "blocks"), [(1, len(TEXTS)), (1 << 20, 1)])
def test_text_survives_whatever_it_holds(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path, block_bytes: int, blocks: int
) -> None:
    owner.execute("CREATE TABLE lab.facts (words text, id int, more text)")
    with owner.cursor() as cursor:
        cursor.executemany("INSERT INTO lab.facts VALUES (%s, %s, %s)", [(t, i, t) for i, t in enumerate(TEXTS)])
    kinds = {"words": "str", "id": "int32", "more": "str"}
    table = wrds_table(tmp_path, kinds, "SELECT words, id, more FROM lab.facts;", key=("id",))

    batches = extract(address, table, block_bytes=block_bytes)

    assert [row["words"] for batch in batches for row in batch.to_pylist()] == TEXTS
    assert [row["more"] for batch in batches for row in batch.to_pylist()] == TEXTS
    assert len(batches) == blocks


def test_any_characters_survive_together_with_any_others(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    random = Random(7)  # noqa: S311 - texts, no secrets
    alphabet = "\\\\\\Nntrbfv.x \t\n\r\b\f\v\"',é🂡\ufeff\x01"
    texts = ["".join(random.choices(alphabet, k=random.randrange(9))) for _ in range(5_000)]
    owner.execute("CREATE TABLE lab.facts (words text, id int)")
    with owner.cursor() as cursor, cursor.copy("COPY lab.facts FROM STDIN") as copy:
        for row in enumerate(texts):
            copy.write_row(row[::-1])
    table = wrds_table(tmp_path, {"words": "str", "id": "int32"}, "SELECT words, id FROM lab.facts", key=("id",))

    rows = pa.Table.from_batches(extract(address, table, block_bytes=1_000))

    assert rows["words"].to_pylist() == texts
    assert rows["words"].null_count == 0


@pytest.mark.parametrize("value", ["infinity", "-infinity", "0044-03-15 BC"])
@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_date_outside_of_the_calendar_is_refused_by_its_columns_name(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path, kind: str, value: str
) -> None:
    owner.execute(f"CREATE TABLE lab.facts AS SELECT 1 AS id, '{value}'::{kind} AS day")
    dtype = "date" if kind == "date" else "datetime[us]"
    table = wrds_table(tmp_path, {"id": "int32", "day": dtype}, "SELECT id, day FROM lab.facts")

    with pytest.raises(SchemaError) as caught:
        extract(address, table)

    assert caught.value.message == f"lab_facts all: column day holds values that are not {dtype}."


def test_the_first_and_the_last_day_of_the_calendar_arrive(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    days = [dt.date(1, 1, 1), dt.date(1582, 10, 10), dt.date(9999, 12, 31)]
    owner.execute("CREATE TABLE lab.facts (day date)")
    with owner.cursor() as cursor:
        cursor.executemany("INSERT INTO lab.facts VALUES (%s)", [(day,) for day in days])
    table = wrds_table(tmp_path, {"day": "date"}, "SELECT day FROM lab.facts")

    assert [row["day"] for batch in extract(address, table) for row in batch.to_pylist()] == days


def test_a_single_column_of_nulls_and_empty_strings_keeps_its_rows(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    owner.execute("CREATE TABLE lab.facts AS SELECT * FROM (VALUES (NULL), (''), (NULL), ('x')) AS v (t)")
    table = wrds_table(tmp_path, {"t": "str"}, "SELECT t FROM lab.facts")

    assert [row["t"] for batch in extract(address, table) for row in batch.to_pylist()] == ["", "x", None, None]


def test_numbers_dates_and_truth_values_keep_type_and_value(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    owner.execute(
        "CREATE TABLE lab.facts (n numeric(20,8), f float8, i bigint, s smallint, b boolean, day date, at timestamp)"
    )
    owner.execute(
        "INSERT INTO lab.facts VALUES"
        " (0.1, 0.1, 9223372036854775807, -32768, true, '1925-12-31', '2024-02-29 12:34:56.789012'),"
        " (-0.00000001, 1e-300, -9223372036854775808, 32767, false, '2024-02-29', '1970-01-01'),"
        " (123456789012.12345678, 1.7e308, 0, 0, NULL, NULL, NULL),"
        " ('NaN', 'NaN', NULL, NULL, NULL, NULL, NULL)"
    )
    kinds = {
        "n": "float64",
        "f": "float64",
        "i": "int64",
        "s": "int16",
        "b": "bool",
        "day": "date",
        "at": "datetime[us]",
    }
    table = wrds_table(tmp_path, kinds, "SELECT * FROM lab.facts", key=("s",))

    rows = pa.Table.from_batches(extract(address, table))

    assert rows.schema.equals(table.arrow_schema)
    assert rows["n"].to_pylist() == [0.1, 123456789012.12345678, -0.00000001, None]
    assert rows["f"].to_pylist() == [0.1, 1.7e308, 1e-300, None]
    assert (rows["n"].null_count, rows["f"].null_count) == (1, 1)
    assert rows["i"].to_pylist() == [2**63 - 1, 0, -(2**63), None]
    assert rows["b"].to_pylist() == [True, None, False, None]
    assert rows["day"].to_pylist() == [dt.date(1925, 12, 31), None, dt.date(2024, 2, 29), None]
    assert rows["at"].to_pylist()[0] == dt.datetime(2024, 2, 29, 12, 34, 56, 789012)
