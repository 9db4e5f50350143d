"""The application: the routers together, the errors' form, and the description at `openapi.json`."""

from __future__ import annotations

from typing import Final

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from data_platform.orchestration.api import datasets, exports, quality, queries, syncs
from data_platform.orchestration.api.answers import Quiet, Unkept, answer_errors
from data_platform.orchestration.api.asked import require_known
from data_platform.orchestration.api.desk import Desk
from data_platform.orchestration.api.wire_models import ERRORS

_ABOUT: Final = """Licensed research data through the governed door. Say who you are with `Authorization: Bearer TOKEN`
(`data-platform users token`), or through the authenticating proxy. Each answer is of the datasets that you may see."""


def build_api(desk: Desk) -> FastAPI:
    """The ASGI application, to be mounted behind the gate. No page of it loads anything from elsewhere."""
    api = FastAPI(
        title="data-platform",
        version="1",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Unkept), Middleware(Quiet)],
        responses=ERRORS,
        dependencies=[Depends(require_known)],
        generate_unique_id_function=_name_of,
    )
    api.state.desk = desk
    answer_errors(api)
    for each in (datasets, queries, exports, quality, syncs):
        api.include_router(each.router)
    return api


def _name_of(route: APIRoute) -> str:
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name
