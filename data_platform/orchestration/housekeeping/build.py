"""The housekeeping jobs and their schedules, as the definitions take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import dagster as dg

from data_platform.orchestration.housekeeping import chores, safety
from data_platform.orchestration.housekeeping.jobs import Work, housekeeping_job, housekeeping_schedule
from data_platform.orchestration.housekeeping.timetable import (
    BACKUP_DAILY,
    BACKUP_WEEKLY,
    CLEANING,
    RECORD_RETENTION,
    RESTORE_DRILL,
    ROLL_UP,
    RUN_HISTORY,
    TIMETABLE,
    VERIFICATION,
    VERSION_RETENTION,
    Chore,
)
from data_platform.settings import Settings

WORK: Final[Mapping[Chore, Work]] = {
    RUN_HISTORY: chores.prune_run_history,
    RECORD_RETENTION: chores.archive_old_records,
    VERSION_RETENTION: chores.retire_old_versions,
    ROLL_UP: chores.roll_up_metrics,
    CLEANING: chores.clean_up,
    BACKUP_DAILY: safety.back_up_daily,
    BACKUP_WEEKLY: safety.back_up_weekly,
    VERIFICATION: safety.verify_warehouse,
    RESTORE_DRILL: safety.rehearse_restore,
}

JOBS: Final[Mapping[Chore, dg.JobDefinition]] = {chore: housekeeping_job(chore, WORK[chore]) for chore in TIMETABLE}


def housekeeping_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """A schedule for each job: on in production; in development off until somebody turns it on."""
    return [housekeeping_schedule(chore, job, on=settings.env == "production") for chore, job in JOBS.items()]
