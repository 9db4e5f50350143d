"""Keeping what a published version looked like and covers: what the next versions are judged by, and people look at."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from data_platform.catalog import Table
from data_platform.errors import PlatformError
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
from data_platform.warehouse.manifests import Manifests

_SCOPE: Final = Scope.system("sync")


def remember(
    context: SyncContext, journal: Journal, table: Table, partition: str, manifest: SyncManifest, verdict: Verdict
) -> None:
    """Keep a version's figures and coverage; the version stands, whether or not the records can keep them."""
    file, version = manifest.file(partition), manifest.manifest_version
    if file is None or verdict.statistics is None or verdict.coverage is None:
        return
    try:
        with context.records.transaction(_SCOPE) as connection:
            partition_statistics.store(
                connection, statistics_record(context, table, partition, version, file.source, verdict.statistics)
            )
            coverage.store(connection, coverage_record(table, partition, version, verdict.coverage))
    except PlatformError as error:
        journal.log(
            "WARN",
            f"{partition}: version {version} is published, its figures and coverage are not kept: {error.message} "
            f"Catch up with: data-platform coverage {table.name} --refresh",
            partition=partition,
        )


def refresh_coverage(context: SyncContext, table: Table, only: Collection[str] | None = None) -> int:
    """Look at every partition of the newest version again, or at some `only`, and return how many these are.

    For what was published before coverage was kept, while the records were away, or by a rollback. Figures are kept of
    partitions whose newest file has none; those that were measured stay. Of partitions that the version lacks nothing
    is covered any more.

    Raises:
        NoDataError: when the table was never synced.
        ChecksumMismatchError: when a file is gone or changed.
        DatabaseUnavailableError: when the records are away.
    """
    pinned = context.warehouse.reader(table.name).pin()
    calendar = trading_calendar(table.calendar) if table.calendar is not None else None
    came_in = _versions_of_files(context.warehouse.manifests(table.name), pinned.manifest)
    entries = [entry for entry in pinned.manifest.files if only is None or entry.partition in only]
    for entry in entries:
        itself = frozenset({entry.partition})
        (path,) = pinned.paths(partitions=itself)
        frame = pinned.scan(partitions=itself)
        profile = profile_frame(frame, key=table.key, date_column=table.date_column, null_counts={})
        covered = coverage_record(table, entry.partition, pinned.version, coverage_of(profile, calendar))
        with context.records.transaction(_SCOPE) as connection:
            coverage.store(connection, covered)
            known = partition_statistics.latest_of(
                connection, table.name, [entry.partition], entry.source, pinned.version
            )
        came = came_in.get(entry.partition)
        if not known or (came is not None and known[0].manifest_version < came):
            found = statistics_of(table, path)
            record = statistics_record(context, table, entry.partition, came or pinned.version, entry.source, found)
            with context.records.transaction(_SCOPE) as connection:
                partition_statistics.store(connection, record)
    with context.records.transaction(_SCOPE) as connection:
        there = [entry.partition for entry in pinned.manifest.files]
        coverage.forget_others(connection, table.name, there, pinned.version)
    return len(entries)


def _versions_of_files(manifests: Manifests, newest: SyncManifest) -> dict[str, int]:
    """The version in which each partition's newest file came, as far back as manifests can be read."""
    came: dict[str, int] = {}
    manifest: SyncManifest | None = newest
    while manifest is not None and len(came) < len(newest.files):
        here = manifest.manifest_version
        came |= {name: here for name in manifest.changed_partitions if name not in came and newest.file(name)}
        manifest = manifests.predecessor_of(here)
    return came
