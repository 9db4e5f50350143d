"""The clock, the memory limits, and that nothing is left behind: no process, no zombie, no descriptor."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

from data_platform.errors import PlatformError, QueryTimeoutError
from data_platform.governance.engine.answers import converse
from data_platform.governance.engine.engine import QueryEngine
from data_platform.governance.engine.frames import Frame, send_frame
from data_platform.governance.engine.launcher import Worker, WorkerLauncher
from data_platform.governance.engine.limits import MIB, EngineLimits, soft_timeout
from data_platform.governance.engine.outcomes import timed_out
from data_platform.governance.engine.task import QueryTask
from data_platform.settings import PROJECT_ROOT
from data_platform_tests.governance.conftest import Ask
from data_platform_tests.records.processes import eventually

NEVER_ENDS = "SELECT count(*) FROM range(1000000) a, range(1000000) b"


@pytest.fixture
def own_engine() -> Iterator[QueryEngine]:
    engine = QueryEngine(EngineLimits(memory_bytes=256 * MIB, address_space_bytes=1600 * MIB), concurrent=1)
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.999992, "limit of 1 second."), (29.98, "limit of 30 seconds."), (0.25, "of 0.2 seconds.")]
)
def test_the_limit_is_told_as_people_gave_it(seconds: float, said: str) -> None:
    assert timed_out(QueryTask("", "crsp", {}, 0, 0, seconds, EngineLimits())).message.endswith(said)


def run(engine: QueryEngine, sql: str, timeout_seconds: float = 20.0) -> int:
    return engine.run(sql, {}, dataset="crsp", timeout_seconds=timeout_seconds, page=1, page_size=10).rows_counted


def arrow_stream(rows: int) -> bytes:
    table = pa.table({"a": list(range(rows))})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def descendants() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def server_of(engine: QueryEngine, before: set[int]) -> psutil.Process:
    run(engine, "SELECT 1")
    [server] = [process for process in psutil.Process().children() if process.pid not in before]
    # Whose worker ends while the answer is on its way.
    assert eventually(lambda: server.children() == [])
    return server


@pytest.mark.parametrize(("timeout", "soft"), [(30.0, 28.0), (20.0, 18.0), (5.0, 4.5), (1.0, 0.9)])
def test_the_engine_is_asked_to_stop_before_it_is_killed(timeout: float, soft: float) -> None:
    assert soft_timeout(timeout) == pytest.approx(soft)


def test_a_query_without_end_is_stopped_on_time_and_its_process_is_gone(own_engine: QueryEngine) -> None:
    server = server_of(own_engine, {process.pid for process in psutil.Process().children()})
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError, match="stopped at its limit of 2 seconds") as caught:
        run(own_engine, NEVER_ENDS, timeout_seconds=2.0)
    # Half a second after its limit, and what a machine that is busy with other things makes of that.
    assert time.monotonic() - started < 20
    assert "Filter by date, select fewer columns" in str(caught.value)
    assert server.children() == []
    assert run(own_engine, "SELECT 1") == 1


def test_a_worker_that_does_not_listen_is_killed_by_the_parent() -> None:
    """A worker that has been stopped answers neither to the interrupt nor to anything else."""
    engine = QueryEngine()
    server = server_of(engine, {process.pid for process in psutil.Process().children()})
    stopped: list[int] = []

    def stop_it() -> None:
        while not (workers := server.children()):
            time.sleep(0.01)
        workers[0].suspend()
        stopped.append(workers[0].pid)

    thread = threading.Thread(target=stop_it)
    thread.start()
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        run(engine, NEVER_ENDS, timeout_seconds=2.0)
    thread.join()
    assert 1.9 < time.monotonic() - started < 20
    assert not psutil.pid_exists(stopped[0])
    engine.close()
    assert not server.is_running()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT list(range) FROM range(2000000000)",
        "SELECT string_agg(repeat('x', 1000) || range::VARCHAR, '') FROM range(100000000)",
        "SELECT count(*) FROM (SELECT DISTINCT hash(a.range, b.range) FROM range(100000) a, range(100000) b)",
        "SELECT length(repeat('x', 3000000000))",
    ],
)
def test_a_query_that_eats_memory_ends_cleanly_and_the_next_one_works(own_engine: QueryEngine, sql: str) -> None:
    with pytest.raises(PlatformError, match=r"needed more memory"):
        run(own_engine, sql)
    assert run(own_engine, "SELECT 1") == 1


def test_the_kernel_stops_what_the_engine_does_not_count(tmp_path: Path) -> None:
    """In a worker's place: more address space than allowed, a byte into a file."""
    program = f"""
import sys; sys.path.insert(0, {str(PROJECT_ROOT)!r})
from data_platform.governance.engine.limits import EngineLimits, confine_process
confine_process(EngineLimits(address_space_bytes=1 << 30), 5.0)
try:
    bytearray(1 << 30)
except MemoryError:
    print("no memory")
try:
    with open({str(tmp_path / "out")!r}, "wb", buffering=0) as file:
        file.write(b"x")
except OSError as error:
    print(error.strerror)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert ended.stdout.splitlines() == ["no memory", "File too large"]


def test_a_worker_that_crashes_is_a_clear_error(own_engine: QueryEngine) -> None:
    server = server_of(own_engine, {process.pid for process in psutil.Process().children()})

    def crash_it() -> None:
        while not (workers := server.children()):
            time.sleep(0.01)
        workers[0].send_signal(11)

    thread = threading.Thread(target=crash_it)
    thread.start()
    with pytest.raises(PlatformError, match="broke the process that ran it"):
        run(own_engine, NEVER_ENDS, timeout_seconds=10.0)
    thread.join()
    assert run(own_engine, "SELECT 1") == 1


def test_a_fork_server_that_died_is_replaced(own_engine: QueryEngine) -> None:
    before = {process.pid for process in psutil.Process().children()}
    server = server_of(own_engine, before)
    server.kill()
    server.wait(10)
    assert run(own_engine, "SELECT 1") == 1


def test_workers_know_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_PLATFORM_TOKEN", "hunter2")
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    launcher = WorkerLauncher()
    before = {process.pid for process in psutil.Process().children()}
    worker = launcher.launch()
    try:
        [server] = [process for process in psutil.Process().children() if process.pid not in before]
        for process in (server, psutil.Process(worker.process_id)):
            environment = process.environ()
            assert "hunter2" not in str(environment) + str(process.cmdline())
            assert "HOME" not in environment
            assert process.cwd() == "/"
            assert process.num_threads() == 1
            assert not [c for c in process.net_connections() if c.status != psutil.CONN_NONE]
    finally:
        launcher.end(worker)
        launcher.close()


def test_what_a_broken_worker_says_is_not_believed() -> None:
    task = QueryTask("SELECT 1", "crsp", {}, 0, 10, 5.0, EngineLimits())
    said: list[tuple[Frame, bytes]] = [
        (Frame.DONE, b"not json"),
        (Frame.DONE, b"{}"),
        (Frame.ARROW, b"not arrow"),
        (Frame.ARROW, arrow_stream(1000)[:-2000]),
        (Frame.ARROW, arrow_stream(1000)),
        (Frame.PROBLEM, b'{"kind": "new", "text": "x", "line": null, "column": null, "hint": null}'),
    ]
    for kind, payload in said:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            send_frame(theirs, kind, payload)
            send_frame(theirs, Frame.DONE, b'{"rows": 1, "complete": true}')
            with pytest.raises(PlatformError, match="can't be read"):
                converse(Worker(0, ours), task, time.monotonic() + 5)


def test_nothing_is_left_behind(views: Mapping[str, tuple[str, ...]]) -> None:
    others = {process.pid for process in descendants()}
    engine = QueryEngine()
    server = server_of(engine, {process.pid for process in psutil.Process().children()})
    before = len(list(Path("/proc/self/fd").iterdir()))
    for sql in ["SELECT 1", "SELECT nope", "SELECT * FROM range(200000)", "SELECT 'x'::INTEGER", "DROP TABLE x"] * 3:
        try:
            engine.run(sql, views, dataset="crsp", timeout_seconds=10, page=1, page_size=10_000)
        except PlatformError:
            continue
    assert eventually(lambda: server.children() == [])
    assert eventually(lambda: len(list(Path("/proc/self/fd").iterdir())) == before)
    servers = {process.pid for process in descendants()}
    engine.close()
    gone = servers - {process.pid for process in descendants()}
    assert len(gone) == 1
    ours = [process for process in descendants() if process.pid not in others]
    assert not [process for process in ours if process.status() == psutil.STATUS_ZOMBIE]
    assert run(engine, "SELECT 1") == 1
    engine.close()


def test_when_the_asking_process_is_killed_server_and_worker_go_too() -> None:
    program = f"""
import sys; sys.path.insert(0, {str(PROJECT_ROOT)!r})
from data_platform.governance.engine.engine import QueryEngine
engine = QueryEngine()
engine.run("SELECT 1", {{}}, dataset="d", timeout_seconds=20, page=1, page_size=1)
print("ready", flush=True)
engine.run({NEVER_ENDS!r}, {{}}, dataset="d", timeout_seconds=30, page=1, page_size=1)
"""
    asking = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert asking.stdout is not None
    with asking.stdout:
        assert asking.stdout.readline() == "ready\n"
        parent = psutil.Process(asking.pid)
        while len(parent.children(recursive=True)) < 2:
            time.sleep(0.02)
        others = parent.children(recursive=True)
        asking.kill()
        asking.wait(60)
    _, alive = psutil.wait_procs(others, timeout=60)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_a_forked_child_does_not_keep_the_server_alive() -> None:
    program = f"""
import os, sys, time; sys.path.insert(0, {str(PROJECT_ROOT)!r})
from data_platform.governance.engine.engine import QueryEngine
engine = QueryEngine()
ask = lambda: engine.run("SELECT 1", {{}}, dataset="d", timeout_seconds=20, page=1, page_size=1).rows_counted
ask()
child = os.fork()
if child == 0:
    assert ask() == 1
    engine.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert ask() == 1
started = time.monotonic()
engine.close()
assert time.monotonic() - started < 5
print("fine")
"""
    # Later versions of Python warn of any fork beside a thread; this fork is what the test is about.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.stdout, ended.stderr) == ("fine\n", "")


def test_a_place_is_held_until_the_caller_is_done_with_the_result(own_engine: QueryEngine) -> None:
    with ExitStack() as place:
        own_engine.run("SELECT 1", {}, dataset="crsp", timeout_seconds=20, place=place)
        assert [query.waiting for query in own_engine.running()] == [False]
        with pytest.raises(PlatformError, match="busy"):
            run(own_engine, "SELECT 1", timeout_seconds=0.2)
    assert own_engine.running() == []
    with ExitStack() as place:
        with pytest.raises(PlatformError):
            own_engine.run("SELECT nope", {}, dataset="crsp", timeout_seconds=20, place=place)
        # What failed holds nothing, so that the same caller can ask again.
        assert own_engine.running() == []
        assert run(own_engine, "SELECT 1") == 1


def test_when_every_worker_is_busy_the_wait_is_bounded(own_engine: QueryEngine) -> None:
    run(own_engine, "SELECT 1")

    def occupy() -> None:
        with pytest.raises(QueryTimeoutError):
            run(own_engine, NEVER_ENDS, timeout_seconds=2.0)

    thread = threading.Thread(target=occupy)
    thread.start()
    assert eventually(lambda: [query.waiting for query in own_engine.running()] == [False])
    with pytest.raises(PlatformError, match="busy"):
        run(own_engine, "SELECT 1", timeout_seconds=0.5)
    thread.join()
    assert run(own_engine, "SELECT 1") == 1


def test_results_larger_than_memory_are_never_collected(ask: Ask) -> None:
    page = ask("SELECT range AS i, repeat('x', 1000) AS filler FROM range(20000000)", page=9, page_size=10)
    assert page.table["i"].to_pylist() == list(range(80, 90))
    assert not page.counted_all


def test_workers_are_forked_from_a_database_without_a_thread(own_engine: QueryEngine) -> None:
    before = {process.pid for process in psutil.Process().children()}
    assert server_of(own_engine, before).num_threads() == 1


def test_no_two_workers_draw_the_same_random_numbers(own_engine: QueryEngine) -> None:
    sql = (
        "SELECT random() AS drawn, uuid()::VARCHAR AS name, (SELECT list(i) FROM range(1000) t(i) USING SAMPLE 9) AS i"
    )
    drawn = [own_engine.run(sql, {}, dataset="crsp", timeout_seconds=20.0).table.to_pylist()[0] for _ in range(4)]
    for column in drawn[0]:
        assert len({str(row[column]) for row in drawn}) == len(drawn), column
