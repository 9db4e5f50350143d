"""Putting a dropped file's rows together from its delta, the deltas of the files on the way, and a file that stands.

The chain is folded by key: for each key the delta nearest to the dropped file decides, then the next, last the file
that stands. Only one file is written, however long the chain. The rows of the standing file that are needed and those
of the deltas are held in memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse.content_hash import content_hash
from data_platform.warehouse.deltas import GONE, Delta, damaged, read_rows
from data_platform.warehouse.staging import ROW_GROUP_ROWS
from data_platform.warehouse.store import no_space_is_clear

Link: TypeAlias = tuple[Delta, Path]
Mask: TypeAlias = npt.NDArray[np.bool_]
_ROW: Final = "__row"


def assemble(chain: Sequence[Link], standing: Path | IO[bytes] | None, target: Path) -> None:
    """Write the rows of the file that the first delta was made for to a new file, flush it, and prove it.

    `chain` leads from that delta to one whose base is `standing`, or to one without a base when that is None.

    Raises:
        ChecksumMismatchError: when a delta is damaged, or the rows are not those that were dropped.
        DiskSpaceError: when the disk is full.
    """
    wanted = chain[0][0]
    try:
        rows = _rows(chain, standing).cast(wanted.columns)
    except (pa.ArrowException, pl.exceptions.PolarsError, KeyError, ValueError):
        raise damaged(wanted.dropped_sha256) from None
    with no_space_is_clear(target), target.open("xb") as sink:
        with pq.ParquetWriter(sink, wanted.columns, compression="zstd", compression_level=3) as writer:
            for first in range(0, rows.num_rows, ROW_GROUP_ROWS):
                writer.write_table(rows.slice(first, ROW_GROUP_ROWS), row_group_size=ROW_GROUP_ROWS)
        sink.flush()
        os.fsync(sink.fileno())
    if content_hash(target) != wanted.content:
        raise ChecksumMismatchError(
            f"The rows put together for the dropped file {wanted.dropped_sha256[:12]}… are not those it had.",
            hint="Restore the warehouse's deltas and files from a backup.",
        )


def _rows(chain: Sequence[Link], standing: Path | IO[bytes] | None) -> pa.Table:
    wanted = chain[0][0]
    names, key = wanted.columns.names, list(wanted.key)
    if wanted.base_sha256 is None:
        return read_rows(chain[0][1], wanted).select(names)
    decided: pl.DataFrame | None = None
    parts: list[pa.Table] = []
    for delta, path in chain:
        table = read_rows(path, delta)
        new, decided = _undecided(table, key, decided)
        if delta.base_sha256 is not None:
            new = new & ~table.column(GONE).to_numpy()
        parts.append(_chosen(table.select(names), new))
    if standing is not None:
        table = pq.read_table(standing, columns=names)  # pyright: ignore[reportUnknownMemberType] - partial stubs
        new, _ = _undecided(table, key, decided)
        parts.append(_chosen(table.select(names), new))
    rows = pa.concat_tables([part.cast(_bare(wanted.columns)) for part in parts])
    order = _keys(rows, key).with_row_index(_ROW).sort(key).get_column(_ROW)
    return rows.take(order.to_numpy())


def _undecided(table: pa.Table, key: list[str], decided: pl.DataFrame | None) -> tuple[Mask, pl.DataFrame]:
    """Which rows have a key that no nearer delta has, as a mask, and all keys that are decided now."""
    keys = _keys(table, key)
    new: Mask = np.ones(table.num_rows, np.bool_)
    if decided is not None:
        new[:] = False
        new[keys.with_row_index(_ROW).join(decided, on=key, how="anti").get_column(_ROW).to_numpy()] = True
    fresh = keys.filter(pl.Series(new))
    return new, fresh if decided is None else pl.concat([decided, fresh])


def _keys(table: pa.Table, key: list[str]) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(table.select(key)))  # pyright: ignore[reportUnknownMemberType] - partial stubs


def _chosen(table: pa.Table, mask: Mask) -> pa.Table:
    return table if mask.all() else table.filter(pa.array(mask))


def _bare(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in zip(schema.names, schema.types, strict=True)])
