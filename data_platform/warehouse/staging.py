"""Staging: one partition's batches become one private, finished Parquet file with its statistics.

Rows keep the order in which they arrive, so the same data always gives the same bytes and hence the same hash. Row
groups are compressed in a thread of their own, while the caller's parses the rows of the next.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_platform.catalog.drift import columns_of
from data_platform.errors import Fenced, SchemaError
from data_platform.warehouse.encoding import worth_dictionary, worth_splitting, worth_statistics
from data_platform.warehouse.integrity import hash_file
from data_platform.warehouse.store import fsync_path, make_folder, no_space_is_clear

ROW_GROUP_ROWS: Final = 131_072
"""The memory that staging takes hangs on it. Scans of one security, of one date and of all take a half to three
quarters of what they take with four times as many rows; files are a tenth larger (docs/benchmarks.md)."""

_CHUNK_ROWS: Final = 16_384
"""Rows reach the writer in chunks of exactly this many, since where a page ends depends on where a chunk does."""

_CHUNKS_AHEAD: Final = 3
"""Gathered of the next row group while the last one is being written; as many as it takes to keep a source busy."""

_COMPRESSION: Final = "zstd"
_COMPRESSION_LEVEL: Final = 4


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


def clear_left_behind(root: Path, table: str) -> None:
    """Remove what other writers of a table left in staging, for whoever holds its lock.

    They are dead, or lost the lock by force.
    """
    for left_behind in root.glob(f"{table}@*"):
        shutil.rmtree(left_behind, ignore_errors=True)


@contextmanager
def staging_folder(root: Path, table: str, writer_id: str) -> Generator[Path]:
    """A folder of one writer's own, removed on the way out, whatever happened.

    The caller holds the table's lock, so what other writers of this table left here goes.

    Raises:
        Fenced: when a successor, to whom our lock was given, has cleared our files away meanwhile.
    """
    clear_left_behind(root, table)
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
    """Write batches as one Parquet file in bounded memory: at most a row group and a half of rows is held.

    Raises:
        SchemaError: when a batch has other columns or types than `schema`.
        DiskSpaceError: when the disk is full; the unfinished file is removed.
    """
    statistics = _Statistics(schema, date_column)
    try:
        with no_space_is_clear(target):
            with target.open("xb") as sink:
                with _GroupWriter(sink, schema, statistics) as writer:
                    for chunk in _chunks(batches, schema):
                        writer.add(chunk)
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


class _GroupWriter:
    """Gathers chunks to row groups and writes one at a time behind the caller's back, always in order."""

    def __init__(self, sink: IO[bytes], schema: pa.Schema, statistics: _Statistics) -> None:
        self._sink = sink
        self._schema = schema
        self._statistics = statistics
        self._held: list[pa.RecordBatch] = []
        self._writer: pq.ParquetWriter | None = None
        self._thread = ThreadPoolExecutor(1, "parquet-writer")
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left; after an error only wait for what is being written."""
        with self._thread:
            if error is None:
                self._write_held()
                self._wait()
        if self._writer is not None:
            with nullcontext() if error is None else suppress(Exception):
                self._writer.close()

    def add(self, chunk: pa.RecordBatch) -> None:
        """Take the next chunk; what went wrong in writing earlier ones is raised here or at the end."""
        self._held.append(chunk)
        if len(self._held) == _CHUNKS_AHEAD:
            self._wait()
        if len(self._held) * _CHUNK_ROWS == ROW_GROUP_ROWS:
            self._write_held()

    def _write_held(self) -> None:
        self._wait()
        group, self._held = pa.Table.from_batches(self._held, self._schema), []
        self._writing = self._thread.submit(self._write, group)

    def _wait(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()

    def _write(self, group: pa.Table) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._sink,
                self._schema,
                compression=_COMPRESSION,
                compression_level=_COMPRESSION_LEVEL,
                use_dictionary=worth_dictionary(group),  # pyright: ignore[reportArgumentType] - names are accepted
                use_byte_stream_split=worth_splitting(group),  # pyright: ignore[reportArgumentType] - as above
                write_statistics=worth_statistics(self._schema),
            )
        if group.num_rows:
            self._statistics.add(group)
            self._writer.write_table(group, row_group_size=ROW_GROUP_ROWS)


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
