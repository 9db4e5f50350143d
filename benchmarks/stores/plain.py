"""Plain Parquet files written and read by DuckDB: what a careful script does, with no versions at all."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa

from benchmarks.stores.base import UnsupportedError


class Plain:
    """One file a year, replaced by renaming a finished one over it."""

    def open(self, folder: Path) -> None:
        """Make the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._duckdb = duckdb.connect()

    def prepare(self, rows: pa.Table) -> object:
        """Arrow tables are taken as they are."""
        return rows

    def write(self, year: int, prepared: object) -> None:
        """Write beside, then rename."""
        target = self._folder / f"{year}.parquet"
        temporary = target.with_suffix(".new")
        relation = self._duckdb.from_arrow(cast("pa.Table", prepared))
        relation.write_parquet(str(temporary), compression="zstd")
        temporary.replace(target)

    def version(self) -> int:
        """There is only one."""
        return 0

    def read_all(self, version: int | None) -> pa.Table:
        """Scan every file."""
        return self._scan("*.parquet", "*", version)

    def read_columns(self, year: int, columns: list[str], version: int | None) -> pa.Table:
        """Scan one file."""
        return self._scan(f"{year}.parquet", ", ".join(columns), version)

    def tag(self, name: str) -> None:  # noqa: ARG002 - the protocol's
        """Files have no tags."""
        raise UnsupportedError("files have no tags")

    def _scan(self, pattern: str, columns: str, version: int | None) -> pa.Table:
        if version is not None:
            raise UnsupportedError("a replaced file is gone")
        query = f"SELECT {columns} FROM read_parquet($files)"  # noqa: S608 - our own column names
        return self._duckdb.sql(query, params={"files": str(self._folder / pattern)}).to_arrow_table()
