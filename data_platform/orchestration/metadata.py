"""What Dagster shows of a table and of each materialization: counts, hashes and timings, never a row."""

from __future__ import annotations

from typing import Any

import dagster as dg

from data_platform.catalog import Column, Partitioning, Table
from data_platform.quality import CheckResult, Status
from data_platform.sync import SyncOutcome
from data_platform.warehouse import Warehouse, layout


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns as Dagster's own table schema, with units and the source's names."""
    return dg.TableSchema(columns=[_column(table, column) for column in table.columns])


def materialization_metadata(table: Table, outcome: SyncOutcome, warehouse: Warehouse) -> dict[str, Any]:
    """Metadata of one partition's materialization. Numbers become plots in the UI."""
    manifest, file = outcome.manifest, outcome.file
    metadata: dict[str, Any] = {
        "dagster/row_count": manifest.row_count,
        "dagster/column_schema": column_schema(table),
        "dagster/uri": warehouse.store.path(layout.blob(file.sha256)).as_uri(),
        "version": manifest.manifest_version,
        "schema_version": manifest.schema_version,
        "checksum": manifest.checksum,
        "source": file.source,
        "source_fingerprint": file.source_fingerprint,
        "rows": file.rows,
        "bytes": file.bytes,
        "up_to_date": outcome.status.value == "up_to_date",
        "seconds": round(outcome.seconds, 3),
    }
    if file.min_date is not None and file.max_date is not None:
        metadata["first_date"] = file.min_date.isoformat()
        metadata["last_date"] = file.max_date.isoformat()
    if table.partitioning is not Partitioning.WHOLE:
        metadata["dagster/partition_row_count"] = file.rows
    if outcome.extract_seconds:
        metadata["extract_seconds"] = round(outcome.extract_seconds, 3)
        metadata["rows_per_second"] = round(outcome.rows_per_second)
        metadata["bytes_received"] = outcome.bytes_received
        metadata["mb_per_second"] = round(outcome.megabytes_per_second, 3)
        metadata["progress_lines"] = outcome.progress_lines
    if outcome.warnings:
        metadata["warnings"] = dg.MetadataValue.md("\n".join(f"- {warning}" for warning in outcome.warnings))
    return metadata


def check_evaluation(table: Table, partition: str | None, result: CheckResult) -> dg.AssetCheckEvaluation:
    """One validator's verdict as an asset check's evaluation. `partition` is None for a table kept whole."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(table.name),
        check_name=result.validation_type.value,
        passed=result.status is Status.PASSED,
        severity=dg.AssetCheckSeverity.WARN if result.status is Status.WARNING else dg.AssetCheckSeverity.ERROR,
        description=result.message or None,
        metadata={"expected": result.expected, "actual": result.actual},
        partition=partition,
    )


def _column(table: Table, column: Column) -> dg.TableColumn:
    unit = f" Unit: {column.unit}." if column.unit else ""
    return dg.TableColumn(
        name=column.name,
        type=column.dtype,
        description=f"{column.description}{unit} Source: {column.source}.",
        constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=table.key == (column.name,)),
    )
