"""The explorer at the other end of DATA_PLATFORM_URL, with the methods that commands call of ours."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

from data_platform.cli.remote import read
from data_platform.client.connection import Client
from data_platform.client.result import Page
from data_platform.governance.dto import (
    DataPreviewDTO,
    DatasetInfoDTO,
    DatasetSchemaDTO,
    ExportFormat,
    ExportJobDTO,
    QueryPlanDTO,
    QueryRequestDTO,
    QueryResultDTO,
)
from data_platform.governance.engine.parameters import Parameters
from data_platform.governance.explorer import MAX_PAGE_ROWS, MAX_TIMEOUT_SECONDS, QueryResult
from data_platform.governance.explorer.asked import as_of_text
from data_platform.governance.explorer.export_files import ExportFile
from data_platform.governance.permissions import User
from data_platform.warehouse.as_of import AsOf


class RemoteExplorer:
    """What commands ask of `DataExplorerService`; exports are downloaded into `folder`."""

    def __init__(self, client: Client, folder: Path) -> None:
        self._client = client
        self._folder = folder

    def list_datasets(self, _: User) -> list[DatasetInfoDTO]:
        """The datasets that the caller may see."""
        return [read(DatasetInfoDTO, each) for each in self._client.datasets()]

    def describe_dataset(self, _: User, dataset: str) -> DatasetSchemaDTO:
        """The tables of a dataset with their columns."""
        return read(DatasetSchemaDTO, self._client.describe(dataset))

    def get_dataset_preview(self, _: User, dataset: str, limit: int = 100, table: str | None = None) -> DataPreviewDTO:
        """The first rows of a table."""
        return read(DataPreviewDTO, self._client.preview(dataset, limit, table))

    def execute_query(
        self,
        _: User,
        dataset: str,
        query: str,
        timeout_seconds: float = MAX_TIMEOUT_SECONDS,
        page: int = 1,
        page_size: int = MAX_PAGE_ROWS,
        as_of: AsOf | int | None = None,
        parameters: Parameters | None = None,
    ) -> QueryResult:
        """Run one SELECT and return one page of its result."""
        found = self._client.query_page(
            query,
            dataset=dataset,
            as_of=as_of_text(as_of),
            parameters=parameters,
            page=page,
            page_size=page_size,
            seconds=timeout_seconds,
        )
        return _result(found)

    def next_page(self, _: User, cursor: str) -> QueryResult:
        """The page that a cursor leads to."""
        return _result(self._client.follow(cursor))

    def dry_run(
        self,
        _: User,
        dataset: str,
        query: str,
        as_of: AsOf | int | None = None,
        parameters: Parameters | None = None,
    ) -> QueryPlanDTO:
        """What the query would answer with."""
        found = self._client.dry_run(query, dataset=dataset, as_of=as_of_text(as_of), parameters=parameters)
        return read(QueryPlanDTO, found)

    def history(self, _: User, limit: int = 50, dataset: str | None = None) -> list[QueryRequestDTO]:
        """The caller's queries and exports of the last 24 hours."""
        return [read(QueryRequestDTO, each) for each in self._client.history(limit, dataset)]

    def cancel(self, _: User, request_id: UUID) -> QueryRequestDTO:
        """Stop a query or export of the caller."""
        return read(QueryRequestDTO, self._client.cancel(request_id))

    def list_running(self, _: User) -> list[QueryRequestDTO]:
        """What runs or waits now."""
        return [read(QueryRequestDTO, each) for each in self._client.running()]

    def kill(self, _: User, request_id: UUID, reason: str) -> QueryRequestDTO:
        """Stop anybody's query or export."""
        return read(QueryRequestDTO, self._client.kill(request_id, reason))

    def export_data(
        self,
        _: User,
        dataset: str,
        query: str,
        format: ExportFormat = "csv",  # noqa: A002 - the name is fixed
        as_of: AsOf | int | None = None,
        parameters: Parameters | None = None,
        *,
        escape_formulas: bool = False,
    ) -> ExportJobDTO:
        """Have the whole result of a query written to a file there."""
        found = self._client.begin_export(
            query,
            dataset=dataset,
            format=format,
            as_of=as_of_text(as_of),
            parameters=parameters,
            escape_formulas=escape_formulas,
        )
        return read(ExportJobDTO, {name: found[name] for name in ExportJobDTO.model_fields if name in found})

    def open_export(self, _: User, export_id: UUID) -> ExportFile:
        """The file of an export and its manifest, downloaded and checked."""
        path, manifest_path = self._folder / "export", self._folder / "manifest.json"
        manifest = self._client.download(export_id, path)
        manifest_path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        # How long it took and what is left stand in the answer to the export alone.
        told = {name: manifest[name] for name in ExportJobDTO.model_fields if name in manifest}
        return ExportFile(path, manifest_path, read(ExportJobDTO, {"duration_ms": 0, "remaining_exports": 0, **told}))


def _result(page: Page) -> QueryResult:
    return QueryResult(page.table, read(QueryResultDTO, page.info))
