"""`data_coverage`: which dates and how many symbols the newest version of each partition covers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from data_platform.records.connection import Connection
from data_platform.records.filters import where

_COLUMNS: Final = sql.SQL(
    "updated_at, dataset, table_name, partition, manifest_version, start_date, end_date, row_count, symbols, dates, "
    "missing_dates, gaps, symbols_by_month"
)


@dataclass(frozen=True, slots=True)
class PartitionCoverage:
    """What a version of a partition covers.

    `symbols` are the different values of the key's first part besides the date, None where the date is all; `gaps` are
    stretches of missing dates as [first, last, number of dates], at most the first fifty, `missing_dates` how many
    there are in all, None where no calendar judges; `symbols_by_month` is the median number of rows a date, by month
    ("2024-03").
    """

    dataset: str
    table_name: str
    partition: str
    manifest_version: int
    start_date: dt.date | None
    end_date: dt.date | None
    row_count: int
    symbols: int | None
    dates: int
    missing_dates: int | None
    gaps: Sequence[tuple[str, str, int]]
    symbols_by_month: Mapping[str, int]
    updated_at: dt.datetime | None = None


def store(connection: Connection, found: PartitionCoverage) -> None:
    """Keep a partition's coverage in place of the one before; that of an older version changes nothing."""
    connection.execute(
        """
        INSERT INTO platform.data_coverage AS kept
            (dataset, table_name, partition, manifest_version, start_date, end_date, row_count, symbols, dates,
             missing_dates, gaps, symbols_by_month)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (table_name, partition) DO UPDATE SET
            updated_at = now(), manifest_version = excluded.manifest_version, start_date = excluded.start_date,
            end_date = excluded.end_date, row_count = excluded.row_count, symbols = excluded.symbols,
            dates = excluded.dates, missing_dates = excluded.missing_dates, gaps = excluded.gaps,
            symbols_by_month = excluded.symbols_by_month
        WHERE kept.manifest_version <= excluded.manifest_version
        """,
        (
            found.dataset,
            found.table_name,
            found.partition,
            found.manifest_version,
            found.start_date,
            found.end_date,
            found.row_count,
            found.symbols,
            found.dates,
            found.missing_dates,
            Jsonb([list(gap) for gap in found.gaps]),
            Jsonb(dict(found.symbols_by_month)),
        ),
    )


def forget_others(connection: Connection, table: str, partitions: Iterable[str], version: int) -> int:
    """Remove the coverage of a table's partitions that a version lacks, and return of how many.

    What was published later is none of that version's business and stays.
    """
    return connection.execute(
        "DELETE FROM platform.data_coverage WHERE table_name = %s AND partition <> ALL (%s) AND manifest_version <= %s",
        (table, list(partitions), version),
    ).rowcount


def of_tables(connection: Connection, dataset: str, table: str | None = None) -> list[PartitionCoverage]:
    """Return the coverage of a dataset's partitions that the scope may see, by table and partition."""
    rows = connection.execute(
        sql.SQL("SELECT {} FROM platform.data_coverage {} ORDER BY table_name, partition").format(
            _COLUMNS, where(dataset=dataset, table_name=table)
        )
    ).fetchall()
    return [_coverage(row) for row in rows]


def _coverage(row: dict[str, Any]) -> PartitionCoverage:
    row["gaps"] = tuple((first, last, dates) for first, last, dates in row["gaps"])
    return PartitionCoverage(**row)
