"""A governed webserver in this process with its code server, users of every role, and requests in their names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_graphql.schema import create_schema
from graphql import GraphQLSchema, GraphQLUnionType, get_named_type

from data_platform.governance.permissions import Role
from data_platform.orchestration.instance import open_instance
from data_platform.orchestration.webserver.context import GovernedProcessContext
from data_platform.orchestration.webserver.server import build_app
from data_platform.records import platform_audit, tokens, users
from data_platform.records.connection import Records, open_records
from data_platform.records.platform_audit import AuditEntry
from data_platform.records.scope import Scope
from data_platform.settings import Settings

with warnings.catch_warnings():
    # Starlette would rather have a successor of httpx, which is not among our dependencies.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", UserWarning)
    from starlette.testclient import TestClient

HERE = Path(__file__).parent
SYSTEM = Scope.system("test")
LOCATION = "data_platform"
REPOSITORY = "__repository__"
TABLES = {"compustat": "compustat_annual", "crsp": "crsp_daily", "fama_french": "ff_factors_daily"}
"""A table of each dataset of the catalog."""

PEOPLE = {
    "viewer": Role.VIEWER,
    "analyst": Role.ANALYST,
    "operator": Role.OPERATOR,
    "operator_without_crsp": Role.OPERATOR,
    "admin": Role.ADMIN,
}
SCHEMA: GraphQLSchema = create_schema().graphql_schema


@dataclass
class World:
    """The webserver of one home, in token mode, and its users' tokens."""

    settings: Settings
    records: Records
    instance: dg.DagsterInstance
    process: GovernedProcessContext
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, person: str | None, settings: Settings | None = None, **headers: str) -> TestClient:
        """What asks in somebody's name; settings other than the world's make another server of the same home."""
        app = build_app(self.process, settings or self.settings, self.records)
        given = {"authorization": f"Bearer {self.tokens[person]}"} if person else {}
        return TestClient(app, base_url="http://testserver", headers={**given, **headers}, follow_redirects=False)

    @cached_property
    def clients(self) -> dict[str, TestClient]:
        """One for each person."""
        return {person: self.client(person) for person in PEOPLE}

    def mutate(self, person: str, mutation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Ask for a mutation in somebody's name: GraphQL's answer, whole."""
        asked = self.clients[person].post(
            "/graphql", json={"query": document(mutation, arguments), "variables": arguments}
        )
        return asked.json()

    def query(self, person: str, text: str, **variables: object) -> Any:  # noqa: ANN401 - GraphQL's answer
        answer = self.clients[person].post("/graphql", json={"query": text, "variables": variables}).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def launch(self, person: str, table: str, partition: str | None = "2024", **said: str) -> dict[str, Any]:
        """Launch a run of a table's partition: the mutation's result."""
        answer = self.mutate(person, "launchRun", {"executionParams": execution(table, partition, **said)})
        return answer["data"]["launchRun"]

    def audit(self, action: str) -> list[AuditEntry]:
        with self.records.transaction(SYSTEM) as connection:
            return platform_audit.recent(connection, action=action)

    def forget_limits(self) -> None:
        """Let the next manual sync begin at once."""
        with self.records.transaction(SYSTEM) as connection:
            connection.execute("UPDATE platform.rate_limits SET hits = '{}'")

    def forget_runs(self) -> None:
        """End everything that is in the queue, and every backfill."""
        for run in self.instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])):
            self.instance.report_run_canceled(run)
        under_way = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
        for backfill in self.instance.get_backfills(filters=under_way):
            self.instance.update_backfill(backfill.with_status(type(backfill.status)["CANCELED"]))
        self.forget_limits()

    def user_of(self, run_id: str) -> str | None:
        run = self.instance.get_run_by_id(run_id)
        return run.tags.get("data_platform/user") if run else None


def execution(table: str, partition: str | None = "2024", reason: str | None = None, **tags: str) -> dict[str, Any]:
    """The parameters that the Launchpad sends for a table's asset."""
    named = {**tags, **({"dagster/partition": partition} if partition else {})}
    return {
        "selector": {
            "repositoryName": REPOSITORY,
            "repositoryLocationName": LOCATION,
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": [table]}],
        },
        "mode": "default",
        "runConfigData": {"ops": {f"sync_{table}": {"config": {"reason": reason}}}} if reason else {},
        "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in named.items()]},
    }


def document(mutation: str, arguments: dict[str, Any]) -> str:
    """The text that asks for a mutation, made from the schema, and for whatever error it may answer with."""
    target = SCHEMA.mutation_type
    assert target is not None
    definition = target.fields[mutation]
    answers = get_named_type(definition.type)
    selection = ""
    if isinstance(answers, GraphQLUnionType):
        selection = "{ __typename " + " ".join(_selected(each.name, each.fields) for each in answers.types) + " }"
    declared = ", ".join(f"${name}: {definition.args[name].type}" for name in arguments)
    given = ", ".join(f"{name}: ${name}" for name in arguments)
    head = f"mutation M({declared})" if declared else "mutation M"
    return f"{head} {{ {mutation}{f'({given})' if given else ''} {selection} }}"


def _selected(name: str, fields: Any) -> str:  # noqa: ANN401 - graphql-core's fields
    nested = {
        "LaunchMultipleRunsResult": "launchMultipleRunsResult { __typename ... on UnauthorizedError { message } "
        "... on PythonError { message } }",
        "TerminateRunsResult": "terminateRunResults { __typename ... on TerminateRunFailure { message } }",
        "LaunchRunSuccess": "run { runId status tags { key value } }",
        "LaunchBackfillSuccess": "backfillId",
    }
    if name in nested:
        return f"... on {name} {{ {nested[name]} }}"
    return f"... on {name} {{ message }}" if "message" in fields else ""


@contextmanager
def open_world(home: Path) -> Iterator[World]:
    settings = Settings(home=home, identity="token")
    workspace = home.parent / "workspace.yaml"
    workspace.write_text(
        yaml.safe_dump(
            {
                "load_from": [
                    {
                        "python_file": {
                            "relative_path": str(HERE / "definitions.py"),
                            "location_name": LOCATION,
                            "working_directory": str(HERE),
                        }
                    }
                ]
            }
        )
    )
    os.environ["DATA_PLATFORM_HOME"] = str(home)
    with (
        open_records(settings) as records,
        open_instance(settings, records.databases) as instance,
        GovernedProcessContext(
            records=records, instance=instance, workspace_load_target=WorkspaceFileTarget([str(workspace)])
        ) as process,
    ):
        world = World(settings, records, instance, process)
        with records.transaction(SYSTEM) as connection:
            for person, role in PEOPLE.items():
                users.add(connection, person, role.value)
                world.tokens[person] = tokens.create(connection, person).secret
            users.revoke(connection, "operator_without_crsp", "dataset:crsp")
        yield world
