"""The run launcher: Dagster's own, and whether the process of a run still lives.

A code server notices when a run of its own dies. Nobody did when the code server died too, or could not reach the
database at that moment; Dagster's run monitoring asks here, and marks such a run as failed.
"""

from __future__ import annotations

from typing import Final

import dagster as dg
import psutil
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from typing_extensions import override

from data_platform.orchestration.dead_runs import PROCESS_TAG, is_gone

_SLACK_SECONDS: Final = 2.0
"""The kernel counts a process's start in hundredths of a second since the boot, whose moment is itself a guess."""


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
            dead = started is not None and not is_alive(*started)
        if dead:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "The process of this run was ended before it was done.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def is_alive(pid: int, seen_at: float) -> bool:
    """Whether the process that had an id at a moment (seconds since 1970) still has it: a later one is another."""
    try:
        process = psutil.Process(pid)
        return process.create_time() <= seen_at + _SLACK_SECONDS and process.status() != psutil.STATUS_ZOMBIE
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
