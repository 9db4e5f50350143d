"""Chores that remove something: old versions, leftovers and trash, old records, Dagster's own history."""

from __future__ import annotations

import datetime as dt
from typing import Any

from data_platform.errors import PlatformError
from data_platform.governance.housekeeping import clean_quarantine, collect_garbage, retire_versions
from data_platform.governance.record_retention import RetentionRun, apply_retention, plan_retention
from data_platform.governance.roll_up import roll_up
from data_platform.orchestration.housekeeping.backfills import prune_backfills
from data_platform.orchestration.housekeeping.check_history import prune_checks
from data_platform.orchestration.housekeeping.jobs import Outcome, Surroundings
from data_platform.orchestration.housekeeping.run_files import prune_run_files
from data_platform.orchestration.housekeeping.run_history import prune_runs
from data_platform.orchestration.housekeeping.ticks import prune_ticks
from data_platform.warehouse import Warehouse
from data_platform.warehouse.quarantine import QuarantineEntry
from data_platform.warehouse.retention.applying import plan_retention as plan_version_retention
from data_platform.warehouse.retention.sweep import SweepReport, plan_sweep

NOTHING_PUBLISHED = "Nothing is published yet."


def retire_old_versions(at: Surroundings) -> Outcome:
    """Replace files that only expired versions need by deltas; the files go to the trash, which `clean_up` empties."""
    warehouse = at.platform.warehouse
    if nothing_published(warehouse):
        return Outcome(NOTHING_PUBLISHED)
    report = (
        plan_version_retention(warehouse) if at.dry_run else retire_versions(at.platform.records, warehouse, at.user)
    )
    would = "would go" if at.dry_run else "went"
    return Outcome(
        f"{report.versions_expired} versions are expired; {report.files_dropped} files {would} to the trash.",
        {
            "versions_expired": report.versions_expired,
            "files_dropped": report.files_dropped,
            "files_kept": sum(file.outcome == "kept" for file in report.files),
            "files_secured": report.files_secured,
            "bytes_freed": report.bytes_freed,
            "delta_bytes": report.delta_bytes,
        },
    )


def clean_up(at: Surroundings) -> Outcome:
    """Delete expired quarantine entries, then what nothing in the warehouse needs, the trash of a week ago included."""
    warehouse, records = at.platform.warehouse, at.platform.records
    old = clean_quarantine(records, warehouse, at.user, dry_run=True)
    sizes = {entry.entry_id: _size_of(warehouse, entry) for entry in old}
    if not at.dry_run:
        old = clean_quarantine(records, warehouse, at.user)
    report = SweepReport(dry_run=at.dry_run, garbage=(), files_removed=0, bytes_freed=0)
    if not nothing_published(warehouse):
        report = plan_sweep(warehouse) if at.dry_run else collect_garbage(records, warehouse, at.user)
    would = "would be removed" if at.dry_run else "were removed"
    kinds: dict[str, int] = {}
    for garbage in report.garbage:
        if not garbage.kept:
            kinds[garbage.kind] = kinds.get(garbage.kind, 0) + 1
    return Outcome(
        f"{len(old)} quarantine entries and {report.files_removed} files {would}.",
        {
            "quarantine_entries": len(old),
            "quarantine_bytes": sum(sizes.get(entry.entry_id, 0) for entry in old),
            "files_removed": report.files_removed,
            "bytes_freed": report.bytes_freed,
            "kept_in_trash": sum(bool(garbage.kept) for garbage in report.garbage),
            "by_kind": kinds,
        },
    )


def archive_old_records(at: Surroundings) -> Outcome:
    """Archive what is older than its table keeps, then delete it; expired results of queries go with their requests."""
    platform = at.platform
    run = (
        RetentionRun(plan_retention(platform.records, at.user), [])
        if at.dry_run
        else apply_retention(platform.records, platform.settings, at.user)
    )
    rows = {report.table: report.rows for report in run.reports if report.rows}
    would = "would be archived" if at.dry_run else "were archived"
    figures: dict[str, Any] = {
        "rows": sum(rows.values()),
        "rows_by_table": rows,
        "archives": sum(len(report.files) for report in run.reports),
    }
    return Outcome(f"{sum(rows.values())} rows of {len(rows)} tables {would}.", figures, _first(run.errors))


def prune_run_history(at: Surroundings) -> Outcome:
    """Export and delete Dagster's old runs and backfills; delete old ticks, checks, and what runs left on the disk."""
    now = dt.datetime.now(dt.UTC)
    runs = prune_runs(at.instance, at.platform, at.user, now, dry_run=at.dry_run)
    backfills = prune_backfills(at.instance, at.platform, at.user, now, dry_run=at.dry_run)
    ticks = prune_ticks(at.instance, now, dry_run=at.dry_run)
    checks = prune_checks(at.instance, now, dry_run=at.dry_run)
    files = prune_run_files(at.instance, at.platform.settings.home, now, dry_run=at.dry_run)
    would = "would be deleted" if at.dry_run else "were deleted"
    return Outcome(
        f"{runs.runs} runs, {backfills.backfills} backfills, {ticks} ticks, {checks} evaluations of checks and the "
        f"files of {files.folders} runs {would}.",
        {
            "runs": runs.runs,
            "events": runs.events,
            "runs_kept_for_assets": runs.kept,
            "archives": len(runs.archives),
            "archived_bytes": runs.archived_bytes,
            "backfills": backfills.backfills,
            "backfills_kept_with_runs": backfills.kept,
            "ticks": ticks,
            "checks": checks,
            "run_folders": files.folders,
            "run_folder_bytes": files.bytes,
        },
    )


def roll_up_metrics(at: Surroundings) -> Outcome:
    """Sum up the days that are over; the figures are those of the newest, over all datasets."""
    done = roll_up(at.platform.records, at.user, dt.datetime.now(dt.UTC).date(), dry_run=at.dry_run)
    if not done.days:
        return Outcome("Nothing has happened yet that could be summed up.")
    newest = [row for row in done.rows if row.day == done.days[-1] and row.table_name is None]
    would = "would be summed up" if at.dry_run else "are summed up"
    return Outcome(
        f"{len(done.days)} days until {done.days[-1]} {would}, in {len(done.rows)} rows.",
        {
            "days": len(done.days),
            "metric_rows": len(done.rows),
            "newest_day": done.days[-1].isoformat(),
            "syncs": sum(row.syncs for row in newest),
            "failures": sum(row.failures for row in newest),
            "rows_published": sum(row.rows_published for row in newest),
            "bytes_published": sum(row.bytes_published for row in newest),
            "seconds_longest": max((row.seconds_longest or 0.0 for row in newest), default=0.0),
            "queries": sum(sum(row.queries.values()) for row in newest),
            "denials": sum(row.denials for row in newest),
            "alerts_raised": sum(row.alerts_raised for row in newest),
            "alerts_acknowledged": sum(row.alerts_acknowledged for row in newest),
        },
    )


def nothing_published(warehouse: Warehouse) -> bool:
    """Whether there is neither a version nor a file of one: a new home, for which there is nothing to do.

    With files and no version something is wrong, and retention and sweeping say so.
    """
    blobs = (warehouse.root / "blobs").glob("*/*.parquet")
    return next(blobs, None) is None and not any(warehouse.manifests(name).numbers() for name in warehouse.tables())


def _first(errors: list[PlatformError]) -> PlatformError | None:
    return errors[0] if errors else None


def _size_of(warehouse: Warehouse, entry: QuarantineEntry) -> int:
    return sum(path.stat().st_size for path in warehouse.quarantine.folder(entry).rglob("*") if path.is_file())
