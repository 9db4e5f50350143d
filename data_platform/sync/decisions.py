"""The decisions of a sync that need no effects: is it current, is it there at all, may these rows stand together?"""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog import Partitioning, Table
from data_platform.errors import UsageError
from data_platform.warehouse import FileEntry, SyncManifest
from data_platform.warehouse.integrity import fault_of
from data_platform.warehouse.store import LocalStore

SYNTHETIC: Final = frozenset({"demo", "demo_siz", "ken_french_demo"})
"""Sources whose numbers are made up."""


def is_current(previous: FileEntry, fingerprint: str, source: str, store: LocalStore) -> bool:
    """Whether the published file was made from the very state that the source has now, and is still sound."""
    same = (previous.source_fingerprint, previous.source) == (fingerprint, source)
    return same and fault_of(store, previous) is None


def is_same(previous: FileEntry, sha256: str, fingerprint: str, source: str) -> bool:
    """Whether what was extracted is what is published, bytes and origin alike.

    Equal bytes of another state of the source are published once more: a version costs a manifest, while one that went
    on naming the former state would have the partition extracted again by every sync.
    """
    return (previous.sha256, previous.source_fingerprint, previous.source) == (sha256, fingerprint, source)


def refuse_mixture(table: Table, partition: str, base: SyncManifest | None, source: str) -> None:
    """Keep synthetic and real rows from ever standing in one version, and real rows from giving way to synthetic ones.

    Raises:
        UsageError: when another partition of the latest version came from the other kind of source, or when the
            partition itself holds real rows and the source is synthetic.
    """
    if base is None:
        return
    synthetic = source in SYNTHETIC
    kept = {entry.source for entry in base.files if entry.partition != partition or synthetic}
    if any((other in SYNTHETIC) != synthetic for other in kept):
        kind, present = ("synthetic", "real") if synthetic else ("real", "the demo's synthetic")
        raise UsageError(
            f"{table.name} {partition}: {kind} rows would stand beside or replace {present} ones; nothing was done.",
            hint="Use another DATA_PLATFORM_HOME for the one or the other.",
        )


def is_not_delivered(
    table: Table, partition: str, source_rows: int | None, base: SyncManifest | None, today: dt.date
) -> bool:
    """Whether a partition without rows is simply not there yet: this year or the last, and never published.

    Subscriptions lag behind the calendar, CRSP's annual one by more than a year's end.
    """
    if table.partitioning is not Partitioning.YEAR or source_rows != 0 or int(partition) < today.year - 1:
        return False
    return base is None or base.file(partition) is None


def expected_bytes(table: Table, partition: str, source_rows: int | None, base: SyncManifest | None) -> int:
    """About how large the partition's file will be: as before, or by the table's bytes a row, or eight a value."""
    previous = base.file(partition) if base else None
    if source_rows is None:
        return previous.bytes if previous else 0
    per_row = sum(entry.bytes for entry in base.files) / base.row_count if base else 8 * len(table.columns)
    return round(source_rows * per_row)
