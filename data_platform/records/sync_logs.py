"""`data_sync_logs`: what happened while syncing, for people to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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
