"""What a partition was before, as the anomaly detection wants it: kept in the records with each published version."""

from __future__ import annotations

from typing import Final

from data_platform.catalog import Partitioning, Table
from data_platform.quality.anomalies import NO_HISTORY, History, Statistics
from data_platform.records import partition_statistics
from data_platform.records.connection import Records
from data_platform.records.partition_statistics import PartitionStatistics
from data_platform.records.scope import Scope
from data_platform.sync.context import SyncContext
from data_platform.warehouse import SyncManifest

NEIGHBOURS: Final = 5
"""Partitions on each side."""

_SCOPE: Final = Scope.system("sync")


def history_of(records: Records, table: Table, partition: str, source: str, base: SyncManifest | None) -> History:
    """The figures of the partition's latest versions up to `base`, and of the latest version of each neighbour.

    Of those from the same source only: what another one leaves open is no news. A table that has no version here has no
    history, and of one whose versions end earlier than its figures (the records may have served another home, or this
    one was restored from a backup) the later figures are not its own.
    """
    if base is None:
        return NO_HISTORY
    until = base.manifest_version
    with records.transaction(_SCOPE) as connection:
        versions = partition_statistics.of_versions(connection, table.name, partition, source, until)
        beside = partition_statistics.latest_of(connection, table.name, neighbours(table, partition), source, until)
    return History(tuple(map(_statistics, versions)), tuple(map(_statistics, beside)))


def neighbours(table: Table, partition: str) -> list[str]:
    """The names of the partitions beside one, in order; none for a table kept whole."""
    if table.partitioning is Partitioning.WHOLE:
        return []
    year = int(partition)
    return [str(each) for each in range(year - NEIGHBOURS, year + NEIGHBOURS + 1) if each != year]


def statistics_record(
    context: SyncContext, table: Table, partition: str, version: int, source: str, found: Statistics
) -> PartitionStatistics:
    """A version's figures in the form in which the records keep them: by figure, then by column."""
    nested: dict[str, dict[str, float]] = {}
    for (figure, column), value in found.to_metrics().items():
        nested.setdefault(figure, {})[column] = value
    return PartitionStatistics(
        dataset=table.dataset,
        table_name=table.name,
        partition=partition,
        manifest_version=version,
        source=source,
        row_count=found.rows,
        null_shares={name: column.null_share for name, column in found.columns.items()},
        statistics=nested,
        sync_run_id=context.run_id,
    )


def _statistics(kept: PartitionStatistics) -> Statistics:
    return Statistics.from_metrics(
        {(figure, column): value for figure, columns in kept.statistics.items() for column, value in columns.items()}
    )
