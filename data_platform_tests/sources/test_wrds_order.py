"""Rows in the order of the key: without a sort where they lie so, sorted where they do not, and nothing in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_platform.catalog import Table
from data_platform.sources import RowsOutOfOrder
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.order import KeyOrder
from data_platform.sources.wrds.source import open_wrds
from data_platform.sync.extracting import extract_to_file
from data_platform_tests.sources.declarations import wrds_table

ROWS = 30_000
BLOCK = 65_536
KINDS = {"n": "int32", "day": "date", "words": "str"}
QUERY = "SELECT n, day, words FROM lab.facts"
COPIES = "SELECT query FROM pg_stat_activity WHERE application_name = 'data-platform' AND datname = current_database()"


def _fill(owner: psycopg.Connection, order: str) -> None:
    owner.execute(
        "CREATE TABLE lab.facts AS SELECT n / 100 AS n, date '2024-01-01' + n % 100 AS day, md5(n::text) AS words"
        f" FROM generate_series(0, {ROWS - 1}) AS n ORDER BY {order}"
    )


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return wrds_table(tmp_path, KINDS, QUERY, key=("n", "day"))


def test_rows_that_lie_in_order_are_not_sorted_and_the_session_is_left_as_it_was(
    owner: psycopg.Connection, superuser: psycopg.Connection, address: WrdsAddress, table: Table
) -> None:
    _fill(owner, "n")
    with open_wrds("wrds", address, BLOCK) as source:
        batches = source.extract(table, "all")
        next(batches)
        (running,) = superuser.execute(COPIES).fetchone() or ("",)
        assert "COPY" in running
        assert "ORDER BY" not in running
        assert sum(batch.num_rows for batch in batches) > 0
        (last,) = superuser.execute(COPIES).fetchone() or ("",)
        assert last == "RESET synchronize_seqscans; RESET max_parallel_workers_per_gather"


@pytest.mark.parametrize(
    "order", ["md5(n::text)", "n DESC", "n <> 0, n", "n = 29999, n", "n = 29000, n", "n % 100, n"],
    ids=["shuffled", "backwards", "first apart", "as they should", "late", "by the other column"],
)  # fmt: skip
def test_the_same_rows_become_the_same_file_however_they_lie(
    owner: psycopg.Connection, address: WrdsAddress, table: Table, tmp_path: Path, order: str
) -> None:
    _fill(owner, "n")
    with open_wrds("wrds", address, BLOCK) as source:
        as_they_lie = extract_to_file(source, table, "all", tmp_path / "ordered.parquet", iter)
    owner.execute("DROP TABLE lab.facts")
    _fill(owner, order)
    seen: list[int] = []
    with open_wrds("wrds", address, BLOCK) as source:
        staged = extract_to_file(source, table, "all", tmp_path / "again.parquet", partial(_counted, seen))
        again = extract_to_file(source, table, "all", tmp_path / "third.parquet", iter)

    assert staged.sha256 == as_they_lie.sha256 == again.sha256
    # What came before the first row out of order was watched twice.
    assert staged.rows == ROWS <= sum(seen)
    keys = pq.read_table(staged.path).select(["n", "day"]).to_pylist()
    assert all((a["n"], a["day"]) < (b["n"], b["day"]) for a, b in pairwise(keys))


def _counted(seen: list[int], batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        seen.append(batch.num_rows)
        yield batch


def test_a_relation_that_was_out_of_order_is_sorted_from_then_on_and_others_are_not(
    owner: psycopg.Connection, superuser: psycopg.Connection, address: WrdsAddress, table: Table, tmp_path: Path
) -> None:
    _fill(owner, "n DESC")
    target = tmp_path / "staged.parquet"
    (tmp_path / "other").mkdir()
    other = wrds_table(tmp_path / "other", KINDS, QUERY, key=("words",), relation="lab.others")
    with open_wrds("wrds", address, BLOCK) as source:
        with pytest.raises(RowsOutOfOrder):
            list(source.extract(table, "all"))
        states = superuser.execute("SELECT state" + COPIES.removeprefix("SELECT query")).fetchall()
        assert states == [("idle",)]
        batches = source.extract(table, "all")
        next(batches)
        assert "ORDER BY" in (superuser.execute(COPIES).fetchone() or ("",))[0]
        batches.close()
        with pytest.raises(RowsOutOfOrder):
            list(source.extract(other, "all"))
        assert extract_to_file(source, other, "all", target, iter).rows == ROWS


def test_texts_are_ordered_by_their_bytes_and_missing_ones_come_last(
    owner: psycopg.Connection, address: WrdsAddress, tmp_path: Path
) -> None:
    words = ["b", "a", "B", "é", None, "Z", "_", "ab", "a b", "🂡"]
    # Of all types with an order of their own an enumeration is one that every server has.
    labels = ", ".join(f"'{word}'" for word in words if word is not None)
    owner.execute(f"CREATE TYPE lab.label AS ENUM ({labels}); CREATE TABLE lab.facts (t lab.label)")
    with owner.cursor() as cursor:
        cursor.executemany("INSERT INTO lab.facts VALUES (%s)", [(word,) for word in words])
    table = wrds_table(tmp_path, {"t": "str"}, "SELECT t FROM lab.facts")
    expected = [*sorted((word for word in words if word is not None), key=str.encode), None]
    with open_wrds("wrds", address) as source:
        with pytest.raises(RowsOutOfOrder):
            list(source.extract(table, "all"))
        assert [row["t"] for batch in source.extract(table, "all") for row in batch.to_pylist()] == expected
    owner.execute("TRUNCATE lab.facts")
    with owner.cursor() as cursor:
        cursor.executemany("INSERT INTO lab.facts VALUES (%s)", [(word,) for word in expected])
    with open_wrds("wrds", address) as source:
        assert [row["t"] for batch in source.extract(table, "all") for row in batch.to_pylist()] == expected


@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        ([(1, "a"), (1, "b"), (2, "a")], True),
        ([(1, "b"), (1, "a")], False),
        ([(1, "b"), (2, "a")], True),
        ([(2, "a"), (1, "b")], False),
        ([(1, "a"), (1, "a")], True),
        ([(1, None), (1, None)], True),
        ([(1, None), (2, "a")], True),
        ([(1, "a"), (1, None)], True),
        ([(1, None), (1, "a")], False),
        ([(1, "a"), (None, "a"), (None, "b"), (None, None)], True),
        ([(None, "a"), (1, "b")], False),
        ([(None, "b"), (None, "a")], False),
        ([(1, "Z"), (1, "a"), (1, "é")], True),
        ([], True),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 10])
def test_order_is_told_within_batches_and_across_them(
    rows: list[tuple[int | None, str | None]], holds: bool, size: int
) -> None:
    schema = pa.schema([("n", pa.int32()), ("t", pa.string()), ("x", pa.int64())])
    order = KeyOrder(("n", "t"))
    whole = pa.RecordBatch.from_pylist([{"n": n, "t": t, "x": -i} for i, (n, t) in enumerate(rows)], schema=schema)
    batches = [whole.slice(first, size) for first in range(0, max(len(rows), 1), size)]
    assert all(map(order.goes_on, batches)) is holds


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (False, True),
        (-1.5, 2.0),
        (dt.date(1925, 12, 31), dt.date(2024, 1, 1)),
        (dt.datetime(2024, 1, 1, 0, 0, 0, 1), dt.datetime(2024, 1, 1, 0, 0, 0, 2)),
    ],
)
def test_every_type_of_a_key_has_its_order(low: object, high: object) -> None:
    assert KeyOrder(("k",)).goes_on(pa.RecordBatch.from_pydict({"k": pa.array([low, low, high, None])}))
    assert not KeyOrder(("k",)).goes_on(pa.RecordBatch.from_pydict({"k": pa.array([high, low])}))
