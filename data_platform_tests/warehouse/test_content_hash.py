"""The content hash: blind to how rows are stored, sensitive to everything that they are."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import struct
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_platform.errors import SchemaError
from data_platform.warehouse.deltas.content_hash import RowHasher, content_hash

ALL_TYPES = pa.table(
    {
        "i": pa.array([1, None, 3], pa.int8()),
        "f": pa.array([0.5, None, math.nan]),
        "g": pa.array([0.5, -0.0, None], pa.float32()),
        "b": pa.array([True, None, False]),
        "s": pa.array(["ä", None, ""]),
        "y": pa.array([b"\x00", None, b""]),
        "d": pa.array([dt.date(2024, 1, 2), None, dt.date(1926, 7, 1)]),
        "t": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, 6), None, dt.datetime(1950, 1, 1)], pa.timestamp("us")),
        "n": pa.array([Decimal("1.50"), None, Decimal("-2.25")], pa.decimal128(12, 2)),
        "z": pa.nulls(3),
    }
)


def _hash(table: pa.Table, chunk: int | None = None) -> str:
    hasher = RowHasher(table.schema)
    for batch in table.to_batches(max_chunksize=chunk):
        hasher.update(batch)
    return hasher.hexdigest()


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zstd"},
        {"compression": "none", "row_group_size": 1},
        {"compression": "snappy", "use_dictionary": False, "data_page_version": "2.0"},
        {"version": "1.0", "write_statistics": False, "store_schema": False},
    ],
)
def test_how_a_file_is_written_makes_no_difference(tmp_path: Path, options: dict[str, object]) -> None:
    file = tmp_path / "a.parquet"
    # Without Arrow's own schema a column of nothing but nulls comes back as integers.
    table = ALL_TYPES.drop_columns(["z"])
    pq.write_table(table, file, **options)
    assert content_hash(file) == _hash(table)


def test_another_program_that_writes_the_same_rows_gives_the_same_hash(tmp_path: Path) -> None:
    table = ALL_TYPES.drop_columns(["z"])
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    frame.write_parquet(tmp_path / "polars.parquet")
    pq.write_table(table, tmp_path / "arrow.parquet")
    assert content_hash(tmp_path / "polars.parquet") == content_hash(tmp_path / "arrow.parquet")


@given(
    rows=st.lists(
        st.tuples(st.none() | st.integers(-9, 9), st.none() | st.floats(), st.none() | st.text(max_size=4)), max_size=30
    ),
    cuts=st.lists(st.integers(0, 30), max_size=5),
    lead=st.integers(0, 3),
)
@settings(deadline=None, max_examples=100)
def test_where_batches_end_and_buffers_begin_makes_no_difference(
    rows: list[tuple[int | None, float | None, str | None]], cuts: list[int], lead: int
) -> None:
    kinds = (pa.int64(), pa.float64(), pa.string())
    filler = [(7, 7.0, "sieben")] * lead
    whole = pa.table([pa.array([row[i] for row in rows], kinds[i]) for i in range(3)], names=["a", "b", "c"])
    led = pa.table([pa.array([row[i] for row in filler + rows], kinds[i]) for i in range(3)], names=["a", "b", "c"])
    ends = sorted({0, *(min(cut, len(rows)) for cut in cuts), len(rows)})
    hasher = RowHasher(whole.schema)
    for first, last in itertools.pairwise(ends):
        for batch in led.slice(lead + first, last - first).to_batches():
            hasher.update(batch)
    assert hasher.hexdigest() == _hash(whole)


def test_dictionaries_and_wide_offsets_are_only_ways_to_hold_the_same_strings() -> None:
    plain = pa.table({"s": pa.array(["a", None, "b", "a"])})
    for kind in (pa.dictionary(pa.int32(), pa.string()), pa.large_string()):
        held = plain.column("s").combine_chunks()
        other = held.dictionary_encode() if isinstance(kind, pa.DictionaryType) else held.cast(kind)
        assert _hash(pa.table({"s": other})) == _hash(plain)


def test_what_lies_under_a_null_is_not_seen() -> None:
    values, valid = pa.py_buffer(struct.pack("<2q", 1, 2)), pa.py_buffer(b"\x01")
    spoilt = pa.Array.from_buffers(pa.int64(), 2, [valid, values])
    assert _hash(pa.table({"a": spoilt})) == _hash(pa.table({"a": pa.array([1, None], pa.int64())}))
    offsets, text = pa.py_buffer(struct.pack("<3i", 0, 1, 4)), pa.py_buffer(b"axyz")
    spoilt_text = pa.Array.from_buffers(pa.string(), 2, [valid, offsets, text])
    assert _hash(pa.table({"a": spoilt_text})) == _hash(pa.table({"a": ["a", None]}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": [1, 2]}, {"a": [1, 2, 2]}),
        ({"a": [1, 2]}, {"b": [1, 2]}),
        ({"a": [1], "b": [2]}, {"b": [2], "a": [1]}),
        ({"a": pa.array([1], pa.int32())}, {"a": pa.array([1], pa.int64())}),
        ({"a": pa.array([1], pa.timestamp("us"))}, {"a": pa.array([1], pa.timestamp("ms"))}),
        ({"a": pa.array([None, 1])}, {"a": pa.array([0, 1])}),
        ({"a": ["", "b"]}, {"a": [None, "b"]}),
        ({"a": ["ab", "c"]}, {"a": ["a", "bc"]}),
        ({"a": [0.0]}, {"a": [-0.0]}),
        ({"a": [math.nan]}, {"a": pa.array([None], pa.float64())}),
        ({"a": [True, False]}, {"a": [False, True]}),
        ({"a": pa.array([], pa.int32())}, {"a": pa.array([], pa.int64())}),
    ],
)
def test_every_difference_in_rows_is_a_difference_in_the_hash(one: dict[str, object], other: dict[str, object]) -> None:
    assert _hash(pa.table(one)) != _hash(pa.table(other))


def test_a_type_without_a_hash_is_refused_by_name() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "nested.parquet"
        pq.write_table(pa.table({"a": [[1, 2], [3]]}), file)
        with pytest.raises(SchemaError, match="list"):
            content_hash(file)
