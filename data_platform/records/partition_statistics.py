"""`data_partition_statistics`: what each published version of a partition looked like, for the next one's judge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.types.json import Jsonb

from data_platform.records.connection import Connection


@dataclass(frozen=True, slots=True)
class PartitionStatistics:
    """Figures of one version of a partition.

    `null_shares` has the share of missing values of each column; `statistics` further figures by name
    and column, such as the share of zeros. All are counts, shares and scale-free figures of columns, never values.
    """

    dataset: str
    table_name: str
    partition: str
    manifest_version: int
    source: str
    row_count: int
    null_shares: Mapping[str, float]
    statistics: Mapping[str, Mapping[str, float]]
    sync_run_id: UUID | None = None
    created_at: dt.datetime | None = None


_COLUMNS = """
    created_at, dataset, table_name, partition, manifest_version, source, row_count, null_shares, statistics,
    sync_run_id
"""


def store(connection: Connection, found: PartitionStatistics) -> None:
    """Keep a version's figures; those of a version that has some already stay."""
    connection.execute(
        """
        INSERT INTO platform.data_partition_statistics
            (dataset, table_name, partition, manifest_version, source, row_count, null_shares, statistics,
             sync_run_id)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (table_name, partition, manifest_version) DO NOTHING
        """,
        (
            found.dataset,
            found.table_name,
            found.partition,
            found.manifest_version,
            found.source,
            found.row_count,
            Jsonb(dict(found.null_shares)),
            Jsonb(dict(found.statistics)),
            found.sync_run_id,
        ),
    )


def of_versions(
    connection: Connection, table: str, partition: str, source: str, until: int, limit: int = 10
) -> list[PartitionStatistics]:
    """Return the figures of a partition's latest versions from a source, up to the version `until`, oldest first."""
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM platform.data_partition_statistics
        WHERE table_name = %s AND partition = %s AND source = %s AND manifest_version <= %s
        ORDER BY manifest_version DESC LIMIT %s
        """,  # noqa: S608 - names of columns of ours
        (table, partition, source, until, limit),
    ).fetchall()
    return [PartitionStatistics(**row) for row in reversed(rows)]


def latest_of(
    connection: Connection, table: str, partitions: Sequence[str], source: str, until: int
) -> list[PartitionStatistics]:
    """Return the figures of each partition's latest version from a source, up to the version `until`.

    In the order asked for; a partition without any is left out.
    """
    # One short look at the index for each, instead of a sort of all their versions.
    rows = connection.execute(
        f"""
        SELECT found.* FROM unnest(%s::text[]) WITH ORDINALITY AS asked (name, place)
        CROSS JOIN LATERAL (
            SELECT {_COLUMNS} FROM platform.data_partition_statistics
            WHERE table_name = %s AND partition = asked.name AND source = %s AND manifest_version <= %s
            ORDER BY manifest_version DESC LIMIT 1
        ) AS found ORDER BY asked.place
        """,  # noqa: S608 - as above
        (list(partitions), table, source, until),
    ).fetchall()
    return [PartitionStatistics(**row) for row in rows]
