"""Chores that prove or keep safe: verification, backups, and the drill that restores one."""

from __future__ import annotations

import datetime as dt

from data_platform.alerting.delivery import deliver_quietly
from data_platform.catalog import TABLES
from data_platform.errors import ChecksumMismatchError, PlatformError
from data_platform.orchestration.housekeeping.jobs import Outcome, Surroundings
from data_platform.records import alerts
from data_platform.records.alerts import Alert
from data_platform.records.scope import Scope
from data_platform.sync.alert_metrics import DAMAGE
from data_platform.sync.backing_up import back_up, plan_backup
from data_platform.sync.drill import drill
from data_platform.warehouse.backup import open_backups
from data_platform.warehouse.backup.sets import Kind
from data_platform.warehouse.problems import Problem
from data_platform.warehouse.verify import published_bytes, tables_to_verify, verify_tables


def verify_warehouse(at: Surroundings) -> Outcome:
    """Hash everything; what is wrong in a table of the catalog is an alert of its dataset, and the run fails."""
    store, tables = at.platform.warehouse.store, tables_to_verify(at.platform.warehouse)
    if at.dry_run:
        total = sum(published_bytes(store, table) for table in tables)
        return Outcome(f"{total} bytes of {len(tables)} tables would be hashed.", {"bytes": total})
    reports = verify_tables(store, tables, with_names=True)
    problems = [problem for report in reports for problem in report.problems]
    figures = {
        "versions": sum(report.versions_checked for report in reports),
        "files": sum(report.files_checked for report in reports),
        "bytes": sum(report.bytes_checked for report in reports),
        "problems": len(problems),
        "problems_by_table": {report.table or "names": len(report.problems) for report in reports if report.problems},
    }
    if not problems:
        return Outcome(f"{figures['files']} files and names are sound.", figures)
    _raise_alerts(at, problems)
    said = f"{len(problems)} stored objects are not as they were published. The first: {problems[0].message}."
    return Outcome(
        said, figures, ChecksumMismatchError(said, hint="What can be done: data-platform verify, then with --repair.")
    )


def back_up_daily(at: Surroundings) -> Outcome:
    """Back up what is new."""
    return _back_up(at, "daily")


def back_up_weekly(at: Surroundings) -> Outcome:
    """Back up what is new, and check the size of every object at the place."""
    return _back_up(at, "weekly")


def rehearse_restore(at: Surroundings) -> Outcome:
    """Restore the newest backup and hold it against the live warehouse; whatever is missed fails the run."""
    platform = at.platform
    backups = open_backups(platform.settings)
    if at.dry_run:
        newest = backups.get(None)
        age = (dt.datetime.now(dt.UTC) - newest.created_at) / dt.timedelta(hours=1)
        return Outcome(
            f"{newest.id} would be restored.",
            {"set": newest.id, "files": len(newest.files), "bytes": newest.bytes, "age_hours": round(age, 2)},
        )
    report = drill(
        platform.settings, platform.warehouse, platform.records, backups, user=at.user.user_id, progress=_unwatched
    )
    figures = {
        "set": report.set_id,
        "files": report.files,
        "bytes": report.bytes,
        "recovery_point_hours": round(report.recovery_point_hours, 4),
        "recovery_time_hours": round(report.recovery_time_hours, 4),
        "failures": len(report.failures),
    }
    if report.passed:
        return Outcome(f"{report.set_id} was restored and is whole.", figures)
    said = f"The drill of {report.set_id} failed in {len(report.failures)} ways. The first: {report.failures[0]}."
    hint = "What each means: docs/runbooks/data-backup-restore.md; the report lies in the home's backups/drills/."
    return Outcome(said, figures, PlatformError(said, hint=hint))


def _back_up(at: Surroundings, kind: Kind) -> Outcome:
    platform = at.platform
    backups = open_backups(platform.settings)
    if at.dry_run:
        plan = plan_backup(platform.settings, platform.warehouse, backups)
        return Outcome(
            f"{plan.new_files} files would be sent, beside the dumps of the databases.",
            {**plan.model_dump(exclude={"findings"}), "findings": len(plan.findings)},
        )
    report = back_up(
        platform.settings,
        platform.warehouse,
        platform.records,
        backups,
        kind,
        user=at.user.user_id,
        progress=_unwatched,
    )
    figures = {
        "set": report.set_id,
        "files": report.files,
        "bytes": report.bytes,
        "new_files": report.sent_files,
        "new_bytes": report.sent_bytes,
        "seconds": round(report.seconds, 1),
        "findings": len(report.findings),
    }
    if not report.findings:
        return Outcome(f"{report.set_id} was made; {report.sent_files} files travelled.", figures)
    said = (
        f"{report.set_id} was made, but {len(report.findings)} files of the warehouse are damaged or gone. "
        f"The first: {report.findings[0].message}"
    )
    return Outcome(said, figures, ChecksumMismatchError(said, hint="Mend them: data-platform verify --repair"))


def _raise_alerts(at: Surroundings, problems: list[Problem]) -> None:
    """Tell the people of a dataset of damage in its tables, once for each object until it is settled."""
    found = [
        Alert(
            dataset=TABLES[problem.table].dataset,
            table_name=problem.table,
            partition=problem.partition or "all",
            metric=DAMAGE,
            severity="error",
            message=problem.message,
        )
        for problem in problems
        if problem.table in TABLES
    ]
    with at.platform.records.transaction(Scope.system("housekeeping")) as connection:
        alerts.store_new(connection, found)
    deliver_quietly(at.platform.records, at.platform.settings)


def _unwatched(_done: int, _total: int) -> None:
    return
