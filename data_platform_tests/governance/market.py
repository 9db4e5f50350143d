"""A small made-up market as Parquet files and as published tables."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.warehouse import Warehouse
from data_platform.warehouse.publish import Provenance, publish_partition
from data_platform.warehouse.staging import stage

SECURITIES = 5
READING_FILES = (
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'elsewhere.parquet'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/proc/self/root/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM read_parquet('/etc/passwd')",
    "SELECT * FROM glob('/etc/passwd*')",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT * FROM 'https://127.0.0.1/passwd.parquet'",
)
"""Statements that would open something which no query is given."""

FIRST_DAY = dt.date(2020, 1, 2)


def crsp_rows(days: int = 1000, start: dt.date = FIRST_DAY) -> pa.Table:
    """`days` days of five securities, ordered by permno and date."""
    dates = [start + dt.timedelta(days=day) for day in range(days)]
    count = days * SECURITIES
    return pa.table(
        {
            "permno": pa.array([10001 + i // days for i in range(count)], pa.int32()),
            "date": pa.array(dates * SECURITIES, pa.date32()),
            "ticker": [f"T{10001 + i // days}" for i in range(count)],
            "prc": [10.0 + (i * 7) % 90 for i in range(count)],
            "ret": [None if i % 97 == 0 else ((i * 13) % 101 - 50) / 1000 for i in range(count)],
            "vol": [100.0 * (i % 50) for i in range(count)],
            "shrout": pa.array([1000 + i % 3 for i in range(count)], pa.int64()),
        }
    )


def factor_rows(days: int = 1000) -> pa.Table:
    """One row a day."""
    return pa.table(
        {
            "date": pa.array([FIRST_DAY + dt.timedelta(days=day) for day in range(days)], pa.date32()),
            "mktrf": [((i * 7) % 41 - 20) / 1000 for i in range(days)],
            "smb": [((i * 5) % 31 - 15) / 1000 for i in range(days)],
            "hml": [((i * 3) % 21 - 10) / 1000 for i in range(days)],
            "rf": [0.0001] * days,
        }
    )


def write_parquet(table: pa.Table, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return str(path)


def publish(warehouse: Warehouse, dataset: str, table: str, partition: str, rows: pa.Table) -> int:
    """Publish rows as one partition, under the table's lock; returns the version."""
    folder = warehouse.staging_root / "test"
    folder.mkdir(parents=True, exist_ok=True)
    staged = stage(iter(rows.to_batches()), rows.schema, "date", folder / f"{table}-{partition}.parquet")
    with warehouse.lock(table).acquire(wait_seconds=30) as lock:
        manifest = publish_partition(
            warehouse.store,
            lock,
            dataset=dataset,
            table=table,
            partition=partition,
            staged=staged,
            provenance=Provenance("made up", "fingerprint", None),
            checks=(),
        )
    return manifest.manifest_version
