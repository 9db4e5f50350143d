"""Runs whose process is gone: a run inside a command dies with it, and nobody else would ever say so.

A run that this module knows carries the identity of its process in a tag. Runs that Dagster launched itself are
watched by Dagster's own run monitoring. Machines and containers may share one database of records. A process elsewhere,
of another boot and host name or in another container, can't be looked at from here: it is called dead two days after
it began.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Final

import dagster as dg

from data_platform.warehouse.lock_token import boot_id

PROCESS_TAG: Final = "data_platform/process"
_UNSEEN_SECONDS: Final = 2 * 86_400
_UNFINISHED: Final = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]


def this_process() -> str:
    """This process's identity, so that no later one is taken for it: a boot, a process id and when it started in it.

    The start is in the kernel's ticks since the boot: as a time of the clock it would be another one after the clock
    was set. Host name, container (the namespace of process ids) and the time now say who may judge it, and until when.
    """
    pid = os.getpid()
    return f"{boot_id()}:{pid}:{_started(pid)}:{socket.gethostname()}:{_container()}:{int(time.time())}"


def is_gone(identity: str, now: float | None = None) -> bool:
    """Whether the process of an identity has ended, as one that waits for its parent has. `now`: seconds since 1970."""
    boot, pid, started, host, container, begun = [*identity.split(":"), "", "", "", "", ""][:6]
    same_host = host in {"", socket.gethostname()}
    if boot == boot_id() and container in {"", _container()}:
        return not _lives(pid, started)
    if same_host:
        # It has booted since, or is a container that was started again.
        return True
    since = int(begun) if begun.isdecimal() else 0
    return (time.time() if now is None else now) - since > _UNSEEN_SECONDS


def _lives(pid: str, started: str) -> bool:
    try:
        return _started(int(pid)) == started
    except (OSError, IndexError, ValueError):
        return False


def _container() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def report_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark unfinished runs of processes that have ended as failed, and return their ids."""
    dead: list[str] = []
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED)):
        identity = run.tags.get(PROCESS_TAG)
        # The coordinator leaves it empty in a run that Dagster launches anew from one of a command.
        if identity and is_gone(identity):
            instance.report_run_failed(run, "The command that ran this was ended before it could finish.")
            dead.append(run.run_id)
    return dead


def _started(pid: int) -> str:
    """When a process started; nothing for one that has ended and waits for its parent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
