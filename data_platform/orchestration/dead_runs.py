"""Runs whose process is gone: a run inside a command dies with it, and nobody else would ever say so.

A run that this module knows carries the identity of its process in a tag. Runs that Dagster launched itself are
watched by Dagster's own run monitoring. Several machines may share one database of records: as with locks, a process on
another machine, of another boot and another host name, is never called dead from here.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

import dagster as dg

from data_platform.warehouse.lock_token import boot_id

PROCESS_TAG: Final = "data_platform/process"
_UNFINISHED: Final = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]


def this_process() -> str:
    """This process's identity: boot, process id, start since the boot, host; so that no later one is taken for it.

    The start is in the kernel's ticks: as a time of the clock it would be another one after the clock was set.
    """
    return f"{boot_id()}:{os.getpid()}:{_started(os.getpid())}:{socket.gethostname()}"


def is_gone(identity: str) -> bool:
    """Whether the process of an identity is known to have ended; one that waits for its parent has."""
    boot, pid, started, host = [*identity.split(":"), "", "", ""][:4]
    if boot != boot_id():
        return host in {"", socket.gethostname()}
    try:
        return _started(int(pid)) != started
    except (OSError, IndexError, ValueError):
        return True


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
