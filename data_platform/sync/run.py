"""Syncing several partitions in one run: one session at the source, oldest first, each published on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from data_platform.catalog import Table
from data_platform.errors import PlatformError, SchemaError, SyncValidationError
from data_platform.sources import Fingerprint
from data_platform.sync.alerting import alerts_sent
from data_platform.sync.context import SyncContext
from data_platform.sync.journal import Journal
from data_platform.sync.lines import kept_lines
from data_platform.sync.outcome import PartitionRejected, PartitionResult, SyncFailure, unreadable
from data_platform.sync.partition import sync_partition
from data_platform.sync.run_source import RunSource

ATTEMPTS: Final = 3
_LONGEST_WAIT: Final = 60.0

Result = TypeVar("Result")


def sync_partitions(
    context: SyncContext, table: Table, partitions: list[str], *, full: bool = False
) -> Iterator[PartitionResult]:
    """Sync partitions one after the other, yielding what came of each as soon as it is known.

    The source is asked once what all of them look like, and only those that changed are extracted. A partition whose
    data is not fit is yielded as a failure and does not keep the others from being synced. A session that is cut is
    opened again, and the partition that it was cut in begins anew, a few times. Any other error ends the run; what was
    published before it stays, and the next run goes on from there.

    Raises:
        UsageError, SourceError, LockBusyError, DiskSpaceError, Fenced: as `sync_partition` does.
    """
    for partition in partitions:
        table.partition_range(partition)
    journal = Journal(context.records, table, context.run_id)
    with kept_lines(context), alerts_sent(context), RunSource(context, table) as source:
        try:
            surveyed = _again(context, journal, source, lambda: _survey(source, table, partitions))
        except PlatformError as error:
            journal.log("ERROR", error.message, error=type(error).__name__)
            raise
        for partition in partitions:
            yield _again(
                context,
                journal,
                source,
                lambda partition=partition: _result(context, source, table, partition, surveyed, full=full),
            )


def _survey(source: RunSource, table: Table, partitions: list[str]) -> Mapping[str, Fingerprint]:
    """What all partitions look like; nothing where that is for each partition's own sync to find out and record."""
    if len(partitions) == 1:
        source.current()
        return {}
    try:
        return source.current().survey(table, partitions)
    except SchemaError:
        return {}


def _result(
    context: SyncContext,
    source: RunSource,
    table: Table,
    partition: str,
    surveyed: Mapping[str, Fingerprint],
    *,
    full: bool,
) -> PartitionResult:
    try:
        return sync_partition(
            context, table, partition, source=source.current(), full=full, surveyed=surveyed.get(partition)
        )
    except PartitionRejected as error:
        return SyncFailure(partition, error, error.results)
    except SyncValidationError as error:
        return SyncFailure(partition, error, ())
    except SchemaError as error:
        return SyncFailure(partition, error, (unreadable(table, error),))


def _again(context: SyncContext, journal: Journal, source: RunSource, work: Callable[[], Result]) -> Result:
    """Do the work, and do it again with a new session when the one it had was cut."""

    def reopen(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0.0
        said = error.message if isinstance(error, PlatformError) else "The session was cut."
        journal.log("WARN", f"{said} Opening another session in {seconds:.1f} s.", attempt=state.attempt_number)
        source.drop()

    retrying = Retrying(
        retry=retry_if_exception(source.is_worth_another),
        stop=stop_after_attempt(ATTEMPTS),
        # A random part keeps several machines from knocking in step at a server that has just come back.
        wait=wait_exponential_jitter(multiplier=context.retry_seconds, max=_LONGEST_WAIT, jitter=context.retry_seconds),
        before_sleep=reopen,
        reraise=True,
    )
    return retrying(work)
