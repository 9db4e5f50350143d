"""What is known of a table without asking its source: the figures of its latest version."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict

from data_platform.catalog import Table
from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import Warehouse


class TableState(BaseModel):
    """One line of `data-platform status`; everything but the names is None before the first sync.

    `validation_status` is ``passed``, ``warning`` or, when the latest manifest is unreadable, ``damaged``.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    table: str
    last_sync: dt.datetime | None = None
    row_count: int | None = None
    validation_status: str | None = None
    schema_version: str | None = None
    manifest_version: int | None = None
    start_date: dt.date | None = None
    end_date: dt.date | None = None
    partitions: int | None = None


def table_state(warehouse: Warehouse, table: Table) -> TableState:
    """Read a table's state from its latest manifest."""
    manifests = warehouse.manifests(table.name)
    try:
        manifest = manifests.latest()
    except ChecksumMismatchError:
        number = manifests.latest_number()
        return TableState(dataset=table.dataset, table=table.name, validation_status="damaged", manifest_version=number)
    if manifest is None:
        return TableState(dataset=table.dataset, table=table.name)
    return TableState(
        dataset=table.dataset,
        table=table.name,
        last_sync=manifest.sync_timestamp,
        row_count=manifest.row_count,
        validation_status=manifest.validation_status,
        schema_version=manifest.schema_version,
        manifest_version=manifest.manifest_version,
        start_date=manifest.start_date,
        end_date=manifest.end_date,
        partitions=len(manifest.files),
    )
