"""Housekeeping of the warehouse, for administrators: what their commands do by hand, and Dagster at set times.

Each of these removes something and says in `platform_audit` what. What a run would do without doing it is asked of the
warehouse itself: `plan_retention`, `plan_sweep`.
"""

from __future__ import annotations

import datetime as dt

from data_platform.governance.permissions import User, require_administrator
from data_platform.records import platform_audit
from data_platform.records.connection import Records
from data_platform.warehouse import Warehouse
from data_platform.warehouse.quarantine import QuarantineEntry, expired
from data_platform.warehouse.retention.applying import Progress, RetentionReport, apply_retention
from data_platform.warehouse.retention.deciding import KEEP_DAYS
from data_platform.warehouse.retention.sweep import SweepReport, sweep


def _unwatched(_done: int, _total: int) -> None:
    return


def retire_versions(
    records: Records,
    warehouse: Warehouse,
    user: User,
    *,
    keep_days: int = KEEP_DAYS,
    progress: Progress = _unwatched,
) -> RetentionReport:
    """Replace the files that only versions older than `keep_days` need by deltas. `progress` is told bytes.

    Raises:
        NotPermittedError: for everyone but administrators.
        ChecksumMismatchError, LockBusyError, DiskSpaceError: as `apply_retention` does; nothing is dropped.
    """
    require_administrator(user)
    report = apply_retention(warehouse, keep_days=keep_days, progress=progress)
    platform_audit.note(records, user.user_id, "retention.apply", new_value=_audited(report))
    return report


def collect_garbage(records: Records, warehouse: Warehouse, user: User) -> SweepReport:
    """Remove what nothing needs, and what has been in the trash for a week.

    Raises:
        NotPermittedError: for everyone but administrators.
        ChecksumMismatchError, LockBusyError: as `sweep` does; nothing is removed.
    """
    require_administrator(user)
    report = sweep(warehouse)
    platform_audit.note(records, user.user_id, "gc.run", new_value=report.model_dump(mode="json"))
    return report


def clean_quarantine(
    records: Records, warehouse: Warehouse, user: User, *, dry_run: bool = False
) -> list[QuarantineEntry]:
    """Remove the quarantine's entries that are older than seven days, or with `dry_run` only return them.

    Each is written into the audit before it goes.

    Raises:
        NotPermittedError: for everyone but administrators.
        DatabaseUnavailableError: when an entry could not be recorded; it and those after it stay.
    """
    require_administrator(user)
    quarantine = warehouse.quarantine
    old = expired(quarantine.entries(), dt.datetime.now(dt.UTC))
    if dry_run:
        return old
    for entry in old:
        platform_audit.note(
            records,
            user.user_id,
            "quarantine.clean",
            dataset=entry.dataset,
            subject=f"{entry.table}/{entry.entry_id}",
            old_value=entry.model_dump(mode="json"),
        )
        quarantine.delete(entry)
    quarantine.sweep()
    return old


def _audited(report: RetentionReport) -> dict[str, object]:
    counts = report.model_dump(mode="json", exclude={"verdicts", "files"})
    expiring = [f"{verdict.table} {verdict.version}" for verdict in report.verdicts if verdict.expires]
    return {
        **counts,
        "expired": expiring,
        "dropped": [file.sha256 for file in report.files if file.outcome == "dropped"],
    }
