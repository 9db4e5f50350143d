"""Keeping what a published version looked like and covers: what the next versions are judged by, and people look at."""

from __future__ import annotations

from data_platform.catalog import Table
from data_platform.errors import DatabaseUnavailableError
from data_platform.records import coverage, partition_statistics
from data_platform.sync.context import SyncContext
from data_platform.sync.covering import SCOPE, coverage_record
from data_platform.sync.history import statistics_record
from data_platform.sync.journal import Journal
from data_platform.sync.validation import Verdict
from data_platform.warehouse import SyncManifest


def remember(
    context: SyncContext, journal: Journal, table: Table, partition: str, manifest: SyncManifest, verdict: Verdict
) -> None:
    """Keep a version's figures and coverage; the version stands, whether or not the records can be reached."""
    file, version = manifest.file(partition), manifest.manifest_version
    if file is None or verdict.statistics is None or verdict.coverage is None:
        return
    try:
        with context.records.transaction(SCOPE) as connection:
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
