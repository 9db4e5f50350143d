"""Syncing one partition: fingerprint, extract, validate, publish or quarantine, record."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import ExitStack
from dataclasses import dataclass

from data_platform.catalog import Table
from data_platform.errors import DiskSpaceError, PlatformError, SchemaError
from data_platform.metrics.counting import publishing
from data_platform.quality import CheckResult
from data_platform.sources import Fingerprint, Source, UnusableData, open_source
from data_platform.sync.context import SyncContext
from data_platform.sync.counted import counted
from data_platform.sync.decisions import expected_bytes, is_current, is_not_delivered, is_same, refuse_mixture
from data_platform.sync.extracting import extract_to_file
from data_platform.sync.history import history_of
from data_platform.sync.journal import Journal
from data_platform.sync.lines import lines_kept
from data_platform.sync.outcome import NotDelivered, PartitionRejected, SyncOutcome, SyncStatus, unreadable
from data_platform.sync.references import references_of
from data_platform.sync.remembering import remember
from data_platform.sync.setting_aside import set_aside
from data_platform.sync.validation import Known, Verdict, as_published, failures, from_published, judge
from data_platform.sync.watching import Watching
from data_platform.warehouse import StagedFile, SyncManifest
from data_platform.warehouse.disk import require_room
from data_platform.warehouse.lock import HeldLock
from data_platform.warehouse.publish import Provenance, heal_blob, publish_partition
from data_platform.warehouse.schemas import registered_columns
from data_platform.warehouse.staging import clear_left_behind, staging_folder


@dataclass(frozen=True, slots=True)
class _Work:
    """Everything one partition's sync passes from step to step."""

    context: SyncContext
    table: Table
    partition: str
    source: Source
    journal: Journal
    base: SyncManifest | None
    started: float
    received_before: int


@lines_kept
@counted
def sync_partition(
    context: SyncContext,
    table: Table,
    partition: str,
    *,
    full: bool = False,
    source: Source | None = None,
    surveyed: Fingerprint | None = None,
) -> SyncOutcome | NotDelivered:
    """Bring one partition up to date.

    `full` extracts even when the source's fingerprint says that nothing changed. An open `source` may be passed so
    that one run needs one session, and the partition's fingerprint, where that source has `surveyed` it already.

    Raises:
        UsageError: for a partition the table does not have.
        LockBusyError: when another living writer works on the table.
        SourceError: when the source cannot be reached or breaks off; nothing is published.
        SchemaError, SyncValidationError: when the data is not fit; it is quarantined, nothing is published.
        DiskSpaceError, Fenced: nothing is published.
    """
    table.partition_range(partition)
    journal = Journal(context.records, table, context.run_id)
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            lock = stack.enter_context(
                context.warehouse.lock(table.name).acquire(wait_seconds=context.lock_wait_seconds)
            )
            # Also where nothing turns out to have changed, and nothing will be staged.
            clear_left_behind(context.warehouse.staging_root, table.name)
            if source is None:
                source = stack.enter_context(open_source(table, context.settings, context.records.databases))
            base = context.warehouse.manifests(table.name).latest()
            work = _Work(context, table, partition, source, journal, base, started, source.bytes_received)
            return _sync(work, lock, full=full, surveyed=surveyed)
    except PlatformError as error:
        journal.log("ERROR", f"{partition}: {error.message}", partition=partition, error=type(error).__name__)
        if isinstance(error, DiskSpaceError):
            # The disk knows no table; whoever reads this wants to.
            message = f"{table.name} {partition}: {error.message} Nothing was published."
            raise DiskSpaceError(message, hint=error.hint) from error
        raise


def _sync(work: _Work, lock: HeldLock, *, full: bool, surveyed: Fingerprint | None) -> SyncOutcome | NotDelivered:
    table, partition, base = work.table, work.partition, work.base
    previous = base.file(partition) if base else None
    refuse_mixture(table, partition, base, work.source.name)
    try:
        fingerprint = surveyed or work.source.fingerprint(table, partition)
    except SchemaError as error:
        _fail_unreadable(work, error, "")
        raise
    if is_not_delivered(table, partition, fingerprint.row_count, base, _today()):
        work.journal.log("INFO", f"{partition}: not delivered by the source yet", partition=partition)
        return NotDelivered(partition)
    stored = work.context.warehouse.store
    if base and previous and not full and is_current(previous, fingerprint.value, work.source.name, stored):
        return _up_to_date(work, base, results=from_published(previous.checks), extract_seconds=0.0)
    require_room(work.context.warehouse.disk(), expected_bytes(table, partition, fingerprint.row_count, base))
    with staging_folder(work.context.warehouse.staging_root, table.name, lock.token.writer_id) as folder:
        watching = Watching(work.context, work.journal, table, partition, fingerprint.row_count)
        extract_started = time.monotonic()
        try:
            target = folder / f"{partition}.parquet"
            staged = extract_to_file(work.source, table, partition, target, watching.through)
        except SchemaError as error:
            _fail_unreadable(work, error, fingerprint.value)
            raise
        extract_seconds = time.monotonic() - extract_started
        if surveyed is not None and staged.rows != surveyed.row_count:
            # The source went on while other partitions of this run were synced: what it holds now is what counts.
            fingerprint = work.source.fingerprint(table, partition)
        verdict = judge(
            table,
            partition,
            staged,
            Known(
                today=_today(),
                base=base,
                registered=registered_columns(stored, base),
                source_rows=fingerprint.row_count,
                references=references_of(table, work.context.warehouse),
                history=history_of(work.context.records, table, partition, work.source.name, base),
            ),
            # What was let through stays so: the same bytes are not refused when they come once more.
            accept_anomalies=not work.context.settings.block_on_anomalies
            or (previous is not None and previous.sha256 == staged.sha256),
        )
        results = verdict.results
        work.journal.results(partition, results, verdict.anomalies)
        if verdict.failed:
            raise _quarantine(work, staged, results, fingerprint)
        if base and previous and is_same(previous, staged.sha256, fingerprint.value, work.source.name):
            heal_blob(stored, staged, previous)
            return _up_to_date(work, base, results=results, extract_seconds=extract_seconds, lines=watching.lines)
        with publishing(table.name):
            manifest = publish_partition(
                stored,
                lock,
                dataset=table.dataset,
                table=table.name,
                partition=partition,
                staged=staged,
                provenance=Provenance(work.source.name, fingerprint.value, fingerprint.query_hash),
                checks=as_published(results),
            )
    remember(work.context, work.journal, table, partition, manifest, verdict)
    outcome = _outcome(work, SyncStatus.PUBLISHED, manifest, results, extract_seconds, watching.lines, verdict)
    work.journal.log(
        "INFO",
        f"{partition}: published version {manifest.manifest_version} with {outcome.file.rows:,} rows",
        partition=partition,
        version=manifest.manifest_version,
        rows=outcome.file.rows,
        bytes=outcome.file.bytes,
        seconds=round(outcome.seconds, 3),
        rows_per_second=round(outcome.rows_per_second),
        source=work.source.name,
        source_state=dict(fingerprint.details),
    )
    return outcome


def _up_to_date(
    work: _Work, base: SyncManifest, *, results: tuple[CheckResult, ...], extract_seconds: float, lines: int = 0
) -> SyncOutcome:
    work.journal.log("INFO", f"{work.partition}: up to date", partition=work.partition, version=base.manifest_version)
    return _outcome(work, SyncStatus.UP_TO_DATE, base, results, extract_seconds, lines)


def _outcome(
    work: _Work,
    status: SyncStatus,
    manifest: SyncManifest,
    results: tuple[CheckResult, ...],
    extract_seconds: float,
    lines: int,
    verdict: Verdict | None = None,
) -> SyncOutcome:
    for warning in work.source.warnings:
        work.journal.log("WARN", f"{work.partition}: {warning}", partition=work.partition)
    file = manifest.file(work.partition)
    if file is None:
        raise AssertionError("a published manifest names the partition it was published for")
    return SyncOutcome(
        status=status,
        partition=work.partition,
        manifest=manifest,
        file=file,
        seconds=time.monotonic() - work.started,
        extract_seconds=extract_seconds,
        bytes_received=work.source.bytes_received - work.received_before,
        results=results,
        warnings=tuple(work.source.warnings),
        verdict=verdict,
        progress_lines=lines,
    )


def _fail_unreadable(work: _Work, error: SchemaError, fingerprint: str) -> None:
    """Record data whose columns do not fit, and keep the evidence where a file arrived."""
    work.journal.results(work.partition, (unreadable(work.table, error),))
    written = {error.evidence_name: error.evidence} if isinstance(error, UnusableData) else {}
    set_aside(
        work.context.warehouse,
        work.table,
        work.partition,
        findings=(error.message,),
        source=work.source.name,
        fingerprint=fingerprint,
        written=written,
    )


def _quarantine(
    work: _Work, staged: StagedFile, results: tuple[CheckResult, ...], fingerprint: Fingerprint
) -> PartitionRejected:
    findings = failures(results)
    entry = set_aside(
        work.context.warehouse,
        work.table,
        work.partition,
        findings=findings,
        source=work.source.name,
        fingerprint=fingerprint.value,
        source_rows=fingerprint.row_count,
        query_hash=fingerprint.query_hash,
        staged=staged,
    )
    kept = f"version {work.base.manifest_version} stays" if work.base else "nothing was published"
    return PartitionRejected(
        f"{work.table.name} {work.partition} failed validation and was quarantined; {kept}. {'; '.join(findings)}.",
        results=results,
        hint=f"See: data-platform quarantine show {entry.entry_id}",
    )


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
