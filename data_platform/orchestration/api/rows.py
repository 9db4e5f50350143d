"""A page of rows as an answer: JSON objects, or, for whoever accepts it, an Arrow stream that keeps the types."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

import pyarrow as pa
from fastapi import Header
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from data_platform.client.wire import ABOUT, ARROW
from data_platform.governance.dto import QueryResultDTO
from data_platform.governance.explorer import QueryResult
from data_platform.governance.result_files import distinct_names
from data_platform.governance.result_rows import row_objects

Accept = Annotated[str, Header(alias="accept", include_in_schema=False)]

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Accept"}


class QueryPage(QueryResultDTO):
    """A page of a result: its rows, and what is known of the whole."""

    rows: list[dict[str, Any]]


PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": QueryPage, "content": {ARROW: {"schema": {"type": "string", "format": "binary"}}}}
}
"""The description of an answer that is a page."""


async def page(result: QueryResult, accept: str) -> Response:
    """The answer that a page of a result is."""
    return await answer_rows(result.table, result.dto, accept)


async def answer_rows(table: pa.Table, about: BaseModel, accept: str) -> Response:
    """Rows, with what is known of them."""
    # In a thread: ten thousand rows take a while to be written as JSON.
    body = await asyncio.to_thread(_arrow if ARROW in accept else _json, table, about)
    return Response(body, media_type=ARROW if ARROW in accept else "application/json", headers=_HEADERS)


def _json(table: pa.Table, about: BaseModel) -> bytes:
    document = {**about.model_dump(mode="json"), "rows": row_objects(distinct_names(table))}
    return bytes(JSONResponse(document).body)


def _arrow(table: pa.Table, about: BaseModel) -> bytes:
    told = table.replace_schema_metadata({ABOUT: about.model_dump_json().encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, told.schema) as stream:
        stream.write_table(told)
    return sink.getvalue().to_pybytes()
