"""Running the governed webserver over a code server that somebody else keeps."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import dagster as dg
import uvicorn
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.log import configure_loggers
from starlette.types import ASGIApp
from typing_extensions import override

from data_platform.governance.explorer import serving
from data_platform.orchestration.api.desk import Desk
from data_platform.orchestration.webserver.asking import require_listening
from data_platform.orchestration.webserver.connections import asked_before_use
from data_platform.orchestration.webserver.context import GovernedProcessContext
from data_platform.orchestration.webserver.protocol import MOST_CONNECTIONS, PatientProtocol
from data_platform.orchestration.webserver.server import build_app
from data_platform.records.connection import open_records
from data_platform.settings import Settings

_POLL_SECONDS: Final = 0.1


def run_webserver(settings: Settings, workspace: Path, *, host: str, port: int) -> None:
    """Serve until interrupted, from when the file `workspace` is there. The environment is that of `instance.py`.

    Raises:
        UsageError, ConfigurationError: when the identity mode does not go with the address.
        DatabaseUnavailableError: when the records are away at the start.
    """
    require_listening(settings, host)
    configure_loggers(formatter="colored", log_level="INFO")
    with asked_before_use(), open_records(settings) as records, dg.DagsterInstance.get() as instance:
        while not workspace.exists():
            time.sleep(_POLL_SECONDS)
        # A statement of Dagster's pages that takes longer is given up, and connections don't grow old.
        instance.optimize_for_webserver(15_000, 3_600, 20)
        target = WorkspaceFileTarget([str(workspace)])
        with GovernedProcessContext(records=records, instance=instance, workspace_load_target=target) as context:
            app = build_app(context, settings, records)
            # Of a server that was killed.
            serving.end_lost(records)
            with suppress(KeyboardInterrupt):
                PromptServer(server_config(app, host=host, port=port), app.state.desk).run()


class PromptServer(uvicorn.Server):
    """uvicorn's server, which ends without waiting for queries: it waits for the answers to requests that are open."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self._desk = desk

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._desk.stop()
        await super().shutdown(sockets)


def server_config(app: ASGIApp, *, host: str, port: int) -> uvicorn.Config:
    """How the application is served: with patience that has an end, and no more connections than the machine bears.

    Behind a proxy we look at its headers ourselves: uvicorn believes some of them from any local process.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=PatientProtocol,
        limit_concurrency=MOST_CONNECTIONS,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        lifespan="off",
    )
