"""`platform_audit`: every sensitive action that is not a query, append-only and chained."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from data_platform.records import chain
from data_platform.records.connection import Connection


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action: who did what to which subject, what it was before and after, and why."""

    id: int
    created_at: dt.datetime
    actor: str
    action: str
    dataset: str | None
    subject: str | None
    old_value: Mapping[str, object] | None
    new_value: Mapping[str, object] | None
    reason: str | None
    client_ip: str | None


def append(  # noqa: PLR0913 - the columns of the table, by keyword
    connection: Connection,
    actor: str,
    action: str,
    *,
    dataset: str | None = None,
    subject: str | None = None,
    old_value: Mapping[str, object] | None = None,
    new_value: Mapping[str, object] | None = None,
    reason: str | None = None,
    client_ip: str | None = None,
) -> int:
    """Append an entry and return its id; the transaction then serialises with other appends until it ends."""
    return chain.append(
        connection,
        chain.PLATFORM_AUDIT,
        {
            "actor": actor,
            "action": action,
            "dataset": dataset,
            "subject": subject,
            "old_value": None if old_value is None else Jsonb(dict(old_value)),
            "new_value": None if new_value is None else Jsonb(dict(new_value)),
            "reason": reason,
            "client_ip": client_ip,
        },
    )


def recent(connection: Connection, actor: str | None = None, limit: int = 100) -> list[AuditEntry]:
    """Return the newest entries that the scope may see, newest first."""
    rows = connection.execute(
        """
        SELECT id, created_at, actor, action, dataset, subject, old_value, new_value, reason, client_ip
        FROM platform.platform_audit
        WHERE %(actor)s::text IS NULL OR actor = %(actor)s
        ORDER BY id DESC
        LIMIT %(limit)s
        """,
        {"actor": actor, "limit": limit},
    ).fetchall()
    return [AuditEntry(**row) for row in rows]


def current_actor(connection: Connection) -> str:
    """Return the user in whose name the transaction runs."""
    row = connection.execute("SELECT platform.app_user() AS actor").fetchone()
    if row is None or row["actor"] is None:
        raise ValueError("the transaction has no scope")
    return str(row["actor"])
