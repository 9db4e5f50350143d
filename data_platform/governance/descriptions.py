"""What a dataset holds: its declaration, joined with the latest version of each of its tables."""

from __future__ import annotations

from data_platform.catalog import Dataset, Table
from data_platform.governance.dto import DatasetInfoDTO, TableInfoDTO
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
    return facts.model_copy(
        update={
            "manifest_version": manifest.manifest_version,
            "row_count": manifest.row_count,
            "start_date": manifest.start_date,
            "end_date": manifest.end_date,
            "last_sync": manifest.sync_timestamp,
        }
    )
