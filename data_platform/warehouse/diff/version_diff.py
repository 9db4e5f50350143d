"""How two versions of a table differ, by file: which partitions came, went, changed or are the same. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict

from data_platform.warehouse.manifest import FileEntry, SyncManifest


class RowDiff(BaseModel):
    """How the rows of a partition differ: counts, columns and dates, never a value.

    `columns` counts for each column the rows whose value changed. The dates are those of the first and last row that
    was added, removed or changed.
    """

    model_config = ConfigDict(frozen=True)

    added: int
    removed: int
    changed: int
    columns: dict[str, int]
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    first_date: dt.date | None
    last_date: dt.date | None


class PartitionDiff(BaseModel):
    """One partition in the older and the newer version; sizes in bytes, `detail` where rows were compared."""

    model_config = ConfigDict(frozen=True)

    partition: str
    change: Literal["added", "removed", "changed", "unchanged"]
    rows_before: int
    rows_after: int
    bytes_before: int
    bytes_after: int
    detail: RowDiff | None = None


class VersionDiff(BaseModel):
    """What lies between two versions; None stands for the time before the first."""

    model_config = ConfigDict(frozen=True)

    table: str
    older: int | None
    newer: int
    partitions: tuple[PartitionDiff, ...]


def version_diff(older: SyncManifest | None, newer: SyncManifest) -> VersionDiff:
    """Compare two versions of one table by the hashes of their files, partition by partition."""
    before = {entry.partition: entry for entry in older.files} if older else {}
    after = {entry.partition: entry for entry in newer.files}
    return VersionDiff(
        table=newer.table,
        older=older.manifest_version if older else None,
        newer=newer.manifest_version,
        partitions=tuple(
            _partition(name, before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())
        ),
    )


def _partition(name: str, before: FileEntry | None, after: FileEntry | None) -> PartitionDiff:
    change: Literal["added", "removed", "changed", "unchanged"] = "changed"
    if before is None:
        change = "added"
    elif after is None:
        change = "removed"
    elif before.sha256 == after.sha256:
        change = "unchanged"
    return PartitionDiff(
        partition=name,
        change=change,
        rows_before=before.rows if before else 0,
        rows_after=after.rows if after else 0,
        bytes_before=before.bytes if before else 0,
        bytes_after=after.bytes if after else 0,
    )
