"""What there is, before anybody writes a query: datasets, their columns, first rows, and what the limits leave."""

from __future__ import annotations

from data_platform.catalog import DATASETS, find_dataset
from data_platform.errors import UsageError
from data_platform.governance import descriptions
from data_platform.governance.dto import DataPreviewDTO, DatasetInfoDTO, DatasetSchemaDTO, QuotaDTO
from data_platform.governance.explorer.asked import MAX_PREVIEW_ROWS, Asked, within
from data_platform.governance.explorer.door import SCOPE, Door
from data_platform.governance.explorer.queries import execute
from data_platform.governance.explorer.reading import failure_recorded, references_for
from data_platform.governance.permissions import Action, User, permitted_datasets, require
from data_platform.governance.pinning import pin_dataset
from data_platform.warehouse.reader import NoDataError


def list_datasets(door: Door, user: User) -> list[DatasetInfoDTO]:
    """The datasets that the user has the permission of.

    Raises:
        NotPermittedError: when the user is disabled or may not view anything.
    """
    require(user, Action.VIEW_DATA_SYNC)
    visible = permitted_datasets(user, DATASETS)
    return [
        descriptions.describe_dataset(door.warehouse, dataset) for name, dataset in DATASETS.items() if name in visible
    ]


def describe(door: Door, user: User, dataset: str) -> DatasetSchemaDTO:
    """The columns of a dataset's tables, with the share of missing values in the latest version.

    Raises:
        UsageError: there is no such dataset.
        NotPermittedError: the user may not see it.
        DatabaseUnavailableError: the shares can't be read.
    """
    found = find_dataset(dataset)
    require(user, Action.VIEW_DATA_SYNC, dataset)
    with door.records.transaction(SCOPE) as connection:
        tables = [descriptions.table_schema(door.warehouse, connection, table) for table in found.tables]
    return DatasetSchemaDTO(
        name=found.name,
        title=found.title,
        licence=found.licence,
        tables=tables,
        references=references_for(door.settings, user, dataset),
    )


def preview(
    door: Door, user: User, dataset: str, limit: int, table: str | None = None, client_ip: str | None = None
) -> DataPreviewDTO:
    """The first rows of a table, by a query like any other.

    Raises:
        UsageError: for an unknown dataset or table, or a limit outside 1 to 1,000.
        NotPermittedError, RateLimitedError, PlatformError: as a query.
    """
    within("limit", limit, MAX_PREVIEW_ROWS)
    found = find_dataset(dataset)
    # Before the pin: whether a table was ever synced is nothing for people without access.
    question = Asked(dataset, f"-- preview of {table or dataset}", client_ip=client_ip).question(user)
    door.permit(user, question, Action.QUERY_DATA)
    names = [candidate.name for candidate in found.tables]
    with failure_recorded(door, question, door.query_limit):
        chosen = table or next(iter(pin_dataset(door.warehouse, found)))
        if chosen in names and not door.warehouse.manifests(chosen).latest_number():
            raise NoDataError(f"Table {chosen} was never synced.", hint=f"Run: data-platform sync {chosen} --all")
    if chosen not in names:
        raise UsageError(f"Dataset {dataset} has no table {chosen!r}.", hint=f"Tables: {', '.join(names)}.")
    query = f'SELECT * FROM "{chosen}" LIMIT {limit}'  # noqa: S608 - a catalog name and a checked number
    result = execute(door, user, Asked(dataset, query, client_ip=client_ip), page_size=limit)
    version = result.dto.versions[chosen]
    return DataPreviewDTO(
        query_id=result.dto.query_id,
        dataset=dataset,
        table=chosen,
        manifest_version=version,
        columns=result.dto.columns,
        rows=result.table.to_pylist(),
        total_rows=door.warehouse.reader(chosen).pin(version).row_count,
        remaining_queries=result.dto.remaining_queries,
    )


def quota(door: Door, user: User) -> QuotaDTO:
    """What the limits leave.

    Raises:
        NotPermittedError: when the user is disabled or may not view anything.
        DatabaseUnavailableError: nobody can tell.
    """
    require(user, Action.VIEW_DATA_SYNC)
    return QuotaDTO(
        queries=door.remaining(user, door.query_limit),
        queries_per_minute=door.query_limit.allowed,
        exports=door.remaining(user, door.export_limit),
        exports_per_hour=door.export_limit.allowed,
    )
