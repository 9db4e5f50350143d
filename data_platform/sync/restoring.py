"""Publishing a quarantined partition after all: it is validated again, as if it had just arrived."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.catalog import Table, find_table
from data_platform.errors import QuarantineError
from data_platform.sync.alerting import alerts_sent
from data_platform.sync.context import SyncContext
from data_platform.sync.decisions import refuse_mixture
from data_platform.sync.history import history_of
from data_platform.sync.journal import Journal
from data_platform.sync.lines import lines_kept
from data_platform.sync.outcome import PartitionRejected
from data_platform.sync.references import references_of
from data_platform.sync.remembering import remember
from data_platform.sync.validation import Known, as_published, failures, judge
from data_platform.warehouse import SyncManifest
from data_platform.warehouse.disk import require_room
from data_platform.warehouse.lock import HeldLock
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.publish import Provenance, publish_partition
from data_platform.warehouse.quarantine import QuarantineEntry
from data_platform.warehouse.schemas import registered_columns
from data_platform.warehouse.staging import stage, staging_folder


@lines_kept
def restore_quarantined(
    context: SyncContext, entry: QuarantineEntry, *, accept_anomalies: bool = False
) -> SyncManifest:
    """Validate an entry again and, when it passes, publish it and take it out of quarantine.

    With `accept_anomalies` what statistics find does not keep it there; what the other validators find does.

    Raises:
        QuarantineError: when it holds no rows, or a newer state of the partition was published since.
        SyncValidationError: when it still fails; it stays where it is.
        SchemaError: when its columns do not fit the catalog any more; it stays where it is.
        LockBusyError: when another living writer works on the table.
    """
    if entry.row_count is None and entry.source == "verify":
        raise QuarantineError(
            f"Entry {entry.entry_id} is a damaged document that was replaced; it cannot be restored.",
            hint=f"When nobody needs it: data-platform quarantine delete {entry.entry_id}",
        )
    table = find_table(entry.table)
    table.partition_range(entry.partition)
    journal = Journal(context.records, table, context.run_id)
    with (
        alerts_sent(context),
        context.warehouse.lock(table.name).acquire(wait_seconds=context.lock_wait_seconds) as lock,
    ):
        manifest = _restore(context, entry, table, journal, lock, accept_anomalies=accept_anomalies)
    context.warehouse.quarantine.delete(entry)
    journal.log(
        "INFO",
        f"{entry.partition}: restored from quarantine as version {manifest.manifest_version}",
        partition=entry.partition,
        version=manifest.manifest_version,
        entry=entry.entry_id,
    )
    return manifest


def _restore(
    context: SyncContext,
    entry: QuarantineEntry,
    table: Table,
    journal: Journal,
    lock: HeldLock,
    *,
    accept_anomalies: bool,
) -> SyncManifest:
    manifests = context.warehouse.manifests(table.name)
    base = manifests.latest()
    refuse_mixture(table, entry.partition, base, entry.source)
    _refuse_older(manifests, entry)
    name = next((file for file in entry.files if file.endswith(".parquet")), None)
    if name is None:
        raise QuarantineError(
            f"Quarantine entry {entry.entry_id} holds no rows that could be published.",
            hint=f"Fetch them again: data-platform sync {entry.table} --partition {entry.partition} --full",
        )
    store = context.warehouse.store
    kept = context.warehouse.quarantine.folder(entry) / name
    require_room(context.warehouse.disk(), kept.stat().st_size if kept.exists() else 0)
    with staging_folder(context.warehouse.staging_root, table.name, lock.token.writer_id) as folder:
        try:
            with pq.ParquetFile(kept) as file:
                batches = file.iter_batches()  # pyright: ignore[reportUnknownMemberType] - the stubs' lists have no type
                staged = stage(batches, table.arrow_schema, table.date_column, folder / f"{entry.partition}.parquet")
        except (pa.ArrowException, FileNotFoundError):
            raise QuarantineError(
                f"The file of quarantine entry {entry.entry_id} is gone or damaged.",
                hint=f"Fetch the rows again: data-platform sync {entry.table} --partition {entry.partition} --full",
            ) from None
        verdict = judge(
            table,
            entry.partition,
            staged,
            Known(
                today=dt.datetime.now(dt.UTC).date(),
                base=base,
                registered=registered_columns(store, base),
                source_rows=entry.source_rows,
                references=references_of(table, context.warehouse),
                history=history_of(context.records, table, entry.partition, entry.source, base),
            ),
            accept_anomalies=accept_anomalies,
        )
        results = verdict.results
        journal.results(entry.partition, results, verdict.anomalies)
        if verdict.failed:
            raise PartitionRejected(
                f"{table.name} {entry.partition} still fails validation and stays in quarantine. "
                f"{'; '.join(failures(results))}.",
                results=results,
                hint=f"See: data-platform quarantine show {entry.entry_id}",
            )
        manifest = publish_partition(
            store,
            lock,
            dataset=table.dataset,
            table=table.name,
            partition=entry.partition,
            staged=staged,
            provenance=Provenance(entry.source, entry.source_fingerprint, entry.query_hash),
            checks=as_published(results),
        )
    remember(context, journal, table, entry.partition, manifest, verdict)
    return manifest


def _refuse_older(manifests: Manifests, entry: QuarantineEntry) -> None:
    """Keep an older state of a partition from replacing one that was published after it was set aside."""
    for number in reversed(manifests.numbers()):
        manifest = manifests.load(number)
        if manifest.sync_timestamp <= entry.created_at:
            return
        if entry.partition in manifest.changed_partitions:
            raise QuarantineError(
                f"{entry.table} {entry.partition} was published again after entry {entry.entry_id} was set aside; "
                "nothing was done.",
                hint=f"Version {manifest.manifest_version} has the newer state. Remove the entry: "
                f"data-platform quarantine delete {entry.entry_id}",
            )
