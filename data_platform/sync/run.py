"""Syncing several partitions in one run: one session at the source, oldest first, each published on its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from data_platform.catalog import Table
from data_platform.errors import PlatformError, SchemaError, SyncValidationError
from data_platform.sources import open_source
from data_platform.sync.context import SyncContext
from data_platform.sync.journal import Journal
from data_platform.sync.outcome import PartitionRejected, PartitionResult, SyncFailure, unreadable
from data_platform.sync.partition import sync_partition


def sync_partitions(
    context: SyncContext, table: Table, partitions: list[str], *, full: bool = False
) -> Iterator[PartitionResult]:
    """Sync partitions one after the other, yielding what came of each as soon as it is known.

    A partition whose data is not fit is yielded as a failure and does not keep the others from being synced. Any
    other error ends the run; what was published before it stays, and the next run goes on from there.

    Raises:
        UsageError, SourceError, LockBusyError, DiskSpaceError, Fenced: as `sync_partition` does.
    """
    with ExitStack() as stack:
        try:
            source = stack.enter_context(open_source(table, context.settings, context.records.databases))
        except PlatformError as error:
            Journal(context.records, table, context.run_id).log("ERROR", error.message, error=type(error).__name__)
            raise
        for partition in partitions:
            try:
                yield sync_partition(context, table, partition, source=source, full=full)
            except PartitionRejected as error:
                yield SyncFailure(partition, error, error.results)
            except SyncValidationError as error:
                yield SyncFailure(partition, error, ())
            except SchemaError as error:
                yield SyncFailure(partition, error, (unreadable(table, error),))
