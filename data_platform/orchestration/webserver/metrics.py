"""The route that a Prometheus server scrapes. It lies behind the gate like every other, and asks for more."""

from __future__ import annotations

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from data_platform.errors import NotPermittedError
from data_platform.orchestration.webserver import pages
from data_platform.orchestration.webserver.context import USER_KEY
from data_platform.records.connection import Records
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse

PATH: Final = "/metrics"


def metrics_route(settings: Settings, records: Records) -> Route:
    """The route, which answers from the home of these settings."""
    from data_platform.governance.metrics_page import metrics_page  # noqa: PLC0415 - serving alone needs the library

    warehouse = Warehouse(settings.warehouse_root)

    async def answer(request: Request) -> Response:
        user, accept = request.scope[USER_KEY], request.headers.get("accept", "")
        try:
            page = await run_in_threadpool(metrics_page, settings, records, warehouse, user, accept)
        except NotPermittedError as error:
            return pages.refusal(error.message, 403, page=False)
        return Response(page.text, headers={"Content-Type": page.content_type, "Cache-Control": "no-store"})

    return Route(PATH, answer, methods=["GET"])
