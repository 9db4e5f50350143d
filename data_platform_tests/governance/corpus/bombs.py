"""Statements that only use up the machine: a plain DuckDB in a process of its own, with little memory and time.

Run as a program it reads a JSON list of statements and answers with what became of each: `answered`, `refused`,
`memory`, `crashed` or `time`. It forks for each one before DuckDB has made a thread; several run side by side.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import duckdb

MIB: Final = 1024 * 1024
MEMORY: Final = 192 * MIB
SECONDS: Final = 0.5
BUDGET_EXCEEDED: Final = frozenset({"memory", "crashed", "time"})
_AT_A_TIME: Final = 6
_ADDRESS_SPACE: Final = 2048 * MIB
_WORDS: Final = {b"A": "answered", b"R": "refused", b"M": "memory"}


def outcomes(statements: Sequence[str], crsp_daily: Path, seconds: float = SECONDS) -> list[str]:
    """What became of each statement over the permitted table, in order, within so many seconds for each."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(crsp_daily), str(seconds)],
        input=json.dumps(list(statements)),
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    return json.loads(done.stdout)


def _main(crsp_daily: str, seconds: float) -> None:
    statements: list[str] = json.loads(sys.stdin.read())
    found: dict[int, str] = {}
    running: dict[int, tuple[int, int, float]] = {}
    waiting = list(enumerate(statements))
    while waiting or running:
        while waiting and len(running) < _AT_A_TIME:
            number, sql = waiting.pop(0)
            process, ready, answer = _start(sql, crsp_daily)
            os.read(ready, 1)
            os.close(ready)
            running[answer] = (number, process, time.monotonic() + seconds)
        soonest = min(deadline for _, _, deadline in running.values())
        readable, _, _ = select.select(list(running), [], [], max(0.0, soonest - time.monotonic()))
        late = [answer for answer, (_, _, deadline) in running.items() if deadline <= time.monotonic()]
        for answer in {*readable, *late}:
            number, process, _ = running.pop(answer)
            word = os.read(answer, 1) if answer in readable else None
            os.close(answer)
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            found[number] = "time" if word is None else _WORDS.get(word, "crashed")
    sys.stdout.write(json.dumps([found[number] for number in range(len(statements))]))


def _start(sql: str, crsp_daily: str) -> tuple[int, int, int]:
    """Fork; returns the process, and the ends of the pipes that say that it is ready and what came of it."""
    ready, tell_ready = os.pipe()
    answer, tell_answer = os.pipe()
    process = os.fork()
    if process == 0:
        _run(sql, crsp_daily, tell_ready, tell_answer)
    os.close(tell_ready)
    os.close(tell_answer)
    return process, ready, answer


def _run(sql: str, crsp_daily: str, ready: int, answer: int) -> NoReturn:
    word = b""
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        connection = duckdb.connect(":memory:", config={"memory_limit": f"{MEMORY}B", "threads": 1})
        connection.execute("SET temp_directory = ''")
        connection.execute(f"CREATE VIEW crsp_daily AS FROM '{crsp_daily}'")
        os.write(ready, b"x")
        try:
            connection.execute(sql).fetchmany(10)
            word = b"A"
        except (duckdb.OutOfMemoryException, MemoryError):
            word = b"M"
        except duckdb.Error as error:
            word = b"M" if "bad_alloc" in str(error) else b"R"
    finally:
        os.write(answer, word)
        os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1], float(sys.argv[2]))
