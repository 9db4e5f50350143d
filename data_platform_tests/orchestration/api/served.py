"""A governed webserver with published tables, on a real socket of this machine, and whoever asks it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from data_platform.client.connection import Client
from data_platform.orchestration.api.desk import Desk
from data_platform.orchestration.webserver.protocol import PatientProtocol
from data_platform.orchestration.webserver.running import PromptServer, server_config
from data_platform.orchestration.webserver.server import build_app
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse
from data_platform_tests.governance.market import crsp_rows, factor_rows, publish
from data_platform_tests.orchestration.webserver.world import World
from data_platform_tests.records.processes import eventually

ROWS = 500
"""How many rows crsp_daily has."""


@dataclass(frozen=True)
class Served:
    """The server's address, and the world behind it."""

    world: World
    settings: Settings
    app: Starlette
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def http(self, person: str | None, **headers: str) -> httpx.Client:
        given = {"authorization": f"Bearer {self.world.tokens[person]}"} if person else {}
        base = f"{self.url}/api/v1/"
        # No certificates on this line, and loading them takes a while.
        plain = httpx.HTTPTransport(verify=False)
        return httpx.Client(base_url=base, headers={**given, **headers}, timeout=60, transport=plain)

    def client(self, person: str) -> Client:
        return Client(self.url, self.world.tokens[person])


def fill(settings: Settings) -> None:
    """Publish a table of each of two datasets."""
    warehouse = Warehouse(settings.warehouse_root)
    publish(warehouse, "crsp", "crsp_daily", "2020", crsp_rows(days=ROWS // 5))
    publish(warehouse, "fama_french", "ff_factors_daily", "all", factor_rows(days=30))


@contextmanager
def serve(world: World, **changes: object) -> Iterator[Served]:
    """The world's webserver, as `data-platform up` would serve it."""
    settings = world.settings.model_copy(update=changes)
    app = build_app(world.process, settings, world.records)
    with listening_to(app) as url:
        yield Served(world, settings, app, url)


@contextmanager
def listening_to(app: ASGIApp, head_seconds: float | None = None, desk: Desk | None = None) -> Iterator[str]:
    """An application at an address of this machine, served as ours are; a head may be waited for less long.

    With a desk its queries are ended with the server, for good; its records must be nobody else's then.
    """
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        host, port = listening.getsockname()
        config = server_config(app, host=host, port=port)
        if head_seconds is not None:
            config.http = type("Hasty", (PatientProtocol,), {"head_seconds": head_seconds})
        server = uvicorn.Server(config) if desk is None else PromptServer(config, desk)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        assert eventually(lambda: server.started)
        yield f"http://{host}:{port}"
        server.should_exit = True
        thread.join(30)
