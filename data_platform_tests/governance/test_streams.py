"""Arrow's streams, taken apart: every shape that a worker sends, and what only somebody in its place would."""

from __future__ import annotations

import random
import tracemalloc
from typing import Any

import pyarrow as pa
import pytest

from data_platform.governance.engine.streams import inspect_message, read_table, repeated_bytes, validate

TABLE = pa.table(
    {
        "number": list(range(5_000)),
        "word": pa.array(["x", None] * 2_500).dictionary_encode(),
        "text": ["é" * (number % 90) for number in range(5_000)],
        "list": [[number, None] for number in range(5_000)],
    }
)


def stream(table: pa.Table, compression: str | None = None, batch_rows: int = 1_000) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return sink.getvalue().to_pybytes()


WORDS = pa.array(["abc"] * 5).dictionary_encode()
SENT = stream(TABLE)


@pytest.mark.parametrize("size", [3, 8, 100, 4_096, len(SENT)])
def test_a_stream_is_read_whatever_pieces_it_came_in_and_they_are_let_go(size: int) -> None:
    pieces = [SENT[start : start + size] for start in range(0, len(SENT), size)]
    assert read_table(pieces, TABLE.num_rows).equals(TABLE)
    assert pieces == []


def test_a_stream_is_not_in_memory_twice() -> None:
    sent = stream(pa.table({"text": [b"x" * 1_000_000] * 32}))
    size, arrow = len(sent), pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        pieces = [sent[start : start + 250_000] for start in range(0, size, 250_000)]
        assert tracemalloc.get_traced_memory()[1] > size * 0.99
        table = read_table(pieces, 32)
        assert tracemalloc.get_traced_memory()[1] < size * 1.5
    finally:
        tracemalloc.stop()
    assert table.num_rows == 32
    assert pa.total_allocated_bytes() - arrow < size // 10


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
@pytest.mark.parametrize("column", ["number", "word"])
def test_a_compressed_body_is_refused_before_it_is_unpacked(compression: str, column: str) -> None:
    before = pa.total_allocated_bytes()
    sent = stream(pa.table({column: pa.concat_arrays([TABLE[column].combine_chunks()] * 50)}), compression)
    with pytest.raises(ValueError, match="compressed"):
        read_table([sent], 1_000_000)
    assert pa.total_allocated_bytes() == before


@pytest.mark.parametrize(
    "values",
    [
        pa.RunEndEncodedArray.from_arrays(pa.array([100], pa.int32()), pa.array(["x" * 1_000])),
        pa.array(["x" * 1_000] * 100, pa.string_view()),
        pa.array([b"x" * 1_000] * 100, pa.binary_view()),
        pa.array([["x" * 1_000]] * 100, pa.list_(pa.string_view())),
        pa.array([["x" * 1_000]] * 100, pa.list_view(pa.string())),
        pa.array([["x" * 1_000]] * 100, pa.large_list_view(pa.string())),
        pa.UnionArray.from_dense(pa.array([0] * 100, pa.int8()), pa.array([0] * 100, pa.int32()), [pa.array(["x"])]),
        pa.ExtensionArray.from_storage(pa.opaque(pa.string_view(), "t", "v"), pa.array(["x"] * 100, pa.string_view())),
    ],
)
def test_types_that_repeat_one_value_without_its_bytes_are_refused(values: Any) -> None:  # noqa: ANN401 - arrays of any type
    with pytest.raises(ValueError, match="repeats"):
        read_table([stream(pa.table({"values": values}))], 100)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array(["abc", None, "abc", "é"]).dictionary_encode(), 8 + 16),
        (pa.array([None, None], pa.dictionary(pa.int8(), pa.string())), 8),
        (pa.array([["abc"], ["abc", "abc"], None], pa.list_(pa.dictionary(pa.int8(), pa.string()))), 9 + 12),
        (pa.StructArray.from_arrays([WORDS, pa.array([1] * 5)], ["a", "b"]), 15 + 20),
        (pa.UnionArray.from_sparse(pa.array([0] * 5, pa.int8()), [WORDS, pa.array([1] * 5)]), 15 + 20),
        (pa.ExtensionArray.from_storage(pa.opaque(WORDS.type, "t", "v"), WORDS), 15 + 20),
        (pa.array([{"abc": "x"}], pa.map_(pa.string(), pa.dictionary(pa.int8(), pa.string()))), 1 + 4),
        (pa.array([[None] * 100, None], pa.list_(pa.null())), 400),
        (pa.array(["abc"] * 5), 0),
        (pa.array([[1, 2], None]), 0),
    ],
)
def test_values_that_take_hardly_a_byte_are_counted_as_they_are_written(values: Any, expected: int) -> None:  # noqa: ANN401 - arrays of any type
    assert repeated_bytes(pa.table({"a": values})) == expected


def test_a_dictionary_of_something_else_than_text_is_refused() -> None:
    with pytest.raises(ValueError, match="something else than text"):
        repeated_bytes(pa.table({"a": pa.array([1, 1]).dictionary_encode()}))


def test_more_rows_than_were_asked_for_are_refused() -> None:
    assert read_table([stream(pa.table({"none": pa.nulls(1_000)}))], 1_000).num_rows == 1_000
    with pytest.raises(ValueError, match="more rows"):
        read_table([stream(pa.table({"none": pa.nulls(2_000_000)}), batch_rows=2_000_000)], 1_000)


def test_whatever_bytes_come_there_is_a_table_or_a_refusal() -> None:
    chance = random.Random(1)  # noqa: S311 - the same bytes each time
    sent = stream(TABLE.slice(0, 20))
    read = refused = 0
    for _ in range(500):
        damaged = bytearray(sent[: chance.choice([len(sent), chance.randrange(len(sent))])])
        for _ in range(3):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            read_table([bytes(damaged)], 20)
            read += 1
        except (ValueError, KeyError, TypeError, OSError, pa.ArrowException):
            refused += 1
    assert read > 0
    assert refused > 100


@pytest.mark.parametrize("metadata", [b"", b"\0" * 3, b"\xff" * 64, b"\x04\0\0\0" + b"\xff" * 8])
def test_what_is_no_metadata_is_refused(metadata: bytes) -> None:
    with pytest.raises(ValueError, match="not the metadata"):
        inspect_message(metadata)


ARROW: Any = pa
MIDNIGHT = ARROW.array([86_400_000_000], pa.int64()).cast(pa.time64("us"), safe=False)
LARGEST = ARROW.Array.from_buffers(pa.decimal128(38), 1, [None, pa.py_buffer((2**127 - 1).to_bytes(16, "little"))])


@pytest.mark.parametrize("value", [MIDNIGHT, LARGEST])
def test_values_that_only_duckdb_has_pass_wherever_they_lie(value: Any) -> None:  # noqa: ANN401 - as above
    one = pa.array([0, 1], pa.int32())
    column = ARROW.ListArray.from_arrays(one, ARROW.StructArray.from_arrays([value, pa.array(["x"])], ["a", "b"]))
    keyed = ARROW.MapArray.from_arrays(one, pa.array(["k"]), ARROW.FixedSizeListArray.from_arrays(value, 1))
    union = ARROW.UnionArray.from_sparse(pa.array([0], pa.int8()), [value])
    validate(ARROW.table([value, column, keyed, union], ["v", "l", "m", "u"]))


@pytest.mark.parametrize("value", [MIDNIGHT, LARGEST])
def test_what_lies_beside_them_is_looked_through_all_the_same(value: Any) -> None:  # noqa: ANN401 - as above
    broken = ARROW.Array.from_buffers(
        pa.string(),
        1,
        [None, pa.py_buffer((0).to_bytes(4, "little") + (1).to_bytes(4, "little")), pa.py_buffer(b"\xff")],
    )
    for column in (broken, ARROW.StructArray.from_arrays([value, broken], ["a", "b"])):
        with pytest.raises(ValueError, match="UTF8"):
            validate(ARROW.table({"v": column}))
