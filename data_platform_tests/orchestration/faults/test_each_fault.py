"""Each process on its own, each stage on its own, and the database away in other moments; at length only."""

from __future__ import annotations

import datetime as dt
import socket

import pytest

from data_platform_tests.orchestration.faults.away import hung, pass_time, stopped
from data_platform_tests.orchestration.faults.gates import Gates, stuck
from data_platform_tests.orchestration.faults.scenes import (
    due_tick_works,
    kill_and_wait,
    kill_writers,
    next_tick_works,
    next_writer_publishes,
)
from data_platform_tests.orchestration.faults.served import ROLES, Served, serve, settled
from data_platform_tests.records.processes import alive

SCHEDULED = "crsp_names"


@pytest.fixture(scope="module", autouse=True)
def _only_at_length(pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("torture"):
        pytest.skip("with --torture")


@pytest.mark.parametrize("role", [role for role in ROLES if role != "head"])
def test_a_run_goes_on_while_a_server_is_killed(served: Served, gates: Gates, role: str) -> None:
    with stuck(served, gates, {"crsp_daily": "extract"}) as runs:
        writer = served.writer("crsp_daily")
        kill_and_wait(served, role)
        assert alive(writer)
    settled("the run does not succeed", lambda: served.status(runs["crsp_daily"]) == "SUCCESS")
    next_tick_works(served, SCHEDULED)
    served.require_sound()


def test_when_the_head_is_killed_everything_begins_anew_and_runs_end(served: Served, gates: Gates) -> None:
    with stuck(served, gates, {"crsp_daily": "extract"}) as runs:
        writer = served.writer("crsp_daily")
        kill_and_wait(served, "head", *(role for role in ROLES if role != "head"))
        settled("the run's process outlives its group", lambda: not alive(writer))
        settled("the run has not failed", lambda: served.status(runs["crsp_daily"]) == "FAILURE")
    next_tick_works(served, SCHEDULED)
    served.require_sound()


def test_when_only_the_head_is_killed_its_orphans_are_ended(served: Served) -> None:
    orphans = served.roles()
    served.kill("head")
    settled("it does not come back", lambda: served.is_whole() and served.roles()["head"].pid != orphans["head"].pid)
    assert [role for role in ROLES if alive(orphans[role])] == []
    next_tick_works(served, SCHEDULED)


def test_when_up_itself_is_killed_everything_ends_and_the_home_can_be_served_again() -> None:
    with serve() as served:
        family = served.roles()
        served.kill("up")
        settled("something outlives it", lambda: not any(alive(process) for process in family.values()))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", served.port))
        assert served.command("status").code == 0


@pytest.mark.parametrize(
    ("table", "stage", "partition"),
    # Each in a year that is not published yet: the same rows again make no file that publishing could wait with.
    [("crsp_daily", "extract", "2021"), ("crsp_daily", "validate", "2022"), ("crsp_daily", "publish", "2023")],
)
def test_a_run_killed_in_a_stage_is_reported(
    served: Served, gates: Gates, table: str, stage: str, partition: str
) -> None:
    before = served.warehouse.manifests(table).latest_number()
    with stuck(served, gates, {table: stage}, partition) as runs:
        kill_writers(served, runs)
    published = next((True for file in _files(served, table) if file == partition), False)
    next_writer_publishes(served, table, partition, version=before + (not published))
    served.require_sound()


@pytest.mark.parametrize("stage", ["extract", "validate"])
def test_a_run_whose_database_stops_ends_and_the_next_publishes(served: Served, gates: Gates, stage: str) -> None:
    with stuck(served, gates, {"crsp_delistings": stage}) as runs, stopped(served.home):
        pass_time(30)
    settled("the UI is not back", served.is_whole)
    settled("the run has not ended", lambda: served.status(runs["crsp_delistings"]) in {"SUCCESS", "FAILURE"})
    done = served.command("sync", "crsp_delistings", "--full")
    assert done.code == 0, done.err
    next_tick_works(served, SCHEDULED)
    served.require_sound()


def test_a_tick_that_is_due_while_the_database_hangs_runs_once(served: Served) -> None:
    # Later than every tick so far.
    next_tick_works(served, SCHEDULED)
    before = len(served.scheduled(SCHEDULED))
    settled("the minute does not pass", lambda: _minute() not in served.scheduled(SCHEDULED)[-1][0])
    served.make_due(SCHEDULED, 0)
    with hung(served.home):
        pass_time(30)
    due_tick_works(served, SCHEDULED, before + 1)


def _minute() -> str:
    return dt.datetime.now(dt.UTC).replace(second=0, microsecond=0).isoformat()


def _files(served: Served, table: str) -> list[str]:
    latest = served.warehouse.manifests(table).latest()
    return [file.partition for file in latest.files] if latest else []
