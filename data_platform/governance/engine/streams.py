"""Arrow's stream as a worker sent it: taken apart message by message, so that nothing grows beyond what was received.

A message is framed as Arrow's format says: a mark, the length of its metadata, the metadata (a flatbuffer), the body.
The worker never compresses. Whoever has broken into one could send a body that unpacks without a bound, or one value
that a type repeats without a bound; both are refused before Arrow looks at them.
"""

from __future__ import annotations

import io
import struct
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc

_PREFIX: Final = struct.Struct("<II")
_MARK: Final = 0xFFFFFFFF
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
# Positions of fields in the tables of Arrow's Message.fbs.
_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3
_DICTIONARY_DATA, _COMPRESSION = 1, 3
_VALUE_BYTES: Final = 4


def _is_dense_union(kind: Any) -> bool:  # noqa: ANN401 - an Arrow type, whose class is generic without a use here
    return pa.types.is_union(kind) and str(kind.mode) == "dense"


_REPEATING: Final[tuple[Callable[[Any], bool], ...]] = (
    pa.types.is_run_end_encoded,
    pa.types.is_string_view,
    pa.types.is_binary_view,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
    _is_dense_union,
)
"""Types whose values lie somewhere else, and the same ones as often as one likes."""


def read_table(pieces: list[bytes], most_rows: int) -> pa.Table:
    """The table of a stream that came in pieces; the list is emptied on the way, so that nothing is there twice.

    Raises:
        ValueError, pyarrow.ArrowException: when it is no such stream, is compressed, repeats values by its type or has
            more rows than `most_rows`.
    """
    checked = pa.PythonFile(_Source(_checked(_Source(_drained(pieces)))), mode="r")
    batches: list[pa.RecordBatch] = []
    rows = 0
    with pa.ipc.open_stream(checked) as reader:
        for kind in cast("list[Any]", reader.schema.types):
            _refuse_repeating(kind)
        for batch in reader:
            rows += batch.num_rows
            if rows > most_rows:
                raise ValueError("more rows than were asked for")
            batches.append(batch)
        return pa.Table.from_batches(batches, reader.schema)


def validate(table: pa.Table) -> None:
    """Look through every value, so that no offset, index or text in it leads astray whoever reads it later.

    DuckDB has values that Arrow's types are not meant to hold: a HUGEINT can have a digit more than a decimal, and a
    day's last time is 24:00. Nothing else hangs on their bits, so they count as bits, wherever they lie.

    Raises:
        ValueError, pyarrow.ArrowException: when a value is none of its type.
    """
    table.validate()
    for column in cast("list[Any]", table.columns):
        for chunk in column.chunks:
            try:
                chunk.validate(full=True)
            except pa.ArrowInvalid:
                stored = chunk.storage if isinstance(chunk.type, pa.BaseExtensionType) else chunk
                stored.view(_bits(stored.type)).validate(full=True)


def _bits(kind: Any) -> Any:  # noqa: ANN401 - an Arrow type, whose class is generic without a use here
    """The type with decimals and times taken for plain bits."""
    types, make = pa.types, cast("Any", pa)
    if isinstance(kind, pa.BaseExtensionType):
        return _bits(kind.storage_type)
    if types.is_decimal(kind):
        return make.binary(kind.byte_width)
    if types.is_time64(kind):
        return make.int64()
    fields = [kind.field(number) for number in range(kind.num_fields)]
    within = [field.with_type(_bits(field.type)) for field in fields]
    if types.is_map(kind):
        return make.map_(_bits(kind.key_type), _bits(kind.item_type))
    if types.is_union(kind):
        return make.union(within, mode=kind.mode, type_codes=list(kind.type_codes))
    if types.is_struct(kind):
        return make.struct(within)
    if types.is_fixed_size_list(kind):
        return make.list_(within[0], kind.list_size)
    return make.list_(within[0]) if types.is_list(kind) else kind


def repeated_bytes(table: pa.Table) -> int:
    """How many bytes those values take, once each is written out, that have hardly any here: ENUMs and untyped NULLs.

    A text that a dictionary holds once counts for each row that refers to it, as in CSV or JSON, and each such value
    four bytes more.

    Raises:
        ValueError: when a dictionary holds anything but text.
    """
    return sum(_repeated(chunk) for column in cast("list[Any]", table.columns) for chunk in column.chunks)


def _repeated(array: Any) -> int:  # noqa: ANN401 - an Arrow array, whose class is generic without a use here
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    kind, types = array.type, pa.types
    if types.is_null(kind):
        return len(array) * _VALUE_BYTES
    if types.is_dictionary(kind):
        if not types.is_string(kind.value_type):
            raise ValueError("a dictionary of something else than text")
        compute = cast("Any", pc)
        # Counted by text first, so that nothing here is as long as the column.
        counted = compute.value_counts(array.indices)
        lengths = compute.take(compute.binary_length(array.dictionary), counted.field("values"))
        texts = compute.sum(compute.multiply(lengths, counted.field("counts"))).as_py() or 0
        return texts + len(array) * _VALUE_BYTES
    if types.is_struct(kind) or types.is_union(kind):
        return sum(_repeated(array.field(number)) for number in range(kind.num_fields))
    if types.is_map(kind):
        return _repeated(array.keys) + _repeated(array.items)
    return _repeated(array.values) if types.is_nested(kind) else 0


def _checked(source: _Source) -> Generator[Any]:
    """The same stream in other pieces: of each message its prefix, its metadata and its body."""
    while prefix := source.read(_PREFIX.size):
        mark, length = _PREFIX.unpack(prefix) if len(prefix) == _PREFIX.size else (0, 0)
        if mark != _MARK:
            raise ValueError("not a message")
        yield prefix
        if not length:
            return
        metadata = source.read(length)
        compressed, size = inspect_message(metadata)
        if compressed:
            raise ValueError("a compressed body")
        yield metadata
        if size > 0:
            yield source.read(size)


def inspect_message(metadata: Any) -> tuple[bool, int]:  # noqa: ANN401 - bytes or something like them
    """Whether a message's body is compressed and how many bytes it has, by its metadata. Pure.

    Raises:
        ValueError: when the metadata is none.
    """
    try:
        message = _indirect(metadata, 0)
        kind, size = _field(metadata, message, _HEADER_TYPE), _field(metadata, message, _BODY_LENGTH)
        batch = _table(metadata, message, _HEADER)
        number = 0 if kind is None else _at("<B", metadata, kind)
        if number == _DICTIONARY_BATCH and batch is not None:
            batch = _table(metadata, batch, _DICTIONARY_DATA)
        rows = batch if number in {_DICTIONARY_BATCH, _RECORD_BATCH} else None
        compressed = rows is not None and _field(metadata, rows, _COMPRESSION) is not None
        return compressed, 0 if size is None else _at("<q", metadata, size)
    except struct.error:
        raise ValueError("not the metadata of a message") from None


def _drained(pieces: list[bytes]) -> Generator[bytes]:
    waiting = deque(pieces)
    pieces.clear()
    while waiting:
        yield waiting.popleft()


class _Source(io.RawIOBase):
    """A file over pieces, each of which is let go once it is read."""

    def __init__(self, pieces: Iterable[bytes | bytearray]) -> None:
        self._pieces = iter(pieces)
        self._rest: bytes | bytearray | memoryview = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> Any:  # noqa: ANN401 - bytes or something like them, which Arrow and struct take
        """So many bytes; fewer at the end only."""
        if not self._rest:
            self._rest = next(self._pieces, b"")
        if len(self._rest) == size:
            whole, self._rest = self._rest, b""
            return whole
        read = bytearray()
        # It grows with what is there: how long a body claims to be takes no memory.
        while self._rest and len(read) < size:
            view = memoryview(self._rest)
            wanted = size - len(read)
            read += view[:wanted]
            self._rest = view[wanted:] or next(self._pieces, b"")
        return read


def _refuse_repeating(kind: Any) -> None:  # noqa: ANN401 - an Arrow type, whose class is generic without a use here
    stored: Any = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    if any(repeats(stored) for repeats in _REPEATING):
        raise ValueError("a type that repeats values")
    for number in range(stored.num_fields):
        _refuse_repeating(stored.field(number).type)


def _table(content: Any, table: int, field: int) -> int | None:  # noqa: ANN401 - bytes, as above
    """Where the table lies that a field of a table refers to; None when the field is not set."""
    found = _field(content, table, field)
    return None if found is None else _indirect(content, found)


def _field(content: Any, table: int, field: int) -> int | None:  # noqa: ANN401 - as above
    layout = table - _at("<i", content, table)
    slot = 4 + 2 * field
    if slot + 2 > _at("<H", content, layout):
        return None
    offset = _at("<H", content, layout + slot)
    return table + offset if offset else None


def _indirect(content: Any, place: int) -> int:  # noqa: ANN401 - as above
    return place + _at("<I", content, place)


def _at(form: str, content: Any, place: int) -> int:  # noqa: ANN401 - as above
    if place < 0:
        raise ValueError("not the metadata of a message")
    (value,) = struct.unpack_from(form, content, place)
    return int(value)
