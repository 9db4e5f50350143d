"""A running `data-platform up` on a home of its own: its processes, its runs, and what it has left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import psycopg

from data_platform.orchestration.assets import WRDS_POOL
from data_platform.records.connection import open_records
from data_platform.records.embedded.credentials import SUPERUSER, read_credentials
from data_platform.records.embedded.layout import layout_of
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.settings import Settings
from data_platform.sources.demo.load import load_demo
from data_platform.warehouse import Warehouse
from data_platform.warehouse.lock_token import read_token
from data_platform_tests.cli.conftest import COMMAND, Ran, environment, run_here
from data_platform_tests.ports import free_port
from data_platform_tests.records.processes import alive, eventually

ROLES: Final = {
    "head": "data_platform.orchestration.keeping",
    "webserver": "data_platform.orchestration.webserver",
    "daemon": "dagster._daemon",
    "proxy": "code-server",
    "code server": "grpc",
}
"""What stands in the command line of each long-lived process below `up`."""

PATIENCE: Final = 120.0
"""Seconds to wait for what takes some ten on a machine with nothing else to do."""

_LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
_POOL = """
mutation Pool($pool: String!, $limit: Int!) { setConcurrencyLimit(concurrencyKey: $pool, limit: $limit) }
"""
_LOADED = """
{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename } } } } }
"""


class Served:
    """One `data-platform up`; `home` and the databases are there after it, too."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.temporary = home.parent / "tmp"
        self.warehouse = Warehouse(Settings(home=home).warehouse_root)
        self.port = free_port()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        self._log = (home.parent / "up.log").open("wb")
        self.temporary.mkdir()
        self.up = psutil.Popen(
            [*COMMAND, "up", "--port", str(self.port)],
            env=environment(home, TMPDIR=str(self.temporary), DATA_PLATFORM_QUERIES_PER_MINUTE="100000"),
            cwd=home.parent,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def said(self) -> str:
        """Everything that its processes have written."""
        return (self.home.parent / "up.log").read_text(errors="replace")

    def roles(self) -> dict[str, psutil.Process]:
        """The long-lived processes that are there now, by what they are."""
        found = {"up": psutil.Process(self.up.pid)}
        for process in found["up"].children(recursive=True):
            with suppress(psutil.Error):
                words = process.cmdline()
                found |= {role: process for role, word in ROLES.items() if word in words}
        return found

    def kill(self, *roles: str) -> None:
        """End them with kill -9, all of them before any can react to another's end."""
        there = self.roles()
        for role in roles:
            there[role].send_signal(signal.SIGKILL)

    def is_whole(self) -> bool:
        """Whether every process is there, the database too, the UI answers, and the code is loaded."""
        if self.roles().keys() != {"up", *ROLES} or not self._has_database():
            return False
        try:
            (entry,) = self.ask(_LOADED)["workspaceOrError"]["locationEntries"]
        except (httpx.HTTPError, ValueError, AssertionError):
            return False
        loaded = entry["loadStatus"] == "LOADED"
        return loaded and (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation"

    def _has_database(self) -> bool:
        """The UI says what is loaded without it."""
        try:
            return bool(self.execute("dagster", "SELECT 1"))
        except psycopg.OperationalError:
            return False

    def ask(self, query: str, **variables: object) -> Any:  # noqa: ANN401 - GraphQL's answer
        answer = self._client.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def open_pool(self, limit: int) -> None:
        """Let so many runs read from WRDS at once."""
        self.ask(_POOL, pool=WRDS_POOL, limit=limit)

    def sync(self, table: str, partition: str | None = None) -> str:
        """Launch a run that extracts a table's partition, whatever its fingerprint says; its id."""
        self.execute("platform", "UPDATE platform.rate_limits SET hits = '{}'")
        tags = [{"key": "dagster/partition", "value": partition}] if partition else []
        config = {"ops": {f"sync_{table}": {"config": {"reason": "a fault test", "full": True}}}}
        return self._launch("__ASSET_JOB", config, tags, assetSelection=[{"path": [table]}])

    def query(self, dataset: str, sql: str) -> str:
        """Launch a run of the query job; its id."""
        config = {"ops": {"run_query": {"config": {"dataset": dataset, "sql": sql}}}}
        return self._launch("query_job", config, [])

    def _launch(self, job: str, config: object, tags: list[dict[str, str]], **selection: object) -> str:
        selector = {"repositoryName": "__repository__", "repositoryLocationName": "data_platform", "jobName": job}
        parameters = {
            "selector": {**selector, **selection},
            "mode": "default",
            "runConfigData": config,
            "executionMetadata": {"tags": tags},
        }
        launched = self.ask(_LAUNCH, parameters=parameters)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def status(self, run_id: str) -> str:
        """A run's status, from the database itself."""
        ((status,),) = self.execute("dagster", "SELECT status FROM runs WHERE run_id = %s", run_id)
        return str(status)

    def scheduled(self, table: str) -> list[tuple[str, str]]:
        """The key and status of each run that the schedule of a table asked for, oldest first."""
        return self.execute(
            "dagster",
            "SELECT key.value, runs.status FROM runs JOIN run_tags AS asked USING (run_id) "
            "JOIN run_tags AS key USING (run_id) WHERE asked.key = 'data_platform/scheduled_table' "
            "AND asked.value = %s AND key.key = 'dagster/run_key' ORDER BY runs.id",
            table,
        )

    def make_due(self, table: str, minutes: int) -> None:
        """Turn a table's schedule on, with a tick that passed so many minutes ago; the next one is an hour later."""
        row = "SELECT 1 FROM platform.data_sync_schedule WHERE table_name = %s"
        settled("no sensor has made the schedule", lambda: bool(self.execute("platform", row, table)))
        self.execute(
            "platform",
            "UPDATE platform.data_sync_schedule SET enabled = true, timezone = 'UTC', updated_at = now() - interval "
            "'1 day', cron_expression = extract(minute FROM now() - make_interval(mins => %s))::int || ' * * * *', "
            "next_scheduled_run = date_trunc('minute', now() - make_interval(mins => %s)) WHERE table_name = %s",
            minutes,
            minutes,
            table,
        )

    def writer(self, table: str) -> psutil.Process:
        """The process that holds the table's lock."""
        token = read_token(self.warehouse.store.root / "locks" / f"{table}.lock")
        assert token is not None
        return psutil.Process(token.pid)

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """A connection as the embedded server's superuser."""
        layout = layout_of(self.home)
        return psycopg.connect(
            EmbeddedServer(layout, read_credentials(layout)).url(SUPERUSER, database),
            autocommit=True,
            application_name="fault-tests",
        )

    def execute(self, database: str, statement: str, *values: object) -> Any:  # noqa: ANN401 - rows of any kind
        """Run a statement as the superuser; its rows, if it has any."""
        with closing(self.connect(database)) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def command(self, *arguments: str) -> Ran:
        """Run a command of `data-platform` on this home."""
        return run_here(self.home, *arguments)

    def require_sound(self) -> None:
        """Nothing is locked or staged, and every published byte is right."""
        assert self.warehouse.locks() == []
        assert list(self.warehouse.staging_root.glob("*")) == []
        verified = self.command("verify")
        assert verified.code == 0, verified.out + verified.err

    def end(self) -> list[str]:
        """Ctrl-C, and whatever is left although it should not be."""
        family = [psutil.Process(self.up.pid), *psutil.Process(self.up.pid).children(recursive=True)]
        self.up.send_signal(signal.SIGINT)
        code = self.up.wait(PATIENCE)
        self._log.close()
        left = [f"process {process.pid}" for process in family if alive(process)]
        return left if code == 0 else [f"exit code {code}", *left]


def settled(what: str, condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until a condition holds."""
    assert eventually(condition, seconds), f"{what}, for {seconds:g} seconds"


@contextmanager
def serve() -> Iterator[Served]:
    """A home with a small demo, served until the block ends."""
    # pytest's own folders are too deep for the path of a Unix socket.
    with tempfile.TemporaryDirectory(prefix=f"dp-{uuid.uuid4().hex[:6]}-", dir="/tmp") as folder:
        settings = Settings(home=Path(folder) / "h")
        with open_records(settings) as records:
            load_demo(settings, records.databases, years=(2021, 2024), securities=20)
            served = Served(settings.home)
            try:
                settled("data-platform up is not there", served.is_whole)
                yield served
            finally:
                if served.up.poll() is None and served.end():
                    with suppress(ProcessLookupError):
                        os.killpg(served.up.pid, signal.SIGKILL)
