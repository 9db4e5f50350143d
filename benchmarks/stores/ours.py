"""This project's warehouse, written as a sync writes it and read as research reads it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa

from benchmarks.stores.base import UnsupportedError
from data_platform.catalog import find_table
from data_platform.warehouse import FileCheck, Warehouse
from data_platform.warehouse.publish import Provenance, publish_partition
from data_platform.warehouse.staging import stage, staging_folder

_TABLE = find_table("crsp_daily")
_PASSED = FileCheck(validation_type="row_count", status="passed", expected="", actual="")


class Ours:
    """Lock, stage, publish, for every year: what a sync does between extracting and recording."""

    def open(self, folder: Path) -> None:
        """Open the warehouse; nothing is created before the first write."""
        self._warehouse = Warehouse(folder)
        self._duckdb = duckdb.connect()

    def prepare(self, rows: pa.Table) -> object:
        """Record batches, as sources deliver them."""
        return rows.cast(_TABLE.arrow_schema).to_batches(max_chunksize=65_536)

    def write(self, year: int, prepared: object) -> None:
        """Publish the year as the next version."""
        warehouse = self._warehouse
        with (
            warehouse.lock(_TABLE.name).acquire() as lock,
            staging_folder(warehouse.staging_root, _TABLE.name, lock.token.writer_id) as folder,
        ):
            batches = cast("list[pa.RecordBatch]", prepared)
            staged = stage(batches, _TABLE.arrow_schema, _TABLE.date_column, folder / f"{year}.parquet")
            publish_partition(
                warehouse.store,
                lock,
                dataset=_TABLE.dataset,
                table=_TABLE.name,
                partition=str(year),
                staged=staged,
                provenance=Provenance("benchmark", uuid.uuid4().hex, None),
                checks=(_PASSED,),
            )

    def version(self) -> int:
        """The latest version's number."""
        return self._warehouse.manifests(_TABLE.name).latest_number()

    def read_all(self, version: int | None) -> pa.Table:
        """Pin the version and scan its files."""
        paths = self._warehouse.reader(_TABLE.name).pin(version).paths()
        return scan(self._duckdb, paths, "*")

    def read_columns(self, year: int, columns: list[str], version: int | None) -> pa.Table:
        """Pin the version and scan the one file."""
        paths = self._warehouse.reader(_TABLE.name).pin(version).paths(partitions=frozenset({str(year)}))
        return scan(self._duckdb, paths, ", ".join(columns))

    def tag(self, name: str) -> None:
        """A snapshot."""
        self._warehouse.snapshots.create(name, {_TABLE.name: self.version()}, created_by="benchmark")


class OurFiles(Ours):
    """DuckDB alone over the very same files: what reading them costs without a warehouse around them."""

    def __init__(self) -> None:
        self._paths: dict[int | None, tuple[Path, ...]] = {}

    def read_all(self, version: int | None) -> pa.Table:
        """Scan the files, looked up once and before the clock runs."""
        return scan(self._duckdb, self._known(version), "*")

    def read_columns(self, year: int, columns: list[str], version: int | None) -> pa.Table:
        """Scan the one file; years stand in order."""
        position = year - self._first_year(version)
        return scan(self._duckdb, self._known(version)[position : position + 1], ", ".join(columns))

    def write(self, year: int, prepared: object) -> None:  # noqa: ARG002 - the protocol's
        """The files are those that the warehouse wrote."""
        raise UnsupportedError("reads the warehouse's files")

    def tag(self, name: str) -> None:  # noqa: ARG002 - the protocol's
        """Files have no tags."""
        raise UnsupportedError("files have no tags")

    def _known(self, version: int | None) -> tuple[Path, ...]:
        if version not in self._paths:
            self._paths[version] = self._warehouse.reader(_TABLE.name).pin(version).paths()
        return self._paths[version]

    def _first_year(self, version: int | None) -> int:
        return int(self._warehouse.reader(_TABLE.name).pin(version).manifest.files[0].partition)


def scan(connection: duckdb.DuckDBPyConnection, paths: tuple[Path, ...], columns: str) -> pa.Table:
    """Columns of Parquet files as one Arrow table."""
    files = [str(path) for path in paths]
    query = f"SELECT {columns} FROM read_parquet($files)"  # noqa: S608 - our own column names
    return connection.sql(query, params={"files": files}).to_arrow_table()
