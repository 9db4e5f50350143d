"""`data_sync_logs`: what happened while syncing, for people to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from data_platform.records.connection import Connection
from data_platform.records.filters import where

Level = Literal["INFO", "WARN", "ERROR"]


@dataclass(frozen=True, slots=True)
class SyncLog:
    """One line of the log; `extra` holds counts, hashes and timings, never values of rows."""

    id: int
    created_at: dt.datetime
    dataset: str
    table_name: str | None
    level: Level
    message: str
    extra: Mapping[str, object]
    sync_run_id: UUID | None


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line on its way into the table. `line_id` names it, so that sending it twice stores it once."""

    line_id: UUID
    created_at: dt.datetime
    dataset: str
    table_name: str | None
    level: Level
    message: str
    extra: Mapping[str, object]
    sync_run_id: UUID | None


def append(
    connection: Connection,
    dataset: str,
    table: str | None,
    level: Level,
    message: str,
    extra: Mapping[str, object] | None = None,
    sync_run_id: UUID | None = None,
) -> int:
    """Add a line and return its id."""
    row = connection.execute(
        """
        INSERT INTO platform.data_sync_logs (dataset, table_name, level, message, extra, sync_run_id)
        VALUES (%s, %s, %s, %s, %s, %s)
        RETURNING id
        """,
        (dataset, table, level, message.replace("\0", ""), Jsonb(dict(extra or {})), sync_run_id),
    ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING of a one-row INSERT
    return int(row["id"])


def append_many(connection: Connection, lines: Sequence[NewLine]) -> int:
    """Add lines in one statement, in their order, and return how many were not there yet."""
    return connection.execute(
        """
        INSERT INTO platform.data_sync_logs
            (line_id, created_at, dataset, table_name, level, message, extra, sync_run_id)
        SELECT * FROM unnest(
            %s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::uuid[])
        ON CONFLICT (line_id) DO NOTHING
        """,
        (
            [line.line_id for line in lines],
            [line.created_at for line in lines],
            [line.dataset for line in lines],
            [line.table_name for line in lines],
            [line.level for line in lines],
            [line.message for line in lines],
            [Jsonb(dict(line.extra)) for line in lines],
            [line.sync_run_id for line in lines],
        ),
    ).rowcount


def recent(
    connection: Connection, dataset: str | None = None, level: Level | None = None, limit: int = 100
) -> list[SyncLog]:
    """Return the newest lines that the scope may see, newest first."""
    rows = connection.execute(
        sql.SQL(
            """
            SELECT id, created_at, dataset, table_name, level, message, extra, sync_run_id
            FROM platform.data_sync_logs {} ORDER BY created_at DESC, id DESC LIMIT {}
            """
        ).format(where(dataset=dataset, level=level), limit)
    ).fetchall()
    return [SyncLog(**row) for row in rows]
