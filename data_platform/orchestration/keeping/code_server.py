"""The code server: a proxy that Dagster starts again when it dies, and behind it the server that has our code loaded.

That one Dagster leaves dead: the proxy would answer every question with an error for ever. So we ask through the proxy
now and then, and have it load the code anew. Leans on internals of Dagster 1.13.27, as `dagster dev` uses them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import dagster as dg
import yaml
from dagster._cli.proxy_server_manager import ProxyServerManager
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._grpc.client import DagsterGrpcClient

from data_platform.settings import PROJECT_ROOT

_ASK_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 10
_LOAD_SECONDS: Final = 180
_MISSES: Final = 2
"""So many questions in a row without an answer, and the code is loaded anew."""
_log = logging.getLogger("data_platform")


@contextmanager
def code_server(instance: dg.DagsterInstance, workspace: Path) -> Generator[None]:
    """The code server, kept alive for the block; the file `workspace` appears, whole, and names its address."""
    target = WorkspaceFileTarget([str(PROJECT_ROOT / "workspace.yaml")])
    stopped = threading.Event()
    with ProxyServerManager(
        instance=instance, workspace_load_target=target, code_server_log_level="WARNING"
    ) as servers:
        specs = servers.get_code_server_specs()
        draft = workspace.with_suffix(".draft")
        draft.write_text(yaml.safe_dump({"load_from": specs}))
        draft.rename(workspace)
        watches = [
            threading.Thread(target=_watch, args=(client_of(spec["grpc_server"]), stopped), daemon=True)
            for spec in specs
        ]
        for watch in watches:
            watch.start()
        try:
            yield
        finally:
            stopped.set()


def client_of(address: Mapping[str, Any]) -> DagsterGrpcClient:
    """What asks the proxy at an address."""
    return DagsterGrpcClient(port=address.get("port"), socket=address.get("socket"), host=address["host"])


def answers(client: DagsterGrpcClient) -> bool:
    """Whether the server behind the proxy answers. A proxy that is away itself is Dagster's to start again."""
    try:
        client.heartbeat("ping")
    except DagsterUserCodeUnreachableError:
        return True
    try:
        client.get_server_id(timeout=_ANSWER_SECONDS)
    except DagsterUserCodeUnreachableError:
        return False
    return True


def _watch(client: DagsterGrpcClient, stopped: threading.Event) -> None:
    misses = 0
    while not stopped.wait(_ASK_SECONDS):
        try:
            misses = 0 if answers(client) else misses + 1
            if misses >= _MISSES and not stopped.is_set():
                misses = 0
                _log.warning("The code server does not answer; it is started again.")
                # Having loaded the code, the proxy also tells the dead server to stop, and reports that it can't.
                with suppress(DagsterUserCodeUnreachableError):
                    client.reload_code(timeout=_LOAD_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would look from then on
            _log.warning("Could not look after the code server: %s", type(error).__name__)
