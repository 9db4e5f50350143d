"""The stage's home served by `data-platform up`, and callers who ask it over HTTP, each with a token of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from benchmarks.client import PROJECT
from benchmarks.orchestration_side import until
from benchmarks.query_stage import DATASET, SCOPE, UNLIMITED, Stage
from data_platform.client.connection import Client
from data_platform.errors import PlatformError
from data_platform.records import tokens

_READY_SECONDS: Final = 300.0
_GRACE_SECONDS: Final = 60.0


@contextmanager
def served(stage: Stage) -> Generator[str]:
    """The address of the server, for the length of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DATA_PLATFORM_", "PG", "DAGSTER_")) and name != "QUERY_AUDIT_ENCRYPTION_KEY"
    }
    environment = {
        **kept,
        "PYTHONPATH": str(PROJECT),
        "DATA_PLATFORM_HOME": str(stage.settings.home),
        "DATA_PLATFORM_IDENTITY": "token",
        "DATA_PLATFORM_QUERIES_PER_MINUTE": str(UNLIMITED),
    }
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "data_platform.cli", "up", "--port", str(port)],
        env=environment,
        cwd=stage.settings.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        with callers(stage, url, ["first-caller"]) as (first,):
            until(lambda: _answers(first), "the server never answered", _READY_SECONDS)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def callers(stage: Stage, url: str, names: list[str]) -> Generator[list[Callable[[str], int]]]:
    """For each name a function that puts a statement to the server and returns how many rows came."""
    with ExitStack() as stack:
        clients: list[Client] = []
        for name in names:
            stage.person(name)
            with stage.records.transaction(SCOPE) as connection:
                secret = tokens.create(connection, name).secret
            clients.append(stack.enter_context(Client(url, secret)))
        yield [lambda sql, client=client: client.query(sql, dataset=DATASET).arrow().num_rows for client in clients]


def _answers(ask: Callable[[str], int]) -> bool:
    try:
        return ask("SELECT 1") == 1
    except PlatformError:
        return False
