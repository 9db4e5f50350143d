"""Exports: written, looked after, downloaded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response, StreamingResponse

from data_platform.errors import NotFoundError
from data_platform.governance.dto import ExportJobDTO, QueryRequestDTO
from data_platform.orchestration.api.asked import ExportAsked
from data_platform.orchestration.api.desk import CallerOf, DeskOf
from data_platform.orchestration.api.queries import begun

router = APIRouter(tags=["exports"])

_PIECE: Final = 256 * 1024
_BINARY: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in ("text/csv", "application/vnd.apache.parquet")
        }
    }
}


@router.post("/exports", status_code=201, response_model=ExportJobDTO, responses={202: {"model": QueryRequestDTO}})
async def export(desk: DeskOf, caller: CallerOf, asked: ExportAsked) -> Response:
    """Export a whole result. It is written while you wait (201), or, with `wait` off, later (202)."""
    what = (caller.user, asked.dataset, asked.sql, asked.format, asked.when(), asked.values(), caller.client_ip)
    if asked.wait:
        job = await desk.querying.run(lambda: desk.explorer.export_data(*what, escape_formulas=asked.escape_formulas))
        headers = {"Location": f"/api/v1/exports/{job.export_id}", "Cache-Control": "no-store"}
        return JSONResponse(job.model_dump(mode="json"), status_code=201, headers=headers)
    request = await desk.quick.run(
        lambda: desk.explorer.submit_export(*what, escape_formulas=asked.escape_formulas, by_server=True)
    )
    return await begun(desk, caller, request, f"exports/{request.id}")


@router.get("/exports/{export_id}")
async def status(desk: DeskOf, caller: CallerOf, export_id: UUID) -> QueryRequestDTO:
    """Where an export of yours stands."""
    return await desk.quick.run(lambda: desk.explorer.get_request(caller.user, export_id))


@router.get("/exports/{export_id}/manifest", response_model=dict[str, Any])
async def manifest(desk: DeskOf, caller: CallerOf, export_id: UUID) -> Response:
    """What an export is: statement, versions, rows, SHA-256, licence notice."""

    def read() -> bytes:
        found = desk.explorer.open_export(caller.user, export_id, caller.client_ip, manifest_only=True)
        return _read(found.manifest_path)

    return Response(await desk.quick.run(read), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/exports/{export_id}/file", response_class=StreamingResponse, responses=_BINARY)
async def download(desk: DeskOf, caller: CallerOf, export_id: UUID) -> Response:
    """The file of an export."""

    def opened() -> tuple[IO[bytes], dict[str, str], str]:
        found = desk.explorer.open_export(caller.user, export_id, caller.client_ip)
        headers = {
            "Content-Disposition": f'attachment; filename="{found.dto.file_name}"',
            "Content-Length": str(found.dto.bytes),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return _open(found.path), headers, found.media_type

    file, headers, media_type = await desk.quick.run(opened)
    return StreamingResponse(_pieces(file), media_type=media_type, headers=headers)


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file, piece by piece: a thread is busy while one is read, and none while the client takes it."""
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _open(path: Path) -> IO[bytes]:
    """Open a file that may be removed at any moment; once it is open, it can be read to its end.

    Raises:
        NotFoundError: when it was.
    """
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFoundError("The export is gone: files live for 24 hours.", hint="Export again.") from None


def _read(path: Path) -> bytes:
    with _open(path) as file:
        return file.read()
