"""Putting a dropped file's rows together from its delta, the deltas of the files on the way, and a file that stands.

The chain is folded by key: for each key the delta nearest to the dropped file decides, then the next, last the file
that stands. However long the chain, the rows come out once, in the key's order. Held in memory are all keys, the
deltas, and of the standing file about one row group, as long as it is in the key's order itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse.deltas.content_hash import BATCH_ROWS, RowHasher, content_hash
from data_platform.warehouse.deltas.form import GONE, Delta, arrays_of, batch_from, damaged, nullable, read_rows
from data_platform.warehouse.deltas.windows import Window
from data_platform.warehouse.staging import ROW_GROUP_ROWS
from data_platform.warehouse.store import no_space_is_clear

Link: TypeAlias = tuple[Delta, Path]
Standing: TypeAlias = Path | IO[bytes] | pa.NativeFile | None
_ROW: Final = "__row"
_PART: Final = "__part"


def assemble(chain: Sequence[Link], standing: Standing, target: Path) -> None:
    """Write the rows of the file that the first delta was made for to a new file, flush it, and prove it.

    `chain` leads from that delta to one whose base is `standing`, or to one without a base when that is None.

    Raises:
        ChecksumMismatchError: when a delta is damaged, or the rows are not those that were dropped.
        DiskSpaceError: when the disk is full.
    """
    wanted = chain[0][0]
    with no_space_is_clear(target), target.open("xb") as sink:
        _write(chain, standing, sink)
        sink.flush()
        os.fsync(sink.fileno())
    _require(wanted, content_hash(target))


def assemble_in_memory(chain: Sequence[Link], standing: Standing) -> pa.NativeFile:
    """The same file, proven, held in memory in its compressed form.

    Raises:
        ChecksumMismatchError: as `assemble` does.
    """
    sink = pa.BufferOutputStream()
    _write(chain, standing, sink)
    content = sink.getvalue()
    _require(chain[0][0], content_hash(pa.BufferReader(content)))
    return pa.BufferReader(content)


def prove(chain: Sequence[Link], standing: Standing) -> None:
    """Put the same rows together only to see that they are those of the dropped file.

    Raises:
        ChecksumMismatchError: as `assemble` does.
    """
    wanted = chain[0][0]
    hasher = RowHasher(wanted.columns)
    for rows in _assembled(chain, standing):
        for batch in rows.to_batches(BATCH_ROWS):
            hasher.update(batch)
    _require(wanted, hasher.hexdigest())


def _write(chain: Sequence[Link], standing: Standing, sink: IO[bytes] | pa.NativeFile) -> None:
    with pq.ParquetWriter(sink, chain[0][0].columns, compression="zstd", compression_level=3) as writer:
        for rows in _assembled(chain, standing):
            writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)


def _require(wanted: Delta, content: str) -> None:
    if content != wanted.content:
        raise ChecksumMismatchError(
            f"The rows put together for the dropped file {wanted.dropped_sha256[:12]}… are not those it had.",
            hint="Restore the warehouse's deltas and files from a backup.",
        )


def _assembled(chain: Sequence[Link], standing: Standing) -> Iterator[pa.Table]:
    """The rows, a row group at a time, with the columns of the dropped file."""
    wanted = chain[0][0]
    try:
        for rows in _merged(chain, standing):
            yield rows.cast(wanted.columns)
    except (pa.ArrowException, pl.exceptions.PolarsError, KeyError, ValueError):
        raise damaged(wanted.dropped_sha256) from None


def _merged(chain: Sequence[Link], standing: Standing) -> Iterator[pa.Table]:
    wanted = chain[0][0]
    names, key, bare = wanted.columns.names, list(wanted.key), nullable(wanted.columns)
    if wanted.base_sha256 is None:
        whole = read_rows(chain[0][1], wanted).select(names)
        for first in range(0, whole.num_rows, ROW_GROUP_ROWS):
            yield whole.slice(first, ROW_GROUP_ROWS)
        return
    parts: list[Window] = []
    chosen: list[pl.DataFrame] = []
    decided: pl.DataFrame | None = None
    for delta, path in chain:
        table = read_rows(path, delta)
        fresh = _undecided(_keys(table.select(key)), decided, key)
        decided = pl.concat([frame.select(key) for frame in (decided, fresh) if frame is not None])
        if delta.base_sha256 is not None:
            fresh = fresh.filter(~_keys(table.select([GONE])).get_column(GONE).gather(fresh.get_column(_ROW)))
        chosen.append(fresh.with_columns(pl.lit(len(parts)).alias(_PART)))
        parts.append(Window(table.select(names).to_batches()))
    if standing is not None:
        with pq.ParquetFile(standing) as file:
            keys = _keys(file.read(columns=key).select(key))  # pyright: ignore[reportUnknownMemberType] - partial stubs
            chosen.append(_undecided(keys, decided, key).with_columns(pl.lit(len(parts)).alias(_PART)))
            batches = file.iter_batches(BATCH_ROWS, columns=names)  # pyright: ignore[reportUnknownMemberType] - partial stubs
            parts.append(Window(batch_from(arrays_of(batch.select(names)), bare) for batch in batches))
            yield from _in_order(parts, pl.concat(chosen).sort(key))
    else:
        yield from _in_order(parts, pl.concat(chosen).sort(key))


def _in_order(parts: Sequence[Window], order: pl.DataFrame) -> Iterator[pa.Table]:
    """The rows that `order` names by part and row, a row group at a time."""
    part, row = order.get_column(_PART).to_numpy(), order.get_column(_ROW).to_numpy()
    starts = range(0, len(row), ROW_GROUP_ROWS)
    # A part that is not in the key's order is needed again further back: then it stays in the window for longer.
    needed = {number: _first_needed(part == number, row, starts) for number in range(len(parts))}
    for turn, first in enumerate(starts):
        part_here, row_here = part[first : first + ROW_GROUP_ROWS], row[first : first + ROW_GROUP_ROWS]
        picked: list[pa.Table] = []
        position = np.empty(len(row_here), np.int64)
        offset = 0
        for number, window in enumerate(parts):
            window.forget(needed[number][turn])
            here = part_here == number
            if here.any():
                low, high = int(row_here[here].min()), int(row_here[here].max())
                picked.append(window.rows(low, high))
                position[here] = row_here[here] - low + offset
                offset += picked[-1].num_rows
        rows = pa.concat_tables(picked)
        unchanged = len(position) == rows.num_rows and bool((np.diff(position) == 1).all())
        yield rows if unchanged else rows.combine_chunks().take(position)


def _first_needed(mine: npt.NDArray[np.bool_], row: npt.NDArray[np.int64], starts: range) -> list[int]:
    """For each row group the lowest row of one part that it or a later one needs."""
    lowest: list[int] = []
    least = np.iinfo(np.int64).max
    for first in reversed(starts):
        here = row[first : first + ROW_GROUP_ROWS][mine[first : first + ROW_GROUP_ROWS]]
        least = min(least, int(here.min())) if len(here) else least
        lowest.append(int(least))
    return lowest[::-1]


def _undecided(keys: pl.DataFrame, decided: pl.DataFrame | None, key: list[str]) -> pl.DataFrame:
    """Those of the keys that no nearer delta has, with their row numbers."""
    numbered = keys.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(_ROW))
    return numbered if decided is None else numbered.join(decided, on=key, how="anti", maintain_order="left")


def _keys(table: pa.Table) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(table))  # pyright: ignore[reportUnknownMemberType] - partial stubs
