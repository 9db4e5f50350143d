"""One platform after another fault: many runs, servers and runs killed with kill -9, the database away."""

from __future__ import annotations

from contextlib import ExitStack

from data_platform_tests.orchestration.faults.away import hung, pass_time, stopped
from data_platform_tests.orchestration.faults.figures import grown, quiet, table
from data_platform_tests.orchestration.faults.gates import Gates, stuck
from data_platform_tests.orchestration.faults.scenes import (
    due_tick_works,
    kill_and_wait,
    kill_writers,
    lines,
    next_tick_works,
    next_writer_publishes,
)
from data_platform_tests.orchestration.faults.served import PATIENCE, Served, settled
from data_platform_tests.orchestration.faults.soak import TABLE, soak
from data_platform_tests.records.processes import alive, eventually

STAGES = {"crsp_daily": "extract", "crsp_delistings": "validate", "crsp_distributions": "publish"}


def test_small_runs_leave_nothing_behind(served: Served, torture: bool) -> None:
    done = served.command("sync", TABLE)
    assert done.code == 0, done.err
    # Pools of connections and of workers are filled by the first few.
    soak(served, 4)
    base = quiet(served)
    soak(served, 200 if torture else 10)
    now: dict[str, int] = {}

    def is_back() -> bool:
        nonlocal now
        now = quiet(served, now)
        return not grown(base, now)

    back = eventually(is_back, PATIENCE)
    print(table(base, now))  # noqa: T201 - a test shows what it has measured
    assert back, grown(base, now)


def test_killed_servers_come_back_and_runs_killed_in_each_stage_fail(served: Served, gates: Gates) -> None:
    """Everything below `up` but its head dies while runs are under way and a schedule is due; then the runs die."""
    with stuck(served, gates, STAGES) as runs:
        served.make_due(TABLE, 20)
        kill_and_wait(served, "daemon", "webserver", "code server", "proxy")
        # Nobody ended them. But nobody is their parent now, who would notice when they die.
        assert [served.status(run_id) for run_id in runs.values()] == ["STARTED"] * 3
        kill_writers(served, runs)
    for name in STAGES:
        next_writer_publishes(served, name, "2024", version=1)
    due_tick_works(served, TABLE, 1)
    served.require_sound()


def test_a_database_that_hangs_and_stops_in_the_middle_loses_nothing(
    served: Served, gates: Gates, torture: bool
) -> None:
    """It is away while a run has its file in place and no version of it yet; the run goes on and publishes."""
    seconds = 30 if torture else 5
    before = {role: process.pid for role, process in served.roles().items()}
    version = served.warehouse.manifests("crsp_daily").latest_number() + 1
    with ExitStack() as closed:
        (run_id,) = closed.enter_context(stuck(served, gates, {"crsp_daily": "publish"}, "2023")).values()
        writer = served.writer("crsp_daily")
        with hung(served.home):
            pass_time(seconds)
        with stopped(served.home):
            closed.close()
            settled(
                "the run does not publish", lambda: served.warehouse.manifests("crsp_daily").latest_number() == version
            )
            pass_time(seconds)
    settled("the UI is not back", served.is_whole)
    settled("the run's process has not ended", lambda: not alive(writer))
    settled("the run has not ended", lambda: served.status(run_id) in {"SUCCESS", "FAILURE"})
    next_tick_works(served, TABLE)
    assert {role: process.pid for role, process in served.roles().items()} == before
    said = f"2023: published version {version} with%"
    settled("the line of the version was lost", lambda: lines(served, "crsp_daily", said) == 1)
    assert list((served.home / "logs" / "sync").glob("*.jsonl")) == []
    served.require_sound()
