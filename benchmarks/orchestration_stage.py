"""The stage of `benchmarks.orchestration`: one home with published partitions, and two Dagsters that serve it.

Ours is `data-platform up`. The bare one is `dagster dev` with the same definitions and the project's `dagster.yaml`,
but for the run coordinator, which is Dagster's own. Each has a database of its own for runs and events on the same
server: two daemons on one would take each other's runs from the queue.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import yaml
from psycopg import sql

from benchmarks.client import PROJECT
from benchmarks.orchestration_bare import TABLE
from benchmarks.orchestration_side import LOCATION, Side, until
from data_platform.catalog import find_table
from data_platform.orchestration.assets import WRDS_POOL
from data_platform.orchestration.instance import dagster_environment
from data_platform.records import tokens, users
from data_platform.records.connection import Records, open_records
from data_platform.records.embedded.credentials import DAGSTER, SUPERUSER, read_credentials
from data_platform.records.embedded.layout import layout_of
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.sources.demo.load import load_demo
from data_platform.sync import SyncContext, SyncOutcome, sync_partitions
from data_platform.warehouse import Warehouse

FIRST_YEAR: Final = 2000
OPERATOR: Final = "operator"
SCOPE: Final = Scope.system("benchmark")

_SECURITIES: Final = 20
_BARE_DB: Final = "dagster_bare"
_READY_SECONDS: Final = 600.0
_GRACE_SECONDS: Final = 60.0
_COORDINATOR: Final = {"module": "dagster._core.run_coordinator", "class": "QueuedRunCoordinator"}


@dataclass(frozen=True, slots=True)
class Stage:
    """Both sides, ready to be asked; `partitions` are published already, oldest first."""

    records: Records
    ours: Side
    bare: Side
    partitions: list[str]

    def forget_limits(self) -> None:
        """Let the next manual sync begin at once: one a minute is the product's rule, not what is measured."""
        with self.records.transaction(SCOPE) as connection:
            connection.execute("UPDATE platform.rate_limits SET hits = '{}'")


@contextmanager
def open_stage(years: int) -> Generator[Stage]:
    """Load and publish so many years of a small market, then serve it twice for the length of the block."""
    # A short path: the server's socket has to fit into one.
    root = Path(tempfile.mkdtemp(prefix="dp-bench-", dir="/tmp"))
    settings = Settings(
        home=root / "h",
        postgres_url=None,
        wrds_username=None,
        ken_french_url=None,
        start_year=FIRST_YEAR,
        query_audit_encryption_key=None,
    )
    try:
        with open_records(settings) as records:
            partitions = _publish(settings, records, years)
            token = _operator(records)
            with _serving(_ours(settings, root, token), _bare(settings, records, root)) as (ours, bare):
                # `data-platform up` has done so for its own.
                bare.limit_pool(WRDS_POOL)
                yield Stage(records, ours, bare, partitions)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Server:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    port: int
    token: str | None


def _publish(settings: Settings, records: Records, years: int) -> list[str]:
    span = (FIRST_YEAR, FIRST_YEAR + years - 1)
    load_demo(settings, records.databases, years=span, securities=_SECURITIES)
    keys = [str(year) for year in range(span[0], span[1] + 1)]
    context = SyncContext(settings, Warehouse(settings.warehouse_root), records)
    for result in sync_partitions(context, find_table(TABLE), keys):
        if not isinstance(result, SyncOutcome):
            raise TypeError(f"{TABLE} {result.partition} was not published")
    return keys


def _operator(records: Records) -> str:
    with records.transaction(SCOPE) as connection:
        users.add(connection, OPERATOR, "operator")
        return tokens.create(connection, OPERATOR).secret


def _ours(settings: Settings, root: Path, token: str) -> _Server:
    port = _free_port()
    command = [sys.executable, "-m", "data_platform.cli", "up", "--port", str(port)]
    variables = {
        **_environment(),
        "DATA_PLATFORM_HOME": str(settings.home),
        "DATA_PLATFORM_START_YEAR": str(settings.start_year),
        "DATA_PLATFORM_IDENTITY": "token",
    }
    return _Server("ours", command, variables, root, port, token)


def _bare(settings: Settings, records: Records, root: Path) -> _Server:
    folder, port = root / "bare", _free_port()
    folder.mkdir()
    document: dict[str, Any] = yaml.safe_load((PROJECT / "dagster.yaml").read_text())
    (folder / "dagster.yaml").write_text(yaml.safe_dump({**document, "run_coordinator": _COORDINATOR}))
    module = {"module_name": "benchmarks.orchestration_bare", "location_name": LOCATION}
    (folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": [{"python_module": module}]}))
    variables = {
        **_environment(),
        **dagster_environment(settings, records.databases),
        "DATA_PLATFORM_START_YEAR": str(settings.start_year),
        "DATA_PLATFORM_DAGSTER_URL": _bare_database(settings),
        "DATA_PLATFORM_DAGSTER_FOLDER": str(folder / "storage"),
        "DATA_PLATFORM_DAGSTER_LOGS": str(folder / "compute_logs"),
        "DAGSTER_HOME": str(folder),
    }
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "dev", "--port", str(port), "--log-level", "warning"]
    return _Server("bare", [*command, "--workspace", str(folder / "workspace.yaml")], variables, folder, port, None)


def _bare_database(settings: Settings) -> str:
    layout = layout_of(settings.home)
    server = EmbeddedServer(layout, read_credentials(layout))
    role = server.credentials[DAGSTER].role
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(_BARE_DB), sql.Identifier(role))
        )
    return server.url(DAGSTER, _BARE_DB)


@contextmanager
def _serving(*servers: _Server) -> Generator[list[Side]]:
    """Start servers, and end them together."""
    with ExitStack() as stack:
        running: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, running)
        for server in servers:
            with (server.folder / f"{server.name}.log").open("wb") as log:
                running.append(
                    subprocess.Popen(  # noqa: S603 - our own commands
                        server.command,
                        env=dict(server.environment),
                        cwd=server.folder,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )
        sides = [stack.enter_context(Side(each.name, each.port, each.token)) for each in servers]
        for side in sides:
            until(side.ready, f"{side.name}: the server never answered", _READY_SECONDS)
        yield sides


def _end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.send_signal(signal.SIGINT)
    for process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment() -> dict[str, str]:
    """The environment without anybody's settings; both sides import this checkout."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DATA_PLATFORM_", "PG", "DAGSTER_")) and name != "QUERY_AUDIT_ENCRYPTION_KEY"
    }
    return {**kept, "PYTHONPATH": str(PROJECT)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
