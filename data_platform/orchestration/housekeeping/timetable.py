"""When housekeeping runs: one table. All times are those of New York, whatever the machine's zone is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TIMEZONE: Final = "America/New_York"


@dataclass(frozen=True, slots=True)
class Chore:
    """A job by its name, when it runs (cron, in `TIMEZONE`), and what it does in a sentence."""

    name: str
    cron: str
    about: str

    @property
    def schedule_name(self) -> str:
        """The name of its schedule."""
        return f"{self.name}_schedule"


# In the evening, before the night's syncs, what is old goes; the backup follows the syncs, whose data is there by six.
# Nothing stands between one and three o'clock, which some days lack and others have twice. Those that need the same
# lock are a quarter of an hour apart or more.
RUN_HISTORY: Final = Chore(
    "prune_run_history",
    "0 20 * * *",
    "Export Dagster's runs and backfills that ended more than 90 days ago, then delete them; delete old ticks, "
    "evaluations of checks, and what runs left on the disk.",
)
RECORD_RETENTION: Final = Chore(
    "archive_old_records",
    "20 20 * * *",
    "Move operational records that are older than their table keeps into encrypted archives.",
)
VERSION_RETENTION: Final = Chore(
    "retire_old_versions",
    "40 20 * * *",
    "Replace the files that only versions superseded more than 90 days ago need by deltas.",
)
ROLL_UP: Final = Chore(
    "roll_up_metrics",
    "0 21 * * *",
    "Sum up the days that are over (UTC): syncs, queries and alerts, a row for each dataset and table.",
)
CLEANING: Final = Chore(
    "clean_up",
    "20 21 * * *",
    "Delete quarantine entries and trash that are older than seven days, and what crashes left behind.",
)
BACKUP_DAILY: Final = Chore("back_up_daily", "0 7 * * 1-6", "Back up what is new, Mondays to Saturdays.")
BACKUP_WEEKLY: Final = Chore(
    "back_up_weekly", "0 7 * * 0", "Back up what is new, and check everything that lies at the place, on Sundays."
)
VERIFICATION: Final = Chore("verify_warehouse", "0 12 * * 6", "Hash every published file again, on Saturdays.")
RESTORE_DRILL: Final = Chore(
    "rehearse_restore", "0 12 1 * *", "Restore the newest backup into an empty home and prove that it is whole."
)

TIMETABLE: Final = (
    RUN_HISTORY,
    RECORD_RETENTION,
    VERSION_RETENTION,
    ROLL_UP,
    CLEANING,
    BACKUP_DAILY,
    BACKUP_WEEKLY,
    VERIFICATION,
    RESTORE_DRILL,
)
