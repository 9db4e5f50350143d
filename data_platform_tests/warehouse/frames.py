"""Small tables and publishing shortcuts for the warehouse's tests."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

import pyarrow as pa

from data_platform.warehouse import FileCheck, StagedFile, SyncManifest, Warehouse
from data_platform.warehouse.publish import Provenance, publish_partition
from data_platform.warehouse.staging import stage

SCHEMA = pa.schema(
    [pa.field("permno", pa.int32(), nullable=False), pa.field("date", pa.date32()), ("ret", pa.float64())]
)


def batch(year: int = 2024, rows: int = 3, ret: float = 0.01) -> pa.RecordBatch:
    """`rows` rows of one security on consecutive days from 2 January."""
    days = [dt.date(year, 1, 2) + dt.timedelta(days=index) for index in range(rows)]
    return pa.record_batch(
        [pa.array([10001] * rows, pa.int32()), pa.array(days), pa.array([ret] * rows)], schema=SCHEMA
    )


def staged(folder: Path, *batches: pa.RecordBatch, schema: pa.Schema = SCHEMA) -> StagedFile:
    """A finished file of these batches."""
    folder.mkdir(parents=True, exist_ok=True)
    return stage((rows.cast(schema) for rows in batches), schema, "date", folder / f"{uuid.uuid4().hex}.parquet")


PASSED = FileCheck(validation_type="row_count", status="passed", expected="3", actual="3")


def publish(
    warehouse: Warehouse,
    table: str = "t",
    partition: str = "2024",
    *batches: pa.RecordBatch,
    checks: tuple[FileCheck, ...] = (PASSED,),
    schema: pa.Schema = SCHEMA,
) -> SyncManifest:
    """Publish batches as one partition, under the table's lock."""
    file = staged(warehouse.staging_root / "test", *(batches or (batch(int(partition)),)), schema=schema)
    with warehouse.lock(table).acquire(wait_seconds=30) as lock:
        return publish_partition(
            warehouse.store,
            lock,
            dataset="crsp",
            table=table,
            partition=partition,
            staged=file,
            provenance=Provenance("test", "fingerprint", None),
            checks=checks,
        )
