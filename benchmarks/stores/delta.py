"""Delta Lake through deltalake (delta-rs), partitioned by a year column."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, WriterProperties, write_deltalake

from benchmarks.stores.base import UnsupportedError


class Delta:
    """The writer's defaults, which compress with snappy."""

    writer_properties: WriterProperties | None = None

    def open(self, folder: Path) -> None:
        """Remember the place; the first write creates the table."""
        self._uri = str(folder)

    def prepare(self, rows: pa.Table) -> object:
        """Add the column by which the table is partitioned."""
        return rows.append_column("year", pc.year(rows.column("date")).cast(pa.int32()))

    def write(self, year: int, prepared: object) -> None:
        """Overwrite the year's partition."""
        exists = DeltaTable.is_deltatable(self._uri)
        write_deltalake(
            self._uri,
            cast("pa.Table", prepared),
            partition_by=["year"],
            mode="overwrite",
            predicate=f"year = {year}" if exists else None,
            writer_properties=self.writer_properties,
        )

    def version(self) -> int:
        """The log's latest version."""
        return DeltaTable(self._uri).version()

    def read_all(self, version: int | None) -> pa.Table:
        """Load the version and read it whole."""
        return DeltaTable(self._uri, version=version).to_pyarrow_table()

    def read_columns(self, year: int, columns: list[str], version: int | None) -> pa.Table:
        """Load the version and read one partition."""
        table = DeltaTable(self._uri, version=version)
        return table.to_pyarrow_table(partitions=[("year", "=", str(year))], columns=columns)

    def tag(self, name: str) -> None:  # noqa: ARG002 - the protocol's
        """Delta names versions by number and time only."""
        raise UnsupportedError("Delta has no tags")


class DeltaZstd(Delta):
    """The same codec and level as ours, so that sizes can be compared."""

    writer_properties = WriterProperties(compression="ZSTD", compression_level=3)
