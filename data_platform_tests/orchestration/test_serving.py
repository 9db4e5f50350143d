"""`data-platform up`: the UI answers, a real backfill runs through the daemon, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from data_platform_tests.cli.conftest import COMMAND, environment, run
from data_platform_tests.ports import free_port
from data_platform_tests.records.processes import alive

_LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_FOLLOW = """
query Follow($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status error { message } } }
}
"""
_ASSET = """
query Asset {
  assetNodeOrError(assetKey: {path: ["crsp_daily"]}) {
    ... on AssetNode {
      partitionStats { numMaterialized numPartitions }
      assetMaterializations(limit: 1) { partition metadataEntries { label } }
      assetChecksOrError { ... on AssetChecks { checks { name blocking } } }
    }
  }
}
"""
_CHECK = """
query Check($name: String!) {
  assetCheckExecutions(assetKey: {path: ["crsp_daily"]}, checkName: $name, limit: 50) {
    status
    evaluation { success partition }
  }
}
"""


class Dagster:
    """The UI's own way to ask: GraphQL."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)

    def ask(self, query: str, **variables: object) -> Any:  # noqa: ANN401 - GraphQL's answer
        answer = self._client.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def ready(self) -> bool:
        try:
            return self._client.get("/server_info").status_code == 200
        except httpx.HTTPError:
            return False


def _until(condition: Any, seconds: float, what: str) -> None:  # noqa: ANN401 - any call without arguments
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


@pytest.fixture
def served(demo_copy: Path) -> Iterator[tuple[subprocess.Popen[bytes], Dagster, Path]]:
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "up", "--port", str(port)],
        env=environment(demo_copy),
        cwd=demo_copy.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    dagster = Dagster(port)
    _until(dagster.ready, 180, "the UI never answered")
    yield process, dagster, demo_copy
    if process.poll() is None:
        process.kill()


def test_a_backfill_of_all_years_from_the_ui_and_a_clean_end(
    served: tuple[subprocess.Popen[bytes], Dagster, Path],
) -> None:
    process, dagster, home = served
    years = ["2020", "2021", "2022", "2023", "2024"]
    launched = dagster.ask(
        _LAUNCH, params={"assetSelection": [{"path": ["crsp_daily"]}], "partitionNames": years, "title": "all years"}
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def status() -> str:
        return str(dagster.ask(_FOLLOW, id=launched["backfillId"])["partitionBackfillOrError"]["status"])

    _until(lambda: status() not in {"REQUESTED", "CANCELING"}, 300, "the backfill never ended")
    assert status() == "COMPLETED_SUCCESS"
    node = dagster.ask(_ASSET)["assetNodeOrError"]
    assert node["partitionStats"] == {"numMaterialized": 5, "numPartitions": 5}
    labels = {entry["label"] for entry in node["assetMaterializations"][0]["metadataEntries"]}
    assert {
        "dagster/row_count",
        "dagster/partition_row_count",
        "dagster/uri",
        "dagster/column_schema",
        "version",
        "checksum",
        "anomalies",
        "source_fingerprint",
        "extract_seconds",
        "rows_per_second",
        "bytes",
    } <= labels
    for check in node["assetChecksOrError"]["checks"]:
        executions = dagster.ask(_CHECK, name=check["name"])["assetCheckExecutions"]
        evaluated = {e["evaluation"]["partition"] for e in executions if e["evaluation"] and e["evaluation"]["success"]}
        assert evaluated == set(years), check
        assert check["blocking"]
    versions = run(home, "versions", "crsp_daily", "--json").json
    assert [version["manifest_version"] for version in versions] == [1, 2, 3, 4, 5]

    second = run(home, "up", "--port", str(free_port()))
    assert (second.code, "served already" in second.err, "Traceback" in second.err) == (2, True, False)

    ours = _family(process)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    assert [each for each in ours if alive(each)] == []
    assert _mentioning(home) == []


def test_a_taken_port_is_one_clear_error(demo_copy: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = run(demo_copy, "up", "--port", str(taken.getsockname()[1]))
    assert (ran.code, "is in use" in ran.err, "Traceback" in ran.err) == (2, True, False)


def test_the_ui_is_not_served_beyond_this_machine_to_people_nobody_knows(demo_copy: Path) -> None:
    ran = run(demo_copy, "up", "--host", "0.0.0.0", "--port", str(free_port()))  # noqa: S104 - it is refused
    assert (ran.code, "DATA_PLATFORM_IDENTITY" in ran.err, "Traceback" in ran.err) == (2, True, False)
    assert "Starting" not in ran.out + ran.err
    secretless = run(demo_copy, "up", "--port", str(free_port()), DATA_PLATFORM_IDENTITY="proxy")
    assert (secretless.code, "DATA_PLATFORM_PROXY_SECRET" in secretless.err) == (2, True)


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def _mentioning(home: Path) -> list[list[str]]:
    return [
        process.info["cmdline"]
        for process in psutil.process_iter(["cmdline", "status"])
        if str(home) in " ".join(process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]
