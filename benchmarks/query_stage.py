"""The stage of `benchmarks.query`: a published `crsp_daily`, the real service before it, and DuckDB without a door."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from benchmarks.frame import TABLE, year_frame
from benchmarks.stores.ours import Ours
from data_platform.governance.engine.engine import QueryEngine
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.permissions import Role, User
from data_platform.records import users
from data_platform.records.connection import Records, open_records
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse

DATASET: Final = "crsp"
FIRST_YEAR: Final = 2000
YEARS: Final = 25
SCOPE: Final = Scope.system("benchmark")
UNLIMITED: Final = 100_000
"""Queries a minute, the most that the setting allows: the limit is counted, and not reached."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What is asked; `files` are those of the table's one version, `keys` are permnos of the year `FIRST_YEAR`."""

    records: Records
    warehouse: Warehouse
    settings: Settings
    engine: QueryEngine
    service: DataExplorerService
    files: tuple[str, ...]
    keys: tuple[int, ...]

    def person(self, name: str) -> User:
        """An analyst of the dataset, who is in the records as well."""
        with self.records.transaction(SCOPE) as connection:
            users.add(connection, name, Role.ANALYST.value)
        return User(name, Role.ANALYST)

    def through_the_door(self, user: User, sql: str) -> pa.Table:
        """Permission, limit, audit, engine: what `data-platform query` and the HTTP interface call."""
        return self.service.execute_query(user, DATASET, sql).table


@contextmanager
def open_stage(rows: int, tell: Callable[[str], None]) -> Generator[Stage]:
    """Publish so many rows in 25 equal years, on an embedded server of its own, for the length of the block."""
    # A short path: the server's socket has to fit into one.
    home = Path(tempfile.mkdtemp(prefix="dp-bench-", dir="/tmp"))
    # Whatever server and key the environment names are somebody's.
    settings = Settings(
        home=home,
        postgres_url=None,
        query_audit_encryption_key=None,
        queries_per_minute=UNLIMITED,
        reference_datasets=frozenset(),
    )
    try:
        keys = publish(settings.warehouse_root, rows, tell)
        warehouse = Warehouse(settings.warehouse_root)
        files = tuple(map(str, warehouse.reader(TABLE).pin().files))
        engine = QueryEngine(require_sandbox=settings.require_sandbox)
        try:
            with open_records(settings) as records:
                service = DataExplorerService(records, warehouse, settings, engine)
                yield Stage(records, warehouse, settings, engine, service, files, keys)
        finally:
            engine.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def publish(root: Path, rows: int, tell: Callable[[str], None]) -> tuple[int, ...]:
    """Publish the years one after the other; returns the permnos that the first of them has."""
    store, keys = Ours(), ()
    store.open(root)
    for year in range(FIRST_YEAR, FIRST_YEAR + YEARS):
        tell(f"publishing {year}: {rows // YEARS:,} rows")
        table = year_frame(year, rows // YEARS)
        store.write(year, store.prepare(table))
        keys = keys or tuple(table.column("permno").unique().to_pylist())
    return keys


def open_plain(files: tuple[str, ...], threads: int) -> duckdb.DuckDBPyConnection:
    """DuckDB without a door over the same files, with the engine's number of threads and a view of the same name."""
    connection = duckdb.connect(":memory:", config={"threads": threads})
    connection.execute("SET enable_progress_bar = false")
    connection.read_parquet(list(files)).create_view(TABLE)
    return connection
