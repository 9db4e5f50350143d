"""A page of rows as an answer: JSON objects, or, for whoever accepts it, an Arrow stream that keeps the types.

JSON is written value by value in Python, so a page that is too heavy for it is refused; as Arrow any page can be had.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, cast

import pyarrow as pa
from fastapi import Header
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from data_platform.client.names import distinct_names
from data_platform.client.wire import ABOUT, ARROW
from data_platform.errors import UsageError
from data_platform.governance.dto import QueryResultDTO
from data_platform.governance.engine.streams import repeated_bytes
from data_platform.governance.explorer import QueryResult
from data_platform.governance.result_hash import values_within
from data_platform.governance.result_rows import row_objects

Accept = Annotated[str, Header(alias="accept", include_in_schema=False)]

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Accept"}


MOST_JSON_BYTES: Final = 16 * 1024 * 1024
MOST_JSON_VALUES: Final = 2_000_000
"""How heavy a page may be that is answered in JSON: it takes some seconds then, and some hundred MiB of memory."""


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
    """Rows, with what is known of them.

    Raises:
        UsageError: when they are too many bytes or values for JSON.
    """
    # In a thread: ten thousand rows take a while to be written as JSON.
    body = await asyncio.to_thread(_arrow if ARROW in accept else _json, table, about)
    return Response(body, media_type=ARROW if ARROW in accept else "application/json", headers=_HEADERS)


def _json(table: pa.Table, about: BaseModel) -> bytes:
    _require_light(table)
    document = {**about.model_dump(mode="json"), "rows": row_objects(distinct_names(table))}
    return bytes(JSONResponse(document).body)


def _require_light(table: pa.Table) -> None:
    size, columns = table.nbytes + repeated_bytes(table), cast("list[Any]", table.columns)
    values = sum(values_within(chunk) for column in columns for chunk in column.chunks)
    if size > MOST_JSON_BYTES or values > MOST_JSON_VALUES:
        raise UsageError(
            f"The page is too large for JSON: {size / 2**20:,.1f} MiB and {values:,} values; JSON may have "
            f"{MOST_JSON_BYTES // 2**20} MiB and {MOST_JSON_VALUES:,} values.",
            hint=f"Ask for Arrow (Accept: {ARROW}), or for a smaller page (page_size).",
        )


def _arrow(table: pa.Table, about: BaseModel) -> bytes:
    told = table.replace_schema_metadata({ABOUT: about.model_dump_json().encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, told.schema) as stream:
        stream.write_table(told)
    return sink.getvalue().to_pybytes()
