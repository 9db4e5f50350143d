"""Keeping what the newest version of each partition covers, as data that a person or a chart can look at."""

from __future__ import annotations

from data_platform.catalog import Table
from data_platform.quality import profile_frame, trading_calendar
from data_platform.quality.coverage import Coverage, coverage_of
from data_platform.records import coverage
from data_platform.records.coverage import PartitionCoverage
from data_platform.records.scope import Scope
from data_platform.sync.context import SyncContext

SCOPE = Scope.system("sync")


def coverage_record(table: Table, partition: str, version: int, found: Coverage) -> PartitionCoverage:
    """A version's coverage in the form in which the records keep it."""
    return PartitionCoverage(
        dataset=table.dataset,
        table_name=table.name,
        partition=partition,
        manifest_version=version,
        start_date=found.start,
        end_date=found.end,
        row_count=found.rows,
        symbols=found.symbols,
        dates=found.dates,
        missing_dates=found.missing_dates,
        gaps=[(gap.first.isoformat(), gap.last.isoformat(), gap.dates) for gap in found.gaps],
        symbols_by_month=dict(found.symbols_by_month),
    )


def refresh_coverage(context: SyncContext, table: Table) -> int:
    """Look at every partition of the newest version again, and return how many there are.

    For what was published before coverage was kept, and after a restore.

    Raises:
        NoDataError: when the table was never synced.
        ChecksumMismatchError: when a file is gone or changed.
        DatabaseUnavailableError: when the records are away.
    """
    pinned = context.warehouse.reader(table.name).pin()
    calendar = trading_calendar(table.calendar) if table.calendar is not None else None
    for entry in pinned.manifest.files:
        frame = pinned.scan(partitions=frozenset({entry.partition}))
        profile = profile_frame(frame, key=table.key, date_column=table.date_column, null_counts={})
        record = coverage_record(table, entry.partition, pinned.version, coverage_of(profile, calendar))
        with context.records.transaction(SCOPE) as connection:
            coverage.store(connection, record)
    return len(pinned.manifest.files)
