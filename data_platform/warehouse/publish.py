"""Publishing one partition: the staged file becomes a blob, and the next manifest names it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from data_platform.catalog.drift import columns_of
from data_platform.errors import SyncValidationError
from data_platform.warehouse import layout
from data_platform.warehouse.integrity import clear_mark, fault_of
from data_platform.warehouse.lock import HeldLock
from data_platform.warehouse.manifest import FileCheck, FileEntry, SyncManifest, files_checksum, span
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.schemas import SchemaRegistry
from data_platform.warehouse.staging import StagedFile
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.sweep_lock import SweepLock


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a partition's rows came from."""

    source: str
    source_fingerprint: str
    query_hash: str | None


def publish_partition(
    store: LocalStore,
    lock: HeldLock,
    *,
    dataset: str,
    table: str,
    partition: str,
    staged: StagedFile,
    provenance: Provenance,
    checks: tuple[FileCheck, ...],
) -> SyncManifest:
    """Publish a validated partition as the table's next version; the other partitions stay as they are.

    Raises:
        SchemaError: when the columns break readers of earlier versions.
        Fenced: when the lock was lost; nothing is published.
        DiskSpaceError: when the disk is full; nothing is published.
    """
    if staged.rows == 0:
        raise SyncValidationError(f"{table}, partition {partition}: a file without rows is never published.")
    manifests = Manifests(store, table)
    base = manifests.latest()
    registry = SchemaRegistry(store, dataset, table)
    entry = FileEntry(
        partition=partition,
        sha256=staged.sha256,
        bytes=staged.bytes,
        rows=staged.rows,
        min_date=staged.min_date,
        max_date=staged.max_date,
        source=provenance.source,
        source_fingerprint=provenance.source_fingerprint,
        checks=checks,
    )
    files = replace_partition(base.files if base else (), entry)

    def make(number: int) -> SyncManifest:
        after = base.schema_version if base else None
        return next_manifest(
            base,
            number,
            dataset=dataset,
            table=table,
            files=files,
            changed=(partition,),
            schema_version=registry.register(columns_of(staged.schema), after=after, now=dt.datetime.now(dt.UTC)),
            provenance=provenance,
        )

    with SweepLock(store.root).shared():
        _place_blob(store, staged, entry)
        return manifests.publish(lock, base.manifest_version if base else 0, make)


def next_manifest(  # noqa: PLR0913 - what a manifest is made of, by keyword
    base: SyncManifest | None,
    number: int,
    *,
    dataset: str,
    table: str,
    files: Sequence[FileEntry],
    changed: tuple[str, ...],
    schema_version: str,
    provenance: Provenance,
    not_before: dt.datetime | None = None,
) -> SyncManifest:
    """The manifest of version `number`, which follows `base`, or a lost one when that is None.

    Its time is never before that of `base`, nor before `not_before`: reading as of a date relies on the order, even if
    the clock was set back.

    The version's status is ``warning`` when any of its files was published with a warning.
    """
    now = dt.datetime.now(dt.UTC)
    start_date, end_date = span(files)
    warned = any(check.status == "warning" for item in files for check in item.checks)
    return SyncManifest(
        dataset=dataset,
        table=table,
        manifest_version=number,
        sync_timestamp=max(now, base.sync_timestamp if base else now, not_before or now),
        start_date=start_date,
        end_date=end_date,
        row_count=sum(item.rows for item in files),
        checksum=files_checksum(tuple(files)),
        previous_checksum=base.checksum if base else None,
        schema_version=schema_version,
        wrds_query_hash=provenance.query_hash,
        source_fingerprint=provenance.source_fingerprint,
        validation_status="warning" if warned else "passed",
        changed_partitions=changed,
        files=tuple(files),
    )


def replace_partition(files: tuple[FileEntry, ...], entry: FileEntry) -> tuple[FileEntry, ...]:
    """The files of the next version: `entry` in place of its partition, all others untouched, in order."""
    others = [item for item in files if item.partition != entry.partition]
    return tuple(sorted([*others, entry], key=lambda item: item.partition))


def heal_blob(store: LocalStore, staged: StagedFile, entry: FileEntry) -> bool:
    """Put the true content back under its name when the stored file has changed or gone; False when it is sound."""
    if fault_of(store, entry, trust_notes=False) is None:
        return False
    store.restore(layout.blob(staged.sha256), staged.path)
    clear_mark(store, staged.sha256)
    return True


def _place_blob(store: LocalStore, staged: StagedFile, entry: FileEntry) -> None:
    """Give the staged file its content's name, unless that content is there already and sound."""
    if store.adopt_if_absent(layout.blob(staged.sha256), staged.path):
        clear_mark(store, staged.sha256)
    else:
        heal_blob(store, staged, entry)
