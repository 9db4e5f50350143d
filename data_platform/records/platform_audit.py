"""`platform_audit`: every sensitive action that is not a query, append-only and chained."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, TypedDict, Unpack

from psycopg import sql
from psycopg.types.json import Jsonb

from data_platform.records import chain, texts
from data_platform.records.connection import Connection, Records
from data_platform.records.filters import where
from data_platform.records.scope import SYSTEM, Scope

_LONGEST_SUBJECT: Final = 512


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

    def document(self) -> dict[str, object]:
        """The entry as plain values; the time is in UTC."""
        return {**asdict(self), "created_at": self.created_at.astimezone(dt.UTC).isoformat()}


class EntryFields(TypedDict, total=False):
    """What an entry may say beside who did what."""

    dataset: str | None
    subject: str | None
    old_value: Mapping[str, object] | None
    new_value: Mapping[str, object] | None
    reason: str | None
    client_ip: str | None


def append(connection: Connection, actor: str, action: str, **fields: Unpack[EntryFields]) -> int:
    """Append an entry and return its id; the transaction then serialises with other appends until it ends.

    Raises:
        UsageError: when the reason or the subject is too long, or holds characters that can't be stored.
    """
    subject, old, new = fields.get("subject"), fields.get("old_value"), fields.get("new_value")
    dataset, client_ip = fields.get("dataset"), fields.get("client_ip")
    return chain.append(
        connection,
        chain.PLATFORM_AUDIT,
        {
            "actor": actor,
            "action": action,
            "dataset": dataset,
            "subject": None if subject is None else texts.bounded(subject, "The subject", _LONGEST_SUBJECT),
            "old_value": None if old is None else Jsonb(dict(old)),
            "new_value": None if new is None else Jsonb(dict(new)),
            "reason": texts.reason(fields.get("reason")),
            "client_ip": client_ip,
        },
    )


def note(records: Records, actor: str, action: str, **fields: Unpack[EntryFields]) -> None:
    """Append an entry in a transaction of its own, in the actor's name and with sight of nothing.

    Raises:
        UsageError: as `append` does.
        DatabaseUnavailableError: when it could not be recorded.
    """
    with records.transaction(Scope(actor, None if actor.startswith(SYSTEM) else frozenset())) as connection:
        append(connection, actor, action, **fields)


def recent(
    connection: Connection,
    actor: str | None = None,
    limit: int = 100,
    *,
    action: str | None = None,
    dataset: str | None = None,
    subject: str | None = None,
) -> list[AuditEntry]:
    """Return the newest entries that the scope may see, newest first."""
    rows = connection.execute(
        sql.SQL(
            """
            SELECT id, created_at, actor, action, dataset, subject, old_value, new_value, reason, client_ip
            FROM platform.platform_audit {} ORDER BY id DESC LIMIT {}
            """
        ).format(where(actor=actor, action=action, dataset=dataset, subject=subject), limit)
    ).fetchall()
    return [AuditEntry(**row) for row in rows]


def current_actor(connection: Connection) -> str:
    """Return the user in whose name the transaction runs."""
    row = connection.execute("SELECT platform.app_user() AS actor").fetchone()
    if row is None or row["actor"] is None:
        raise ValueError("the transaction has no scope")
    return str(row["actor"])
