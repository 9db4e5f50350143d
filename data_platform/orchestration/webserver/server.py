"""Dagster's webserver behind the gate, with the governed schema and the HTTP interface beside it.

Leans on internals of `dagster-webserver` 1.13.27: `DagsterWebserver.build_graphql_schema`, `build_middleware` and
`build_routes`.
"""

from __future__ import annotations

from typing import Any

from dagster_webserver.webserver import DagsterWebserver
from graphene import Schema
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Mount
from typing_extensions import override

from data_platform.governance.sync_service import SyncLauncher
from data_platform.orchestration.api.app import build_api
from data_platform.orchestration.api.desk import Desk
from data_platform.orchestration.api.launching import QueueLauncher
from data_platform.orchestration.webserver.bounds import API, Bounds
from data_platform.orchestration.webserver.context import GovernedProcessContext, GovernedRequestContext
from data_platform.orchestration.webserver.gate import Gate
from data_platform.orchestration.webserver.metrics import metrics_route
from data_platform.orchestration.webserver.schema import govern
from data_platform.records.connection import Records
from data_platform.settings import Settings
from data_platform.warehouse.warehouse import Warehouse

LIVE_DATA_MILLISECONDS = 2_000
"""How often an open page asks for news: what `dagster dev` sets."""


class GovernedWebserver(DagsterWebserver[GovernedProcessContext, GovernedRequestContext]):
    """The webserver for one workspace, whose requests come from the users of `records`."""

    def __init__(self, process_context: GovernedProcessContext, settings: Settings, records: Records) -> None:
        self._settings = settings
        self._records = records
        self.desk = Desk(settings, records, Warehouse(settings.warehouse_root), self._launcher_of)
        super().__init__(process_context, live_data_poll_rate=LIVE_DATA_MILLISECONDS)

    @override
    def build_graphql_schema(self) -> Schema:
        return govern(super().build_graphql_schema())

    @override
    def build_middleware(self) -> list[Middleware]:
        gate = Middleware(Gate, settings=self._settings, records=self._records)
        return [Middleware(Bounds), gate, *super().build_middleware()]

    @override
    def build_routes(self) -> list[Any]:
        # Before Dagster's own, the last of which takes every path.
        own = [Mount(API, app=build_api(self.desk), name="api"), metrics_route(self._settings, self._records)]
        return [*own, *super().build_routes()]

    def _launcher_of(self, request: Request) -> SyncLauncher:
        return QueueLauncher(self._process_context.create_request_context(request), self._graphene_schema)


def build_app(
    process_context: GovernedProcessContext,
    settings: Settings,
    records: Records,
    **options: Any,  # noqa: ANN401 - Starlette's
) -> Starlette:
    """The ASGI application; `options` are Starlette's, such as its `lifespan`. Its desk stands in its state."""
    server: Any = GovernedWebserver(process_context, settings, records)
    app: Starlette = server.create_asgi_app(**options)
    app.state.desk = server.desk
    return app
