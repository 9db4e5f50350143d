"""Running all of Dagster: the code server, the daemon, and the governed webserver in this process.

Does what `dagster dev` of 1.13.27 does, with our webserver in the place of its own: one code server that can be
reloaded, whose address the daemon learns from a workspace file.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import dagster as dg
import uvicorn
import yaml
from dagster._cli.proxy_server_manager import ProxyServerManager
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.log import configure_loggers

from data_platform.errors import PlatformError
from data_platform.orchestration.webserver.asking import require_listening
from data_platform.orchestration.webserver.context import GovernedProcessContext
from data_platform.orchestration.webserver.server import build_app
from data_platform.records.connection import open_records
from data_platform.settings import PROJECT_ROOT, Settings

_GRACE_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.5


def run_everything(settings: Settings, *, host: str, port: int) -> None:
    """Serve until interrupted. The environment is that of `orchestration/instance.py`.

    Raises:
        UsageError, ConfigurationError: when the identity mode does not go with the address.
        PlatformError: when the daemon ended by itself.
    """
    require_listening(settings, host)
    configure_loggers(formatter="colored", log_level="INFO")
    with (
        open_records(settings) as records,
        dg.DagsterInstance.get() as instance,
        _code_server(instance) as workspace,
        _daemon(workspace) as daemon,
    ):
        # A statement of Dagster's pages that takes longer is given up, and connections don't grow old.
        instance.optimize_for_webserver(15_000, 3_600, 20)
        target = WorkspaceFileTarget([str(workspace)])
        with GovernedProcessContext(records=records, instance=instance, workspace_load_target=target) as context:
            app = build_app(context, settings, records)
            # Behind a proxy we look at its headers ourselves: uvicorn believes some of them from any local process.
            server = uvicorn.Server(
                uvicorn.Config(app, host=host, port=port, log_level="warning", proxy_headers=False, lifespan="off")
            )
            _stop_with(daemon, server)
            server.run()
        if daemon.poll() is not None:
            raise PlatformError(f"Dagster's daemon ended by itself with exit code {daemon.returncode}.")


@contextmanager
def _code_server(instance: dg.DagsterInstance) -> Generator[Path]:
    """The code server, and a workspace file that names its address."""
    target = WorkspaceFileTarget([str(PROJECT_ROOT / "workspace.yaml")])
    with (
        ProxyServerManager(instance=instance, workspace_load_target=target, code_server_log_level="WARNING") as servers,
        tempfile.TemporaryDirectory() as folder,
    ):
        workspace = Path(folder) / "workspace.yaml"
        workspace.write_text(yaml.safe_dump({"load_from": servers.get_code_server_specs()}))
        yield workspace


@contextmanager
def _daemon(workspace: Path) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "dagster._daemon", "run", "--workspace", str(workspace)]
    process = subprocess.Popen(command)  # noqa: S603 - our own command
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _stop_with(daemon: subprocess.Popen[bytes], server: uvicorn.Server) -> None:
    """End the server when the daemon ends: without it nothing that is queued would ever run."""

    def watch() -> None:
        while not server.should_exit:
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(_POLL_SECONDS)
                server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
