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
_KEYS: Final = 40
"""Securities of each year that are asked for; some may be the same."""

SCOPE: Final = Scope.system("benchmark")
UNLIMITED: Final = 100_000
"""Queries a minute, the most that the setting allows: the limit is counted, and not reached."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What is asked; `files` are those of the table's last version, `keys` are years with securities of each."""

    records: Records
    warehouse: Warehouse
    settings: Settings
    engine: QueryEngine
    service: DataExplorerService
    files: tuple[str, ...]
    keys: tuple[tuple[int, int], ...]

    def person(self, name: str) -> User:
        """An analyst of the dataset, who is in the records as well."""
        with self.records.transaction(SCOPE) as connection:
            users.add(connection, name, Role.ANALYST.value)
        return User(name, Role.ANALYST)

    def through_the_door(self, user: User, sql: str) -> pa.Table:
        """Permission, limit, audit, engine: what `data-platform query` and the HTTP interface call."""
        return self.service.execute_query(user, DATASET, sql).table


@contextmanager
def open_stage(rows: int, years: int, tell: Callable[[str], None]) -> Generator[Stage]:
    """Publish so many rows in equal years, on an embedded server of its own, for the length of the block."""
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
        keys = publish(settings.warehouse_root, rows, years, tell)
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


def publish(root: Path, rows: int, years: int, tell: Callable[[str], None]) -> tuple[tuple[int, int], ...]:
    """Publish the years one after the other; returns years with permnos, as many of each."""
    store, keys = Ours(), list[tuple[int, int]]()
    store.open(root)
    for year in range(FIRST_YEAR, FIRST_YEAR + years):
        tell(f"publishing {year}: {rows // years:,} rows")
        table = year_frame(year, rows // years)
        store.write(year, store.prepare(table))
        permnos = table.column("permno").unique().to_numpy()
        keys += [(year, int(permnos[len(permnos) * place // _KEYS])) for place in range(_KEYS)]
    return tuple(keys)


def open_plain(files: tuple[str, ...], threads: int) -> duckdb.DuckDBPyConnection:
    """DuckDB without a door over the same files, with the engine's number of threads and a view of the same name."""
    connection = duckdb.connect(":memory:", config={"threads": threads})
    connection.execute("SET enable_progress_bar = false")
    connection.read_parquet(list(files)).create_view(TABLE)
    return connection
