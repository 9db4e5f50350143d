"""What the rows of a Parquet file are, as one hash: the same for the same rows in the same order, however stored.

Row groups, pages, compression and the program that wrote the file make no difference; every value, null, name, type
and the order of rows and columns do. Floats count by their bits, so a NaN is itself and -0.0 is not 0.0. A file that
was put together again from a delta is proven by it to hold the rows of the file that was dropped.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.errors import SchemaError

BATCH_ROWS: Final = 131_072
_FORM: Final = "rows-1"

# Quoted: the classes of pyarrow take no parameters at run time.
AnyArray: TypeAlias = "pa.Array[Any]"
Bytes: TypeAlias = npt.NDArray[np.uint8]


def content_hash(file: Path | pa.NativeFile) -> str:
    """Hash the rows of a Parquet file, one batch in memory at a time.

    Raises:
        SchemaError: for a column whose type has no hash (lists, structs and the like).
        pa.ArrowException, OSError: when the file cannot be read as Parquet.
    """
    with pq.ParquetFile(file) as parquet:
        hasher = RowHasher(parquet.schema_arrow)
        for batch in parquet.iter_batches(BATCH_ROWS):  # pyright: ignore[reportUnknownMemberType] - partial stubs
            hasher.update(batch)
    return hasher.hexdigest()


class RowHasher:
    """The hash of rows that arrive in batches; how they are cut into batches makes no difference.

    Raises:
        SchemaError: for a column whose type has no hash.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = 0
        self._columns = [_ColumnHasher(name, kind) for name, kind in zip(schema.names, schema.types, strict=True)]

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch with the columns of the schema, in its order."""
        self.rows += batch.num_rows
        columns = cast("list[AnyArray]", batch.columns)  # pyright: ignore[reportUnknownMemberType] - partial stubs
        for column, hasher in zip(columns, self._columns, strict=True):
            hasher.update(column)

    def hexdigest(self) -> str:
        """SHA-256 over all columns and the number of rows, in hexadecimal."""
        parts = [_FORM, self.rows, [column.digests() for column in self._columns]]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class _ColumnHasher:
    """Three hashes of one column, so that batch boundaries leave no trace: which are valid, lengths, and bytes."""

    def __init__(self, name: str, kind: pa.DataType) -> None:
        self._name = name
        self._kind = _plain(kind)
        self._text = _is_text(self._kind)
        if not (self._text or pa.types.is_null(self._kind) or pa.types.is_primitive(self._kind) or _is_fixed(kind)):
            raise SchemaError(f"Rows with a column of type {kind} have no content hash.")
        self._valid, self._lengths, self._bytes = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()

    def update(self, values: AnyArray) -> None:
        if isinstance(values, pa.DictionaryArray):
            values = cast(AnyArray, values.dictionary_decode())
        valid = _valid(values)
        self._valid.update((np.ones(len(values), np.bool_) if valid is None else valid).data)
        if self._text:
            lengths, data = _text_parts(values.cast(self._kind), has_nulls=valid is not None)
            self._lengths.update(lengths.data)
            self._bytes.update(data)
        elif not pa.types.is_null(self._kind):
            self._bytes.update(_fixed_bytes(values, valid).data)

    def digests(self) -> list[str]:
        """Name, type and the three hashes."""
        hashes = (self._valid, self._lengths, self._bytes)
        return [self._name, str(self._kind), *(item.hexdigest() for item in hashes)]


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type without what only says how Arrow holds it: dictionaries, 32 or 64 bit offsets, views."""
    if isinstance(kind, pa.DictionaryType):
        return _plain(cast(pa.DataType, kind.value_type))  # pyright: ignore[reportUnknownMemberType] - partial stubs
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.large_binary()
    return kind


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)


def _is_fixed(kind: pa.DataType) -> bool:
    return pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind)


def _valid(values: AnyArray) -> npt.NDArray[np.bool_] | None:
    """Which values are there; None when all are."""
    if values.null_count == 0:
        return None
    return cast("npt.NDArray[np.bool_]", values.is_valid().to_numpy(zero_copy_only=False))


def _text_parts(values: AnyArray, *, has_nulls: bool) -> tuple[npt.NDArray[np.int64], memoryview]:
    """The length of each value in bytes, a null's being 0, and all of the bytes; `values` have 64 bit offsets."""
    if has_nulls:
        # A null may have bytes of its own underneath; nobody sees them.
        values = values.fill_null("" if pa.types.is_large_string(values.type) else b"")
    _, starts, data = values.buffers()
    if starts is None or len(values) == 0:
        return np.empty(0, np.int64), memoryview(b"")
    offsets = np.frombuffer(memoryview(starts), np.int64)[values.offset : values.offset + len(values) + 1]
    body = memoryview(b"") if data is None else memoryview(data)[int(offsets[0]) : int(offsets[-1])]
    return np.diff(offsets), body


def _fixed_bytes(values: AnyArray, valid: npt.NDArray[np.bool_] | None) -> Bytes:
    """The values' own bytes, little-endian as Arrow holds them; those of nulls are zero."""
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    buffer = values.buffers()[1]
    if buffer is None or len(values) == 0:
        return np.empty(0, np.uint8)
    width: int = values.type.bit_width // 8
    raw = np.frombuffer(memoryview(buffer), np.uint8)[values.offset * width : (values.offset + len(values)) * width]
    if valid is None:
        return raw
    cells = raw.reshape(len(values), width).copy()
    cells[~valid] = 0
    return cells
