"""The database away for a while: hung, or stopped so that nobody can start it meanwhile."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from data_platform.records.embedded.layout import layout_of
from data_platform_tests.orchestration.faults.served import settled
from data_platform_tests.records.processes import server_processes


@contextmanager
def hung(home: Path) -> Iterator[None]:
    """Every process of the server is stopped where it stands for the length of the block."""
    still: list[psutil.Process] = []
    try:
        # The server first, or it would make new ones.
        for process in sorted(server_processes(layout_of(home).data), key=lambda each: each.pid):
            with suppress(psutil.NoSuchProcess):
                process.suspend()
                still.append(process)
        yield
    finally:
        for process in still:
            with suppress(psutil.NoSuchProcess):
                process.resume()


@contextmanager
def stopped(home: Path) -> Iterator[None]:
    """The server is shut down, as an administrator does who does not wait for anybody, for the length of the block.

    Whoever would start it waits for the guard, which is ours meanwhile.
    """
    layout = layout_of(home)
    descriptor = os.open(layout.guard, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.kill(int(layout.pid_file.read_text().splitlines()[0]), signal.SIGINT)
        settled("the server does not stop", lambda: not server_processes(layout.data))
        yield
    finally:
        os.close(descriptor)


def pass_time(seconds: float) -> None:
    """How long a fault lasts, or between two looks; nothing is waited for."""
    time.sleep(seconds)
