"""One served Dagster, asked as its UI asks: GraphQL over one kept-alive connection, in somebody's name or nobody's.

Moments are those that Dagster stored with its events, on this machine's clock, so that no figure depends on how often
we look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

LOCATION: Final = "data_platform"
REPOSITORY: Final = "__repository__"
REASON: Final = "measuring how long it takes"

_LOOK_SECONDS: Final = 0.2
_PATIENCE_SECONDS: Final = 600.0

_LAUNCH: Final = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
_BACKFILL: Final = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""
_STATUS: Final = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_EVENTS: Final = """
query Events($id: ID!) {
  runOrError(runId: $id) {
    ... on Run { status eventConnection { events { ... on MessageEvent { eventType timestamp } } } }
  }
}
"""
_RUNS_OF: Final = """
query Runs($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status }
  }
  runsOrError(filter: {tags: [{key: "dagster/backfill", value: $id}]}) { ... on Runs { results { runId status } } }
}
"""
_LOADED: Final = """
query Loaded { repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }
"""
_POOL: Final = """
mutation Pool($key: String!) { setConcurrencyLimit(concurrencyKey: $key, limit: 1) }
"""
_HEARTBEAT: Final = """
query Heartbeat($kind: String) {
  instance { daemonHealth { daemonStatus(daemonType: $kind) { lastHeartbeatTime } } }
}
"""


@dataclass(frozen=True, slots=True)
class RunTimes:
    """A run that succeeded: Unix seconds at which it was queued, taken out of the queue, and ended."""

    queued: float
    dequeued: float
    ended: float

    @property
    def running(self) -> float:
        """Seconds from the moment the daemon started its process to its success, imports included."""
        return self.ended - self.dequeued


class Side:
    """Asks one of the two servers."""

    def __init__(self, name: str, port: int, token: str | None) -> None:
        self.name = name
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=300)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(self, query: str, **variables: object) -> Any:  # noqa: ANN401 - GraphQL's answer
        """Return what GraphQL answers.

        Raises:
            RuntimeError: with its own words when it refuses.
        """
        answer = self._client.post("/graphql", json={"query": query, "variables": variables}).json()
        if "errors" in answer:
            raise RuntimeError(f"{self.name}: {answer['errors']}")
        return answer["data"]

    def timed(self, query: str) -> float:
        """Seconds of one request and its answer, which is the same every time and must be one."""
        body = {"query": query}
        began = time.perf_counter()
        answer = self._client.post("/graphql", json=body)
        took = time.perf_counter() - began
        if answer.status_code != httpx.codes.OK or "errors" in answer.json():
            raise RuntimeError(f"{self.name}: {answer.status_code}")
        return took

    def ready(self) -> bool:
        """Whether the server answers and its code server has loaded the definitions."""
        try:
            found = self.ask(_LOADED)["repositoriesOrError"].get("nodes")
        except (httpx.HTTPError, ValueError):
            return False
        return bool(found)

    def limit_pool(self, pool: str) -> None:
        """Let one run of a pool run at a time, as `data-platform up` sees to by itself."""
        self.ask(_POOL, key=pool)

    def launch(self, asset: str, partition: str) -> str:
        """Launch a run of one partition of an asset: its id."""
        params = {
            "selector": {
                "repositoryName": REPOSITORY,
                "repositoryLocationName": LOCATION,
                "jobName": "__ASSET_JOB",
                "assetSelection": [{"path": [asset]}],
            },
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {
                "tags": [
                    {"key": "dagster/partition", "value": partition},
                    {"key": "data_platform/reason", "value": REASON},
                ]
            },
        }
        answer = self.ask(_LAUNCH, params=params)["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            raise RuntimeError(f"{self.name}: {answer}")
        return str(answer["run"]["runId"])

    def follow(self, run_id: str) -> RunTimes:
        """Wait for a run to succeed."""

        def status() -> str:
            return str(self.ask(_STATUS, id=run_id)["runOrError"]["status"])

        until(lambda: status() in {"SUCCESS", "FAILURE", "CANCELED"}, f"{self.name}: run {run_id} did not end")
        return self.times(run_id)

    def times(self, run_id: str) -> RunTimes:
        """The moments of a run that has ended.

        Raises:
            RuntimeError: when it did not succeed.
        """
        run = self.ask(_EVENTS, id=run_id)["runOrError"]
        if run["status"] != "SUCCESS":
            raise RuntimeError(f"{self.name}: run {run_id} ended as {run['status']}")
        moments = {event["eventType"]: float(event["timestamp"]) / 1000 for event in run["eventConnection"]["events"]}
        return RunTimes(moments["RUN_ENQUEUED"], moments["RUN_STARTING"], moments["RUN_SUCCESS"])

    def backfill(self, asset: str, partitions: Sequence[str]) -> str:
        """Launch a backfill of an asset: its id."""
        params = {"assetSelection": [{"path": [asset]}], "partitionNames": list(partitions), "title": REASON}
        answer = self.ask(_BACKFILL, params=params)["launchPartitionBackfill"]
        if answer["__typename"] != "LaunchBackfillSuccess":
            raise RuntimeError(f"{self.name}: {answer}")
        return str(answer["backfillId"])

    def follow_backfill(self, backfill_id: str, runs: int) -> list[RunTimes]:
        """Wait until all runs of a backfill have succeeded, which it notices itself at its next tick."""

        def ended() -> bool:
            found = self.ask(_RUNS_OF, id=backfill_id)["runsOrError"]["results"]
            return len(found) == runs and all(run["status"] in {"SUCCESS", "FAILURE", "CANCELED"} for run in found)

        until(ended, f"{self.name}: backfill {backfill_id} did not end")
        found = self.ask(_RUNS_OF, id=backfill_id)["runsOrError"]["results"]
        return [self.times(run["runId"]) for run in found]

    def settle(self, backfill_id: str) -> None:
        """Wait until a backfill has noticed its end: until then another one of the same partitions is refused."""

        def status() -> str:
            return str(self.ask(_RUNS_OF, id=backfill_id)["partitionBackfillOrError"]["status"])

        until(lambda: status() == "COMPLETED_SUCCESS", f"{self.name}: backfill {backfill_id} did not complete")

    def last_tick(self, daemon: str) -> float | None:
        """When one of the daemon's loops last gave a sign of life, in Unix seconds."""
        status = self.ask(_HEARTBEAT, kind=daemon)["instance"]["daemonHealth"]["daemonStatus"]
        return status["lastHeartbeatTime"]


def until(condition: Callable[[], bool], otherwise: str, seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: when it does not in time; `otherwise` is its message.
    """

    def late(_: object) -> None:
        raise TimeoutError(otherwise)

    Retrying(
        retry=retry_if_result(lambda holds: not holds),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(_LOOK_SECONDS),
        retry_error_callback=late,
    )(condition)
