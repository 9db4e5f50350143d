"""Real processes for the tests: one that holds the embedded server, and looking at what runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_HOLDER = """
import sys
from pathlib import Path
from data_platform.records.embedded.service import open_embedded
with open_embedded(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holder(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that uses the server of `home` until its standard input gets a line or is closed."""
    with start_holder(home) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.stderr and process.stderr.read()
        try:
            yield process
        finally:
            if process.poll() is None:
                process.communicate("done\n", timeout=60)


def start_holder(home: Path) -> subprocess.Popen[str]:
    """Start such a process without waiting until it has the server; it leads a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        env={"PATH": os.environ["PATH"]},
    )


def server_processes(data: Path) -> list[psutil.Process]:
    """Return the living processes that work in a data folder."""
    return [process for process, folder in _working_folders() if folder == data]


def postmasters(data: Path) -> list[psutil.Process]:
    """Return the living servers themselves of a data folder: a new backend shows its server's command line a moment."""
    own = server_processes(data)
    parents = {process.pid: _parent(process) for process in own}
    return [process for process in own if parents[process.pid] not in {None, *parents}]


def processes_below(root: Path) -> list[psutil.Process]:
    """Return the living processes that work in any folder below `root`."""
    return [process for process, folder in _working_folders() if root in folder.parents]


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that has ended and waits for its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Wait until a condition holds, and say whether it does."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:  # ended since it was listed
        return None


def _working_folders() -> Iterator[tuple[psutil.Process, Path]]:
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process, Path(process.cwd())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
