"""Runs whose process is gone: a run inside a command dies with it, and nobody else would ever say so.

A run that this module knows carries the identity of its process in a tag. Runs that Dagster launched itself are
watched by Dagster's own run monitoring.
"""

from __future__ import annotations

import os
from typing import Final

import dagster as dg
import psutil

from data_platform.warehouse.lock_token import boot_id

PROCESS_TAG: Final = "data_platform/process"
_UNFINISHED: Final = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]


def this_process() -> str:
    """This process's identity: boot, process id and start time, so that no later process is taken for it."""
    return f"{boot_id()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_gone(identity: str) -> bool:
    """Whether the process of an identity has ended."""
    boot, _, rest = identity.partition(":")
    pid, _, started = rest.partition(":")
    if boot != boot_id():
        return True
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != started
    except (psutil.Error, ValueError):
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
