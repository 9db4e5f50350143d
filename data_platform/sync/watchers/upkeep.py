"""What keeps the platform going: backups, housekeeping, the password at the source, the daemon. Pure decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from data_platform.sync.watchers.watch import Metric, Watch

BACKUP_AT_MOST: Final = dt.timedelta(hours=24)
"""The recovery point: at most so much work is lost."""

BACKUP_SLACK: Final = dt.timedelta(hours=2)
"""Before anybody is told: a backup ends a while after its hour, each time another, and one day a year has 25 hours."""

EXPIRY_WARNED: Final = dt.timedelta(days=30)
EXPIRY_PRESSING: Final = dt.timedelta(days=7)

SILENT_AFTER: Final = dt.timedelta(minutes=10)
"""A healthy daemon gives a sign of life every half minute."""

DAEMON_PATIENCE: Final = dt.timedelta(minutes=5)
"""After a start each daemon's last sign of life is from before, until it gives its first."""

_HOUR: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class BackupHistory:
    """When a backup was last made and when one last failed; `configured` when there is a key to make one."""

    configured: bool
    made_at: dt.datetime | None = None
    failed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class DaemonState:
    """A daemon that this installation needs: its last sign of life, None when it never gave one, and recent errors."""

    name: str
    heartbeat_at: dt.datetime | None
    errors: int = 0

    def is_silent(self, now: dt.datetime) -> bool:
        """Whether it has given no sign of life for ten minutes."""
        return self.heartbeat_at is None or now - self.heartbeat_at > SILENT_AFTER


@dataclass(frozen=True, slots=True)
class ChoreRun:
    """The last run of a housekeeping job that came to an end by itself and was no dry run."""

    job: str
    run_id: str
    ended_at: dt.datetime
    failed: bool


def failed_chores(runs: Iterable[ChoreRun]) -> list[Watch]:
    """The housekeeping jobs whose last run failed; over with the next that succeeds."""
    return [
        Watch(
            Metric.HOUSEKEEPING_FAILED,
            "error",
            f"The housekeeping job {run.job} failed on {run.ended_at:%Y-%m-%d %H:%M} UTC; why: see run {run.run_id}. "
            "Once that is mended, launch it again or wait for its next time.",
            partition=run.job,
        )
        for run in runs
        if run.failed
    ]


def backup_failed(history: BackupHistory) -> list[Watch]:
    """Whether the last attempt at a backup failed."""
    if history.failed_at is None or (history.made_at is not None and history.made_at > history.failed_at):
        return []
    message = f"The backup of {history.failed_at:%Y-%m-%d %H:%M} UTC failed, and none was made since."
    return [Watch(Metric.BACKUP_FAILED, "error", message)]


def backup_old(history: BackupHistory, now: dt.datetime) -> list[Watch]:
    """Whether the last backup is older than a day, with slack; asked only where backups are made or could be."""
    if history.made_at is None:
        if not history.configured:
            return []
        return [Watch(Metric.BACKUP_OLD, "warning", "There is a key for backups, and none was made yet.")]
    age = now - history.made_at
    if age <= BACKUP_AT_MOST + BACKUP_SLACK:
        return []
    return [
        Watch(
            Metric.BACKUP_OLD,
            "error",
            f"The last backup was made on {history.made_at:%Y-%m-%d %H:%M} UTC; "
            f"one is expected every {BACKUP_AT_MOST / _HOUR:.0f} h.",
            current_value=round(age / _HOUR, 2),
            expected_value=BACKUP_AT_MOST / _HOUR,
        )
    ]


def credential_expiry(expires: dt.date | None, today: dt.date) -> list[Watch]:
    """A warning from 30 days before the password's last day, an error from 7 days before; nothing when none is set."""
    if expires is None or expires - today > EXPIRY_WARNED:
        return []
    left = (expires - today).days
    when = f"stopped working on {expires}" if left <= 0 else f"stops working on {expires}"
    return [
        Watch(
            Metric.CREDENTIAL_EXPIRY,
            "error" if left <= EXPIRY_PRESSING.days else "warning",
            f"The WRDS password {when}.",
            current_value=left,
            expected_value=EXPIRY_WARNED.days,
        )
    ]


def unhealthy_daemons(daemons: Iterable[DaemonState], now: dt.datetime) -> list[Watch]:
    """The daemons that give no sign of life, or report errors."""
    found: list[Watch] = []
    for daemon in daemons:
        if daemon.is_silent(now):
            last = "never" if daemon.heartbeat_at is None else f"last on {daemon.heartbeat_at:%Y-%m-%d %H:%M} UTC"
            message = f"Dagster's daemon {daemon.name} gives no sign of life ({last})."
            found.append(Watch(Metric.DAEMON, "error", message, partition=daemon.name, patience=DAEMON_PATIENCE))
        elif daemon.errors:
            message = f"Dagster's daemon {daemon.name} reports {daemon.errors} errors; its log names them."
            found.append(Watch(Metric.DAEMON, "warning", message, partition=daemon.name, patience=DAEMON_PATIENCE))
    return found
