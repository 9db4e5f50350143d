"""What a dataset holds: its declaration, joined with the latest version of each of its tables."""

from __future__ import annotations

from data_platform.catalog import Dataset, Table
from data_platform.governance.dto import ColumnInfoDTO, DatasetInfoDTO, TableInfoDTO, TableSchemaDTO
from data_platform.records import partition_statistics
from data_platform.records.connection import Connection
from data_platform.warehouse.manifest import SyncManifest
from data_platform.warehouse.reader import NoDataError
from data_platform.warehouse.warehouse import Warehouse


def describe_dataset(warehouse: Warehouse, dataset: Dataset) -> DatasetInfoDTO:
    """Describe a dataset and its tables; a table that was never synced has no version."""
    return DatasetInfoDTO(
        name=dataset.name,
        title=dataset.title,
        licence=dataset.licence,
        tables=[_describe_table(warehouse, table) for table in dataset.tables],
    )


def table_schema(warehouse: Warehouse, connection: Connection, table: Table) -> TableSchemaDTO:
    """Describe a table's columns; of one that was never synced, without figures."""
    manifest: SyncManifest | None = None
    try:
        manifest = warehouse.reader(table.name).pin().manifest
    except NoDataError:
        shares: dict[str, float] = {}
    else:
        shares = _null_shares(connection, manifest)
    facts = TableSchemaDTO(
        name=table.name,
        title=table.title,
        description=table.description,
        columns=[
            ColumnInfoDTO(
                name=column.name,
                type=column.dtype,
                unit=column.unit,
                description=column.description,
                nullable=column.nullable,
                null_share=shares.get(column.name),
            )
            for column in table.columns
        ],
    )
    if manifest is None:
        return facts
    return facts.model_copy(update={**_figures(manifest), "schema_version": manifest.schema_version})


def _null_shares(connection: Connection, manifest: SyncManifest) -> dict[str, float]:
    """Of each column, over all partitions of a version; nothing where one of them was not counted."""
    rows = 0
    missing: dict[str, float] = {}
    for source in {file.source for file in manifest.files}:
        partitions = [file.partition for file in manifest.files if file.source == source]
        found = partition_statistics.latest_of(
            connection, manifest.table, partitions, source, manifest.manifest_version
        )
        for each in found:
            rows += each.row_count
            for name, share in each.null_shares.items():
                missing[name] = missing.get(name, 0.0) + share * each.row_count
    return {name: count / rows for name, count in missing.items()} if rows == manifest.row_count else {}


def _figures(manifest: SyncManifest) -> dict[str, object]:
    return {
        "manifest_version": manifest.manifest_version,
        "row_count": manifest.row_count,
        "start_date": manifest.start_date,
        "end_date": manifest.end_date,
        "last_sync": manifest.sync_timestamp,
    }


def _describe_table(warehouse: Warehouse, table: Table) -> TableInfoDTO:
    facts = TableInfoDTO(
        name=table.name,
        title=table.title,
        description=table.description,
        columns=[column.name for column in table.columns],
    )
    try:
        manifest = warehouse.reader(table.name).pin().manifest
    except NoDataError:
        return facts
    return facts.model_copy(update=_figures(manifest))
