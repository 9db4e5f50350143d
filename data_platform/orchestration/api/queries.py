"""Queries: asked, waited for or not, read page by page, planned, cancelled."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from data_platform.governance.dto import QueryPlanDTO, QueryRequestDTO
from data_platform.governance.explorer import MAX_PAGE_ROWS
from data_platform.orchestration.api.asked import QueryAsked, ReasonAsked, Statement
from data_platform.orchestration.api.desk import BusyError, Caller, CallerOf, Desk, DeskOf
from data_platform.orchestration.api.rows import PAGE, Accept, page

router = APIRouter(tags=["queries"])


@router.post("/queries", responses={**PAGE, 202: {"model": QueryRequestDTO}})
async def submit(desk: DeskOf, caller: CallerOf, asked: QueryAsked, accept: Accept = "") -> Response:
    """Ask. With `wait_seconds` the answer is a page; without, the id to look after the query by (202)."""
    when, values = asked.when(), asked.values()
    if asked.wait_seconds is not None:
        seconds = asked.wait_seconds
        result = await desk.querying.run(
            lambda: desk.explorer.execute_query(
                caller.user,
                asked.dataset,
                asked.sql,
                timeout_seconds=seconds,
                page=asked.page,
                page_size=asked.page_size,
                as_of=when,
                parameters=values,
                client_ip=caller.client_ip,
            )
        )
        return await page(result, accept)
    request = await desk.quick.run(
        lambda: desk.explorer.submit_query(
            caller.user, asked.dataset, asked.sql, when, values, client_ip=caller.client_ip, by_server=True
        )
    )
    return await begun(desk, caller, request, f"queries/{request.id}")


async def begun(desk: Desk, caller: Caller, request: QueryRequestDTO, place: str) -> Response:
    """Begin what was submitted, and say where to look after it.

    Raises:
        BusyError: when too many wait; the request is cancelled then, for nobody would take it up.
    """
    run = desk.explorer.run_query if request.kind == "query" else desk.explorer.run_export
    try:
        desk.querying.start(lambda: run(request.id))
    except BusyError:
        # In a thread of no bounded queue: that one may be full too.
        await asyncio.to_thread(desk.explorer.cancel, caller.user, request.id)
        raise
    headers = {"Location": f"/api/v1/{place}", "Cache-Control": "no-store"}
    return JSONResponse(request.model_dump(mode="json"), status_code=202, headers=headers)


@router.get("/queries")
async def history(
    desk: DeskOf,
    caller: CallerOf,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    dataset: Annotated[str | None, Query(max_length=100)] = None,
) -> list[QueryRequestDTO]:
    """Your queries and exports of the last 24 hours, newest first."""
    return await desk.quick.run(lambda: desk.explorer.history(caller.user, limit, dataset))


@router.post("/queries/dry-run")
async def dry_run(desk: DeskOf, caller: CallerOf, asked: Statement) -> QueryPlanDTO:
    """What a query would read and answer with, without reading a row. Counts as a query."""
    when, values = asked.when(), asked.values()
    return await desk.querying.run(
        lambda: desk.explorer.dry_run(caller.user, asked.dataset, asked.sql, when, values, client_ip=caller.client_ip)
    )


@router.get("/queries/running")
async def running(desk: DeskOf, caller: CallerOf) -> list[QueryRequestDTO]:
    """What runs or waits now, everybody's, without the texts. For administrators."""
    return await desk.quick.run(lambda: desk.explorer.list_running(caller.user))


@router.get("/queries/{query_id}")
async def status(desk: DeskOf, caller: CallerOf, query_id: UUID) -> QueryRequestDTO:
    """Where a query of yours stands."""
    return await desk.quick.run(lambda: desk.explorer.get_request(caller.user, query_id))


@router.get("/queries/{query_id}/result", responses=PAGE)
async def result(
    desk: DeskOf,
    caller: CallerOf,
    query_id: UUID,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_ROWS)] = MAX_PAGE_ROWS,
    accept: Accept = "",
) -> Response:
    """The first page of a query that is done; its cursor leads on, in pages of the same size."""
    found = await desk.querying.run(
        lambda: desk.explorer.get_result(caller.user, query_id, caller.client_ip, page_size=page_size)
    )
    return await page(found, accept)


@router.get("/pages", responses=PAGE)
async def next_page(
    desk: DeskOf, caller: CallerOf, cursor: Annotated[str, Query(max_length=4_000)], accept: Accept = ""
) -> Response:
    """The page that a cursor leads to."""
    found = await desk.querying.run(lambda: desk.explorer.next_page(caller.user, cursor, caller.client_ip))
    return await page(found, accept)


@router.post("/queries/{query_id}/cancel")
async def cancel(desk: DeskOf, caller: CallerOf, query_id: UUID) -> QueryRequestDTO:
    """Stop a query or an export of yours; one that has ended stays as it is."""
    return await desk.quick.run(lambda: desk.explorer.cancel(caller.user, query_id))


@router.post("/queries/{query_id}/kill")
async def kill(desk: DeskOf, caller: CallerOf, query_id: UUID, asked: ReasonAsked) -> QueryRequestDTO:
    """Stop anybody's query or export. For administrators."""
    return await desk.quick.run(lambda: desk.explorer.kill(caller.user, query_id, asked.reason))
