"""The form of a reverse delta: the Parquet object from which a dropped file's rows can be put together again.

It holds the rows of the dropped file that a later file (its base) has not, or has with other values, and the keys of
the base's rows that the dropped file had not; or, without a base, all rows. Its metadata say what it was made for and
what the dropped rows hash to, and carry hashes of the delta's own rows and of themselves.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse.deltas.content_hash import BATCH_ROWS, RowHasher
from data_platform.warehouse.manifest import Sha256
from data_platform.warehouse.sealed import seal, unseal
from data_platform.warehouse.staging import ROW_GROUP_ROWS
from data_platform.warehouse.store import no_space_is_clear

GONE: Final = "__not_in_dropped_file"
"""The last column of a delta with a base: true where only the key counts, of a row that the dropped file had not."""

_METADATA: Final = "data_platform.delta"
_SEAL: Final = "delta_sha256"
_COMPRESSION_LEVEL: Final = 9  # written once, kept for ever

# pyarrow's classes take no parameters at run time, and its stubs are partial; arrays are passed through unseen.
Arrays: TypeAlias = "list[Any]"


class Delta(BaseModel):
    """What a delta says of itself. Without a `base_sha256` it holds all rows.

    `rows` and `content` (a content hash) are those of the dropped file, `stored` is the content hash of the delta's
    own rows, and `arrow_schema` the dropped file's schema in Arrow's serialised form, base64.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dropped_sha256: Sha256
    base_sha256: Sha256 | None
    key: tuple[str, ...]
    rows: int
    content: Sha256
    stored: Sha256
    arrow_schema: str

    @property
    def columns(self) -> pa.Schema:
        """The columns of the dropped file."""
        return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(self.arrow_schema)))


def read_delta(path: Path, sha256: str) -> Delta:
    """What the delta of a dropped file says of itself; its rows are not looked at.

    Raises:
        FileNotFoundError: when there is none.
        ChecksumMismatchError: when it is damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            stored = (file.metadata.metadata or {})[_METADATA.encode()]
        delta = Delta.model_validate(unseal(stored, _SEAL, name="A delta"))
    except FileNotFoundError:
        raise
    except (ChecksumMismatchError, pa.ArrowException, OSError, ValueError, KeyError, ValidationError):
        raise damaged(sha256) from None
    if delta.dropped_sha256 != sha256:
        raise damaged(sha256)
    return delta


def read_rows(path: Path, delta: Delta) -> pa.Table:
    """The rows of a delta, with the column `GONE` when it has a base.

    Raises:
        ChecksumMismatchError: when they are not those that were written.
    """
    try:
        with pq.ParquetFile(path) as file:
            table = pa.Table.from_batches(file.iter_batches(BATCH_ROWS), file.schema_arrow)  # pyright: ignore[reportUnknownMemberType] - partial stubs
    except (pa.ArrowException, OSError, ValueError):
        raise damaged(delta.dropped_sha256) from None
    hasher = RowHasher(table.schema)
    for batch in table.to_batches():
        hasher.update(batch)
    if hasher.hexdigest() != delta.stored:
        raise damaged(delta.dropped_sha256)
    return table


def damaged(sha256: str) -> ChecksumMismatchError:
    """The error that the delta of a dropped file is not what was written."""
    return ChecksumMismatchError(
        f"The delta of the dropped file {sha256[:12]}… is damaged; that file's rows cannot be put together from it.",
        hint="Restore the warehouse's deltas from a backup.",
    )


def write_delta(  # noqa: PLR0913 - what a delta consists of, by keyword
    target: Path,
    batches: Iterable[pa.RecordBatch],
    stored_columns: pa.Schema,
    *,
    dropped: str,
    base: str | None,
    key: tuple[str, ...],
    rows: int,
    content: str,
    columns: pa.Schema,
) -> Delta:
    """Write a delta to a new file and flush it.

    Raises:
        SchemaError: for a column whose type has no content hash.
        DiskSpaceError: when the disk is full.
    """
    hasher = RowHasher(stored_columns)
    with no_space_is_clear(target), target.open("xb") as sink:
        with pq.ParquetWriter(sink, stored_columns, compression="zstd", compression_level=_COMPRESSION_LEVEL) as writer:
            for group in _row_groups(batches):
                for batch in group:
                    hasher.update(batch)
                writer.write_table(pa.Table.from_batches(group, stored_columns), row_group_size=ROW_GROUP_ROWS)
            delta = Delta(
                dropped_sha256=dropped,
                base_sha256=base,
                key=key,
                rows=rows,
                content=content,
                stored=hasher.hexdigest(),
                arrow_schema=base64.b64encode(columns.serialize()).decode(),
            )
            writer.add_key_value_metadata({_METADATA: seal(delta.model_dump(mode="json"), _SEAL).decode()})
        sink.flush()
        os.fsync(sink.fileno())
    return delta


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches of rows, gathered to about a row group; fewer and larger ones compress better."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows:
            held.append(batch)
        if sum(each.num_rows for each in held) >= ROW_GROUP_ROWS:
            yield held
            held = []
    if held:
        yield held


def batches_of(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file, with these columns in this order."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):  # pyright: ignore[reportUnknownMemberType] - partial stubs
            yield batch.select(columns)


def arrays_of(batch: pa.RecordBatch) -> Arrays:
    """The columns of a batch."""
    return cast(Arrays, batch.columns)  # pyright: ignore[reportUnknownMemberType] - partial stubs


def batch_from(arrays: Arrays, columns: pa.Schema) -> pa.RecordBatch:
    """A batch of these columns."""
    return pa.RecordBatch.from_arrays(arrays, schema=columns)  # pyright: ignore[reportUnknownMemberType] - partial stubs


def nullable(schema: pa.Schema, *more: tuple[str, pa.DataType]) -> pa.Schema:
    """The names and types of the columns without anything else that was said of them, and more columns after them."""
    fields = [*zip(schema.names, schema.types, strict=True), *more]
    return pa.schema([pa.field(name, kind) for name, kind in fields])
