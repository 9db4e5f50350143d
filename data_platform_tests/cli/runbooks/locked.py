"""Set-ups of locks: writers that work, stop, die, or lived on another host."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Final

import psutil

from data_platform.warehouse.lock_token import read_token
from data_platform_tests.cli.runbooks.machine import Machine
from data_platform_tests.records.processes import eventually

_TABLE: Final = "crsp_names"
_WRITER: Final = """
import sys
from pathlib import Path
from data_platform.warehouse import Warehouse
with Warehouse(Path(sys.argv[1])).lock(sys.argv[2]).acquire():
    print("ready", flush=True)
    sys.stdin.readline()
"""


def a_working_writer(machine: Machine) -> None:
    """Another process holds the lock of crsp_names until the page ends or a later set-up ends it."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(machine.warehouse.root), _TABLE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": machine.shell.variables["PYTHONPATH"]},
    )
    machine.until_the_end.callback(_end, writer)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    machine.names["process"] = str(writer.pid)


def that_writer_is_stopped(machine: Machine) -> None:
    """The same process is stopped, and ten minutes pass for its lock."""
    writer = _writer(machine)
    writer.send_signal(signal.SIGSTOP)
    assert eventually(lambda: writer.status() == psutil.STATUS_STOPPED)
    before = time.time() - 600
    os.utime(machine.warehouse.lock(_TABLE).path, (before, before))


def a_killed_writer(machine: Machine) -> None:
    """A process that held the lock of crsp_names was killed."""
    a_working_writer(machine)
    _writer(machine).kill()
    assert eventually(lambda: not (state := machine.warehouse.lock(_TABLE).state()) or not state.alive)


def another_hosts_lock(machine: Machine) -> None:
    """The lock of crsp_names was left by a writer of another machine that shares the folder."""
    a_killed_writer(machine)
    path = machine.warehouse.lock(_TABLE).path
    token = read_token(path)
    assert token is not None
    path.write_text(token.model_copy(update={"hostname": "the-other-host", "boot_id": "another"}).model_dump_json())
    for name in ("writer", "process"):
        machine.names.pop(name, None)


def _writer(machine: Machine) -> psutil.Process:
    return psutil.Process(int(machine.names["process"]))


def _end(writer: subprocess.Popen[str]) -> None:
    writer.kill()
    writer.communicate()
