"""The run launcher: Dagster's own, and whether the process of a run still lives.

A code server notices when a run of its own dies. Nobody did when the code server died too, or could not reach the
database at that moment; Dagster's run monitoring asks here, and marks such a run as failed.
"""

from __future__ import annotations

import time
from typing import Final

import dagster as dg
import psutil
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from typing_extensions import override

from data_platform.orchestration.dead_runs import PROCESS_TAG, is_gone

_SLACK_SECONDS: Final = 2.0
"""The kernel counts a process's start in hundredths of a second since the boot, whose moment is itself a guess."""


def _clock() -> float:
    """The moment of the boot, as the clock has it now."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


_CLOCK_AT_FIRST: Final = _clock()
"""When this process, the daemon, began: a clock that is set later must not have living runs taken for dead."""


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches runs as Dagster does, and knows by the process whether one still lives."""

    @property
    @override
    def supports_check_run_worker_health(self) -> bool:
        return True

    @override
    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        identity = run.tags.get(PROCESS_TAG)
        if identity:
            dead = is_gone(identity)
        else:
            started = _process_of(self._instance, run)
            dead = started is not None and not is_alive(*started, set_forward=_clock() - _CLOCK_AT_FIRST)
        if dead:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "The process of this run was ended before it was done.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def is_alive(pid: int, seen_at: float, *, set_forward: float = 0.0) -> bool:
    """Whether the process that had an id at a moment (seconds since 1970) still has it: a later one is another.

    `set_forward` is by how many seconds the clock may have been set forward since: processes that began before then
    look as much younger now.
    """
    latest = seen_at + _SLACK_SECONDS + max(0.0, set_forward)
    try:
        process = psutil.Process(pid)
        return process.create_time() <= latest and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _process_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[int, float] | None:
    """The process that said it begins with this run, and when; None while none has."""
    found = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT, limit=100)
    for record in found.records:
        entry = record.event_log_entry
        pid = entry.get_dagster_event().engine_event_data.metadata.get("pid")
        if pid is not None:
            return int(str(pid.value)), entry.timestamp
    return None
