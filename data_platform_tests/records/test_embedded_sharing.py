"""Commands at the same time share one server; the last one stops it."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from data_platform.errors import DatabaseUnavailableError
from data_platform.records.embedded.layout import Layout, layout_of
from data_platform.records.embedded.lease import lease
from data_platform.records.embedded.server import is_answering
from data_platform.records.embedded.service import open_embedded
from data_platform_tests.folders import short_folder
from data_platform_tests.records.processes import holder, postmasters, server_processes, start_holder


def postmaster(layout: Layout) -> int:
    return int(layout.pid_file.read_text().splitlines()[0])


@pytest.fixture(scope="module")
def own_home() -> Iterator[Path]:
    """A home whose server is not running at the begin of a test, nor at its end."""
    folder = short_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_two_processes_share_one_server_and_the_last_one_stops_it(own_home: Path) -> None:
    layout = layout_of(own_home)
    with holder(own_home) as first:
        pid = postmaster(layout)
        with holder(own_home) as second:
            assert postmaster(layout) == pid
            first.communicate("done\n", timeout=60)
            assert is_answering(layout)
            assert postmaster(layout) == pid
            assert second.poll() is None
    assert not is_answering(layout)
    assert server_processes(layout.data) == []


def test_six_first_commands_at_once_agree_on_one_server(home: Path) -> None:
    layout = layout_of(home)
    with ExitStack() as stack:
        processes = [stack.enter_context(start_holder(home)) for _ in range(6)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        assert [each.pid for each in postmasters(layout.data)] == [postmaster(layout)]
        for process in processes:
            process.communicate("done\n", timeout=60)
    assert [process.returncode for process in processes] == [0] * 6
    assert server_processes(layout.data) == []


def test_the_server_of_a_killed_command_is_used_and_stopped_by_the_next(own_home: Path) -> None:
    layout = layout_of(own_home)
    with holder(own_home) as killed:
        pid = postmaster(layout)
        killed.kill()
        # Its output ends with it: the server holds no pipe of ours open.
        killed.communicate(timeout=10)
        assert is_answering(layout)
    with open_embedded(own_home):
        assert postmaster(layout) == pid
    assert server_processes(layout.data) == []


def test_ctrl_c_ends_one_command_and_leaves_the_server_to_the_other(own_home: Path) -> None:
    layout = layout_of(own_home)
    with holder(own_home) as interrupted, holder(own_home) as other:
        os.killpg(interrupted.pid, signal.SIGINT)
        interrupted.communicate(timeout=60)
        assert is_answering(layout)
        assert other.poll() is None
    assert server_processes(layout.data) == []


def test_a_command_whose_output_is_captured_ends_without_waiting_for_the_server(own_home: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from data_platform.records.embedded.service import open_embedded\n"
        "with open_embedded(Path(sys.argv[1])): print('done', flush=True); os._exit(0)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program, str(own_home)], capture_output=True, text=True, timeout=30, check=True
    )
    assert finished.stdout == "done\n"
    with open_embedded(own_home):
        pass
    assert server_processes(layout_of(own_home).data) == []


class Counter:
    """Something to start and stop, without a server."""

    def __init__(self) -> None:
        self.running = False
        self.starts = 0

    def start(self) -> None:
        self.starts += not self.running
        self.running = True

    def stop(self) -> None:
        self.running = False


def test_leases_of_one_process_nest_and_overlap(tmp_path: Path) -> None:
    thing, guard, users = Counter(), tmp_path / "guard", tmp_path / "users"
    with lease(guard, users, thing.start, thing.stop):
        with lease(guard, users, thing.start, thing.stop):
            assert thing.running
        assert thing.running
    assert (thing.running, thing.starts) == (False, 1)


def test_threads_that_come_and_go_never_find_it_stopped(tmp_path: Path) -> None:
    thing, guard, users = Counter(), tmp_path / "guard", tmp_path / "users"
    seen: list[bool] = []

    def visit() -> None:
        for _ in range(15):
            with lease(guard, users, thing.start, thing.stop):
                seen.append(thing.running)

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 60
    assert not thing.running


def test_a_start_that_fails_is_undone_and_leaves_no_lock(tmp_path: Path) -> None:
    thing, guard, users = Counter(), tmp_path / "guard", tmp_path / "users"

    def fail() -> None:
        thing.start()
        raise DatabaseUnavailableError("no")

    with pytest.raises(DatabaseUnavailableError), lease(guard, users, fail, thing.stop):
        pass
    assert not thing.running
    with users.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_stop_that_fails_does_not_undo_the_callers_work(tmp_path: Path) -> None:
    def fail() -> None:
        raise DatabaseUnavailableError("does not stop")

    with lease(tmp_path / "guard", tmp_path / "users", lambda: None, fail):
        done = True
    assert done


def test_a_forked_child_neither_keeps_nor_ends_the_lease(tmp_path: Path) -> None:
    thing, guard, users = Counter(), tmp_path / "guard", tmp_path / "users"
    fork = multiprocessing.get_context("fork")
    up, go = fork.Event(), fork.Event()

    def linger() -> None:
        up.set()
        go.wait(20)

    with lease(guard, users, thing.start, thing.stop):
        child = fork.Process(target=linger)
        child.start()
        assert up.wait(10)
    try:
        assert not thing.running
        with users.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert child.is_alive()
    finally:
        go.set()
        child.join(10)
    assert child.exitcode == 0
