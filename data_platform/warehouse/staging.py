"""Staging: one partition's batches become one private, finished Parquet file with its statistics.

Rows keep the order in which they arrive, so the same data always gives the same bytes and hence the same hash.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_platform.catalog.drift import columns_of
from data_platform.errors import Fenced, SchemaError
from data_platform.warehouse.encoding import worth_dictionary, worth_statistics
from data_platform.warehouse.integrity import hash_file
from data_platform.warehouse.store import fsync_path, make_folder, no_space_is_clear

ROW_GROUP_ROWS: Final = 524_288
"""A file of this many rows or fewer is one row group: 8 % smaller and 10 % faster to write than two."""

_CHUNK_ROWS: Final = 65_536
"""Rows reach the writer in chunks of exactly this many, since where a page ends depends on where a chunk does."""

_COMPRESSION: Final = "zstd"
_COMPRESSION_LEVEL: Final = 3


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A finished Parquet file that nobody can see yet. `null_counts` is per column.

    The dates are None without rows, and for a table without dates.
    """

    path: Path
    schema: pa.Schema
    rows: int
    bytes: int
    sha256: str
    min_date: dt.date | None
    max_date: dt.date | None
    null_counts: Mapping[str, int]


@contextmanager
def staging_folder(root: Path, table: str, writer_id: str) -> Generator[Path]:
    """A folder of one writer's own, removed on the way out, whatever happened.

    The caller holds the table's lock, so what other writers of this table left here goes: they are dead, or lost the
    lock by force.

    Raises:
        Fenced: when a successor, to whom our lock was given, has cleared our files away meanwhile.
    """
    for left_behind in root.glob(f"{table}@*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    folder = root / f"{table}@{writer_id}"
    try:
        make_folder(folder)
        yield folder
    except FileNotFoundError as error:
        gone = Path(error.filename or folder)
        if gone.is_relative_to(folder) and not gone.exists():
            raise Fenced(
                f"The lock on {table} was taken away while working; nothing was published.",
                hint="See `data-platform lock list`, then run the sync again.",
            ) from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stage(batches: Iterable[pa.RecordBatch], schema: pa.Schema, date_column: str | None, target: Path) -> StagedFile:
    """Write batches as one Parquet file in bounded memory: at most one row group of rows is held.

    Raises:
        SchemaError: when a batch has other columns or types than `schema`.
        DiskSpaceError: when the disk is full; the unfinished file is removed.
    """
    statistics = _Statistics(schema, date_column)
    try:
        with no_space_is_clear(target):
            with target.open("xb") as sink:
                groups = _row_groups(batches, schema)
                first = next(groups, schema.empty_table())
                with pq.ParquetWriter(
                    sink,
                    schema,
                    compression=_COMPRESSION,
                    compression_level=_COMPRESSION_LEVEL,
                    use_dictionary=worth_dictionary(first),  # pyright: ignore[reportArgumentType] - names are accepted
                    write_statistics=worth_statistics(schema),
                ) as writer:
                    for table in chain([first] if first.num_rows else [], groups):
                        statistics.add(table)
                        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
                        del table  # else two row groups are held while the next one gathers
                sink.flush()
                os.fsync(sink.fileno())
            fsync_path(target.parent)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return StagedFile(
        path=target,
        schema=schema,
        rows=statistics.rows,
        bytes=target.stat().st_size,
        sha256=hash_file(target),
        min_date=statistics.min_date,
        max_date=statistics.max_date,
        null_counts=statistics.null_counts,
    )


class _Statistics:
    """Counts gathered while the rows stream by, so that no check has to read the file for them again."""

    def __init__(self, schema: pa.Schema, date_column: str | None) -> None:
        self.rows = 0
        self.min_date: dt.date | None = None
        self.max_date: dt.date | None = None
        self.null_counts = dict.fromkeys(schema.names, 0)
        self._date_column = date_column

    def add(self, table: pa.Table) -> None:
        self.rows += table.num_rows
        for name in table.column_names:
            self.null_counts[name] += table.column(name).null_count
        if self._date_column is None:
            return
        dates = table.column(self._date_column)
        low: dt.date | None = pc.min(dates).as_py()
        high: dt.date | None = pc.max(dates).as_py()
        if low is not None and high is not None:
            self.min_date = min(self.min_date or low, low)
            self.max_date = max(self.max_date or high, high)


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for chunk in _chunks(batches, schema):
        held.append(chunk)
        if len(held) * _CHUNK_ROWS == ROW_GROUP_ROWS:
            yield pa.Table.from_batches(held, schema)
            held = []
    if held:
        yield pa.Table.from_batches(held, schema)


def _chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The same rows in chunks of `_CHUNK_ROWS`, the last one shorter, however they arrived."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if not batch.schema.equals(schema):
            raise SchemaError(f"A batch arrived with other columns than declared: {_difference(schema, batch.schema)}.")
        held.append(batch)
        rows += batch.num_rows
        while rows >= _CHUNK_ROWS:
            table = pa.Table.from_batches(held, schema)
            yield _as_one(table.slice(0, _CHUNK_ROWS))
            held = table.slice(_CHUNK_ROWS).to_batches()
            rows -= _CHUNK_ROWS
    if rows:
        yield _as_one(pa.Table.from_batches(held, schema))


def _as_one(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


def _difference(declared: pa.Schema, actual: pa.Schema) -> str:
    wanted, found = columns_of(declared), columns_of(actual)
    parts = [f"{name} is missing" for name in wanted if name not in found]
    parts += [f"{name} is new" for name in found if name not in wanted]
    parts += [f"{n} is {found[n]}, not {t}" for n, t in wanted.items() if n in found and found[n] != t]
    return ", ".join(parts) or "the order or nullability differs"
