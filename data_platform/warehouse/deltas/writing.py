"""Working out a reverse delta: which rows of a file its base has not, and which of the base's it has not itself.

Keys and a 64-bit hash of each row are held in memory, never the rows. What such a hash may get wrong, or an order of
rows that is not the key's, is found by whoever proves the delta before relying on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.warehouse.deltas.content_hash import BATCH_ROWS, content_hash
from data_platform.warehouse.deltas.form import GONE, Delta, arrays_of, batch_from, batches_of, nullable, write_delta

_ROW: Final = "__row"
_VALUES: Final = "__values"
# Seen as integers, -0.0 is not 0.0 and a NaN is itself.
_BITS: Final = {pa.float64(): pa.int64(), pa.float32(): pa.int32(), pa.float16(): pa.int16()}

Mask: TypeAlias = npt.NDArray[np.bool_]


def write_whole(old: Path, target: Path, *, dropped: str) -> Delta:
    """Write a delta that holds all rows of `old`, durably.

    Raises:
        SchemaError: for a column whose type has no content hash.
        DiskSpaceError: when the disk is full.
    """
    schema, rows = _shape(old)
    return write_delta(
        target,
        _rows_of(old, schema, np.ones(rows, np.bool_)),
        nullable(schema),
        dropped=dropped,
        base=None,
        key=(),
        rows=rows,
        content=content_hash(old),
        columns=schema,
    )


def write_reverse(
    old: Path, base: Path, target: Path, *, dropped: str, base_sha256: str, key: tuple[str, ...]
) -> Delta | None:
    """Write what leads from `base` back to `old`, durably; None when their rows cannot be matched by the key.

    Raises:
        SchemaError: for a column whose type has no content hash.
        DiskSpaceError: when the disk is full.
    """
    (schema, rows), (base_schema, _) = _shape(old), _shape(base)
    if not _comparable(schema, base_schema, key):
        return None
    before, after = _hashed_rows(old, schema.names, key), _hashed_rows(base, schema.names, key)
    if not (_identifies(before, key) and _identifies(after, key)):
        return None
    different: Mask = np.zeros(rows, np.bool_)
    different[before.join(after, on=[*key, _VALUES], how="anti").get_column(_ROW).to_numpy()] = True
    gone = after.join(before, on=list(key), how="anti").select(key)
    stored = nullable(schema, (GONE, pa.bool_()))

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in _rows_of(old, schema, different):
            yield batch_from([*arrays_of(batch), pa.array(np.zeros(batch.num_rows, np.bool_))], stored)
        for batch in gone.to_arrow().to_batches(BATCH_ROWS):
            yield _only_keys(batch, stored)

    return write_delta(
        target,
        batches(),
        stored,
        dropped=dropped,
        base=base_sha256,
        key=key,
        rows=rows,
        content=content_hash(old),
        columns=schema,
    )


def _comparable(old: pa.Schema, base: pa.Schema, key: tuple[str, ...]) -> bool:
    """Whether every column of the old file is one of the base, of the same type, and the key is fit to match by."""
    kinds = dict(zip(base.names, base.types, strict=True))
    same = all(kinds.get(name) == kind for name, kind in zip(old.names, old.types, strict=True))
    fit = all(name in old.names and not pa.types.is_floating(kinds[name]) for name in key) if same else False
    hashable = not any(pa.types.is_decimal256(kind) for kind in old.types)  # polars has no such type
    return bool(key) and fit and hashable and GONE not in old.names and len(set(old.names)) == len(old.names)


def _identifies(rows: pl.DataFrame, key: tuple[str, ...]) -> bool:
    keys = rows.select(key)
    return sum(keys.null_count().row(0)) == 0 and keys.n_unique() == keys.height


def _hashed_rows(path: Path, columns: list[str], key: tuple[str, ...]) -> pl.DataFrame:
    """Key, row number and a hash over the values of each row."""
    parts: list[pl.DataFrame] = []
    first = 0
    for batch in batches_of(path, columns):
        frame = cast(pl.DataFrame, pl.from_arrow(_by_bits(batch)))  # pyright: ignore[reportUnknownMemberType] - partial stubs
        numbers = pl.Series(_ROW, np.arange(first, first + batch.num_rows, dtype=np.int64))
        parts.append(frame.select(key).with_columns(numbers, frame.hash_rows().alias(_VALUES)))
        first += batch.num_rows
    return pl.concat(parts).rechunk()


def _by_bits(batch: pa.RecordBatch) -> pa.RecordBatch:
    arrays = [array.view(_BITS[array.type]) if array.type in _BITS else array for array in arrays_of(batch)]
    fields = zip(batch.schema.names, arrays, strict=True)
    return batch_from(arrays, pa.schema([pa.field(name, array.type) for name, array in fields]))


def _rows_of(path: Path, schema: pa.Schema, chosen: Mask) -> Iterator[pa.RecordBatch]:
    first = 0
    for batch in batches_of(path, schema.names):
        some = batch.filter(pa.array(chosen[first : first + batch.num_rows]))
        yield batch_from(arrays_of(some), nullable(schema))
        first += batch.num_rows


def _only_keys(batch: pa.RecordBatch, stored: pa.Schema) -> pa.RecordBatch:
    keys = dict(zip(batch.schema.names, arrays_of(batch), strict=True))
    arrays = [
        keys[name].cast(kind) if name in keys else pa.array([None] * batch.num_rows, kind)
        for name, kind in zip(stored.names[:-1], stored.types[:-1], strict=True)
    ]
    return batch_from([*arrays, pa.array(np.ones(batch.num_rows, np.bool_))], stored)


def _shape(path: Path) -> tuple[pa.Schema, int]:
    with pq.ParquetFile(path) as file:
        return file.schema_arrow, file.metadata.num_rows
