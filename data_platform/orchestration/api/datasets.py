"""Datasets: which there are, what their tables hold, and their first rows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from data_platform.governance.dto import DataPreviewDTO, DatasetInfoDTO, DatasetSchemaDTO, QuotaDTO
from data_platform.governance.result_rows import plain
from data_platform.orchestration.api.desk import CallerOf, DeskOf

router = APIRouter(tags=["datasets"])


@router.get("/datasets")
async def list_datasets(desk: DeskOf, caller: CallerOf) -> list[DatasetInfoDTO]:
    """The datasets that you may see, with the latest version of each table."""
    return await desk.quick.run(lambda: desk.explorer.list_datasets(caller.user))


@router.get("/datasets/{name}")
async def describe_dataset(desk: DeskOf, caller: CallerOf, name: str) -> DatasetSchemaDTO:
    """The tables of a dataset: type, unit, description and share of missing values of each column."""
    return await desk.quick.run(lambda: desk.explorer.describe_dataset(caller.user, name))


@router.get("/datasets/{name}/preview", response_model=DataPreviewDTO)
async def preview(
    desk: DeskOf,
    caller: CallerOf,
    name: str,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    table: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """The first rows of a table, by default of the dataset's first synced one. Counts as a query."""
    found = await desk.querying.run(
        lambda: desk.explorer.get_dataset_preview(caller.user, name, limit, table, caller.client_ip)
    )
    document = found.model_dump(mode="json", exclude={"rows"}) | {"rows": plain(found.rows)}
    return JSONResponse(document, headers={"Cache-Control": "no-store"})


@router.get("/quota")
async def quota(desk: DeskOf, caller: CallerOf) -> QuotaDTO:
    """How many queries and exports the limits leave you now."""
    return await desk.quick.run(lambda: desk.explorer.quota(caller.user))
