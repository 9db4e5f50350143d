"""`python -m benchmarks.query_worker`: what a worker of the engine does, step by step, with a clock beside it.

The first line in holds the views, each further line a statement, as JSON; a line out, the milliseconds of each step.
Like the engine's fork server this process has imported the worker, has one thread, and forks for each statement; the
child takes the worker's own steps.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from itertools import pairwise
from typing import Final, NoReturn

import duckdb

from data_platform.governance.engine.limits import EngineLimits, confine_process
from data_platform.governance.engine.session import begin_session, prepare
from data_platform.governance.engine.task import QueryTask
from data_platform.governance.engine.worker import open_tables, rewrite, shut
from data_platform.governance.explorer.asked import KEPT_ROWS

FORK: Final = "fork"
STEPS: Final = ("limits and kernel rules", "session", "guard", "views and lock", "bind", "run")
_ROWS: Final = 8192


def measure(task: QueryTask, prepared: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Milliseconds of each step, in a fork of this process."""
    reading, writing = os.pipe()
    started = time.perf_counter()
    process = os.fork()
    if process == 0:
        _steps(task, started, writing, prepared)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        moments: list[float] = json.loads(answers.read())
    os.waitpid(process, 0)
    steps = zip((FORK, *STEPS), pairwise(moments), strict=True)
    return {name: round((later - earlier) * 1000, 3) for name, (earlier, later) in steps}


def _steps(task: QueryTask, started: float, writing: int, prepared: duckdb.DuckDBPyConnection) -> NoReturn:
    moments = [started, time.perf_counter()]
    try:
        confine_process(task.limits, task.timeout_seconds)
        shut(task)
        moments.append(time.perf_counter())
        connection = begin_session(task.limits, prepared)
        moments.append(time.perf_counter())
        checked = rewrite(connection, task)
        moments.append(time.perf_counter())
        open_tables(connection, checked, task)
        moments.append(time.perf_counter())
        connection.execute(f"DESCRIBE ({checked.canonical})").fetchall()
        moments.append(time.perf_counter())
        connection.sql(checked.canonical).to_arrow_reader(_ROWS).read_all()
        moments.append(time.perf_counter())
        os.write(writing, json.dumps(moments).encode())
    finally:
        os._exit(0)


def main() -> None:
    """Serve until the input ends."""
    views = {name: tuple(files) for name, files in json.loads(sys.stdin.readline()).items()}
    prepared = prepare()
    gc.freeze()
    for line in sys.stdin:
        task = QueryTask(json.loads(line), "crsp", views, 0, KEPT_ROWS, 30.0, EngineLimits())
        sys.stdout.write(json.dumps(measure(task, prepared)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
