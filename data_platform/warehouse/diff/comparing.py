"""Comparing two pinned versions: by file from their manifests, and by row where files differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from data_platform.catalog import Table
from data_platform.warehouse.diff.row_diff import RowComparison
from data_platform.warehouse.diff.version_diff import VersionDiff, version_diff
from data_platform.warehouse.reader import PinnedVersion


def compare_versions(
    older: PinnedVersion,
    newer: PinnedVersion,
    table: Table,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> VersionDiff:
    """What lies between two versions, with the rows of changed partitions counted. `progress` is told partitions.

    Raises:
        SchemaError: when the table's key does not identify the rows of a partition.
        ChecksumMismatchError: when a file is damaged.
    """
    by_file = version_diff(older.manifest, newer.manifest)
    details = {
        partition: comparison.summary() for partition, comparison in _changed(by_file, older, newer, table, progress)
    }
    return by_file.model_copy(
        update={
            "partitions": tuple(
                item.model_copy(update={"detail": details.get(item.partition)}) for item in by_file.partitions
            )
        }
    )


def differing_rows(older: PinnedVersion, newer: PinnedVersion, table: Table, limit: int) -> pl.DataFrame:
    """The first `limit` differences in changed partitions, partition by partition, as `RowComparison.rows` has them.

    Raises:
        SchemaError, ChecksumMismatchError: as `compare_versions` does.
    """
    found: list[pl.DataFrame] = []
    missing = limit
    for _, comparison in _changed(version_diff(older.manifest, newer.manifest), older, newer, table):
        if missing > 0:
            found.append(comparison.rows(missing))
            missing -= found[-1].height
    return pl.concat(found) if found else pl.DataFrame()


def _changed(
    by_file: VersionDiff,
    older: PinnedVersion,
    newer: PinnedVersion,
    table: Table,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[tuple[str, RowComparison]]:
    changed = [item.partition for item in by_file.partitions if item.change == "changed"]
    for done, partition in enumerate(changed):
        progress(done, len(changed))
        (old,), (new,) = (pinned.paths(partitions=frozenset({partition})) for pinned in (older, newer))
        yield partition, RowComparison(old, new, table.key, table.date_column)
    progress(len(changed), len(changed))
