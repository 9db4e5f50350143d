"""Keeping what a published version looked like and covers: what the next versions are judged by, and people look at."""

from __future__ import annotations

from typing import Final

from data_platform.catalog import Table
from data_platform.errors import DatabaseUnavailableError
from data_platform.quality import profile_frame, trading_calendar
from data_platform.quality.anomalies import statistics_of
from data_platform.quality.coverage import coverage_of
from data_platform.records import coverage, partition_statistics
from data_platform.records.scope import Scope
from data_platform.sync.context import SyncContext
from data_platform.sync.covering import coverage_record
from data_platform.sync.history import statistics_record
from data_platform.sync.journal import Journal
from data_platform.sync.validation import Verdict
from data_platform.warehouse import SyncManifest

_SCOPE: Final = Scope.system("sync")


def remember(
    context: SyncContext, journal: Journal, table: Table, partition: str, manifest: SyncManifest, verdict: Verdict
) -> None:
    """Keep a version's figures and coverage; the version stands, whether or not the records can be reached."""
    file, version = manifest.file(partition), manifest.manifest_version
    if file is None or verdict.statistics is None or verdict.coverage is None:
        return
    try:
        with context.records.transaction(_SCOPE) as connection:
            partition_statistics.store(
                connection, statistics_record(context, table, partition, version, file.source, verdict.statistics)
            )
            coverage.store(connection, coverage_record(table, partition, version, verdict.coverage))
    except DatabaseUnavailableError as error:
        journal.log(
            "WARN",
            f"{partition}: version {version} is published, its figures and coverage are not kept: {error.message} "
            f"Catch up with: data-platform coverage {table.name} --refresh",
            partition=partition,
        )


def refresh_coverage(context: SyncContext, table: Table) -> int:
    """Look at every partition of the newest version again, and return how many there are.

    For what was published before coverage was kept, and after the records were away. Figures are kept of partitions
    that have none; those that were measured stay.

    Raises:
        NoDataError: when the table was never synced.
        ChecksumMismatchError: when a file is gone or changed.
        DatabaseUnavailableError: when the records are away.
    """
    pinned = context.warehouse.reader(table.name).pin()
    calendar = trading_calendar(table.calendar) if table.calendar is not None else None
    for entry in pinned.manifest.files:
        only = frozenset({entry.partition})
        (path,) = pinned.paths(partitions=only)
        nulls = {column.name: 0 for column in table.columns}
        profile = profile_frame(
            pinned.scan(partitions=only), key=table.key, date_column=table.date_column, null_counts=nulls
        )
        covered = coverage_record(table, entry.partition, pinned.version, coverage_of(profile, calendar))
        with context.records.transaction(_SCOPE) as connection:
            coverage.store(connection, covered)
            if not partition_statistics.of_versions(connection, table.name, entry.partition, entry.source):
                found = statistics_record(
                    context, table, entry.partition, pinned.version, entry.source, statistics_of(table, path)
                )
                partition_statistics.store(connection, found)
    return len(pinned.manifest.files)
