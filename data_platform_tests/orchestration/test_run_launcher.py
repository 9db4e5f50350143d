"""Whether the process of a run still lives, told by its id and the moment in which it was seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus

from data_platform.orchestration.dead_runs import PROCESS_TAG, is_gone, this_process
from data_platform.orchestration.run_launcher import WatchedRunLauncher, is_alive

NOW = 1_800_000_000
_LAUNCHER = {"module": "data_platform.orchestration.run_launcher", "class": "WatchedRunLauncher"}


@dg.job
def empty_job() -> None:
    """Nothing."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides={"run_launcher": _LAUNCHER}) as instance:
        yield instance


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def health(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    assert launcher.supports_check_run_worker_health
    return launcher.check_run_worker_health(run).status


def test_a_run_lives_as_long_as_the_process_that_began_with_it(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes]
) -> None:
    run = instance.create_run_for_job(empty_job)
    assert health(instance, run) is WorkerStatus.RUNNING, "nobody has begun with it"
    instance.report_engine_event("A word without a process.", run)
    instance.report_engine_event("Started process.", run, EngineEventData.in_process(child.pid))
    assert health(instance, run) is WorkerStatus.RUNNING
    child.kill()
    child.wait(60)
    assert health(instance, run) is WorkerStatus.NOT_FOUND


def test_a_run_of_a_command_lives_as_long_as_the_command(instance: dg.DagsterInstance) -> None:
    mine = this_process()
    boot, pid, started, *rest = mine.split(":")
    living = instance.create_run_for_job(empty_job, tags={PROCESS_TAG: mine})
    dead = instance.create_run_for_job(
        empty_job, tags={PROCESS_TAG: ":".join([boot, pid, str(int(started) - 1), *rest])}
    )
    assert health(instance, living) is WorkerStatus.RUNNING
    assert health(instance, dead) is WorkerStatus.NOT_FOUND


def test_the_identity_of_a_process_does_not_change_when_the_clock_is_set() -> None:
    """Its start is counted from the boot; the clock's time of the boot moves with every correction."""
    since_boot = int(this_process().split(":")[2]) / os.sysconf("SC_CLK_TCK")
    assert 0 < since_boot <= time.clock_gettime(time.CLOCK_BOOTTIME)
    assert not is_gone(this_process())


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({}, False),
        ({"started": "1"}, True),
        ({"started": "1", "host": "renamed"}, True),
        ({"boot": "another"}, True),
        ({"boot": "another", "host": "another"}, False),
        ({"container": "1"}, True),
        ({"container": "1", "host": "another"}, False),
        ({"boot": "another", "host": "another", "begun": str(NOW - 86_400)}, False),
        ({"boot": "another", "host": "another", "begun": str(NOW - 3 * 86_400)}, True),
        ({"boot": "another", "host": "another", "begun": ""}, True),
    ],
)
def test_only_a_process_that_can_be_looked_at_is_called_dead_at_once(changes: dict[str, str], gone: bool) -> None:
    names = ("boot", "pid", "started", "host", "container", "begun")
    mine = dict(zip(names, this_process().split(":"), strict=True))
    assert is_gone(":".join({**mine, "begun": str(NOW), **changes}.values()), NOW) is gone


def test_a_process_of_an_older_form_is_judged_by_its_boot() -> None:
    boot, pid, started, *_ = this_process().split(":")
    assert not is_gone(f"{boot}:{pid}:{started}")
    assert is_gone(f"{boot}:{pid}:1")
    assert is_gone(f"another:{pid}:{started}")


def test_a_later_process_with_the_same_id_is_another() -> None:
    begun = psutil.Process().create_time()
    assert is_alive(os.getpid(), time.time())
    assert is_alive(os.getpid(), begun)
    assert not is_alive(os.getpid(), begun - 60)
    # The clock was set forward by an hour after that: the process looks an hour younger, and is the same.
    assert is_alive(os.getpid(), begun - 3600, set_forward=3600)
    assert not is_alive(os.getpid(), begun - 3660, set_forward=3600)


def test_a_process_that_has_ended_and_waits_for_its_parent_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    assert not is_alive(process.pid, time.time())
    boot, *_ = this_process().split(":")
    started = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    assert is_gone(f"{boot}:{process.pid}:{started}")
    process.wait()
