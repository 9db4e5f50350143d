"""`data_query_audit`: who queried what, and the rate limit that the same rows enforce.

An attempt is written before a query runs, its outcome afterwards as a second row that names it. Taking a place of the
user's limit and writing the attempt are one transaction, so the limit can't be raced; when the database is away there
is no attempt, and so no query.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

from psycopg import sql
from psycopg.types.json import Jsonb

from data_platform.records import chain, rate_limits
from data_platform.records.connection import Connection, Records
from data_platform.records.filters import where
from data_platform.records.rate_limits import Limit
from data_platform.records.scope import Scope

Result = Literal["success", "error", "timeout", "rate_limited", "denied", "cancelled"]
Kind = Literal["dry_run", "export", "replay"]
"""What an audited statement was, when it was no query or preview."""

_SCOPE: Final = Scope.system("query-audit")
_RATE_LIMITED: Final = {"result": "rate_limited"}
_COLUMNS: Final = """
    id, created_at, attempt_id, user_id, dataset, manifest_version, manifest_versions, query_fingerprint, query_text,
    row_count, duration_ms, client_ip, result, kind, result_sha256, result_order_sha256
"""

Versions = int | Mapping[str, int] | None
"""What a query may read: table names with their manifest versions, one version, or None before anything is pinned."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A query that may run: the id its outcome will name, and how many more the limit leaves the user."""

    audit_id: int
    remaining: int


@dataclass(frozen=True, slots=True)
class SealedText:
    """A query as the audit keeps it: encrypted, with the SHA-256 (hex) of the text and of its normal form."""

    fingerprint: str
    sha256: str
    encrypted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResultHash:
    """The SHA-256 (hex) of a result's rows in any order, and in their own when the query gives them one."""

    any_order: str
    own_order: str | None = None


@dataclass(frozen=True, slots=True)
class AuditedQuery:
    """One row; an attempt or refusal when `attempt_id` is None, an outcome otherwise.

    The hashes are those of a success's rows; `kind` is None for queries and previews.
    """

    id: int
    created_at: dt.datetime
    attempt_id: int | None
    user_id: str
    dataset: str
    manifest_version: int | None
    manifest_versions: Mapping[str, int] | None
    query_fingerprint: str
    query_text: bytes | None = field(repr=False)
    row_count: int | None
    duration_ms: int | None
    client_ip: str | None
    result: Result | None
    kind: Kind | None = None
    result_sha256: str | None = None
    result_order_sha256: str | None = None

    def document(self) -> dict[str, object]:
        """The row as plain values, without the encrypted text; the time is in UTC."""
        values: dict[str, object] = {**asdict(self), "created_at": self.created_at.astimezone(dt.UTC).isoformat()}
        del values["query_text"]
        return values


def record_attempt(
    records: Records,
    user: str,
    dataset: str,
    versions: Versions,
    text: SealedText,
    client_ip: str | None,
    limit: Limit,
    *,
    kind: Kind | None = None,
) -> Attempt:
    """Take a place of the user's limit and record the attempt. A refusal is recorded as well.

    Raises:
        RateLimitedError: at the limit, with the seconds until the next attempt is possible.
        DatabaseUnavailableError: when nothing could be recorded.
    """
    row = _row(user, dataset, versions, text, client_ip, kind)
    with records.transaction(_SCOPE) as connection:
        place = rate_limits.take(connection, limit, user)
        audit_id = chain.append(connection, chain.QUERY_AUDIT, row if place.granted else row | _RATE_LIMITED)
    if place.wait_seconds is not None:
        raise rate_limits.refusal(limit, place.wait_seconds)
    return Attempt(audit_id, place.remaining)


def record_refusal(
    records: Records,
    user: str,
    dataset: str,
    text: SealedText,
    client_ip: str | None,
    *,
    result: Result = "denied",
    kind: Kind | None = None,
) -> int:
    """Record a query that was refused before it could become an attempt, and return the row's id."""
    row = _row(user, dataset, None, text, client_ip, kind)
    with records.transaction(_SCOPE) as connection:
        return chain.append(connection, chain.QUERY_AUDIT, {**row, "result": result})


def record_outcome(
    records: Records,
    audit_id: int,
    row_count: int | None,
    duration_ms: int,
    result: Result,
    *,
    versions: Mapping[str, int] | None = None,
    result_hash: ResultHash | None = None,
) -> int:
    """Record how the attempt `audit_id` ended, once, and return the new row's id.

    `versions` are those that were read, when that is less than the attempt could read.
    """
    with records.transaction(_SCOPE) as connection:
        attempt = connection.execute(
            """
            SELECT user_id, dataset, manifest_version, manifest_versions, query_fingerprint, client_ip, kind
            FROM platform.data_query_audit
            WHERE id = %s AND attempt_id IS NULL AND result IS NULL
            """,
            (audit_id,),
        ).fetchone()
        if attempt is None:
            raise ValueError(f"{audit_id} is no attempt")
        by_table = attempt.pop("manifest_versions")
        if versions is not None:
            attempt["manifest_version"], by_table = split_versions(versions)
        return chain.append(
            connection,
            chain.QUERY_AUDIT,
            {
                **attempt,
                "manifest_versions": None if by_table is None else Jsonb(by_table),
                "attempt_id": audit_id,
                "query_text": None,
                "query_text_sha256": None,
                "row_count": row_count,
                "duration_ms": duration_ms,
                "result": result,
                "result_sha256": None if result_hash is None else result_hash.any_order,
                "result_order_sha256": None if result_hash is None else result_hash.own_order,
            },
        )


def with_outcome(connection: Connection, audit_id: int) -> list[AuditedQuery]:
    """Return the attempt of that id and its outcome, as far as the table has them and the scope may see them."""
    rows = connection.execute(
        sql.SQL(
            "SELECT {columns} FROM platform.data_query_audit WHERE id = {id}"
            " UNION ALL SELECT {columns} FROM platform.data_query_audit WHERE attempt_id = {id}"
        ).format(columns=sql.SQL(_COLUMNS), id=sql.Literal(audit_id))
    ).fetchall()
    return [AuditedQuery(**row) for row in rows]


def recent(
    connection: Connection, user: str | None = None, dataset: str | None = None, limit: int = 100
) -> list[AuditedQuery]:
    """Return the newest rows that the scope may see, newest first."""
    rows = connection.execute(
        sql.SQL("SELECT {} FROM platform.data_query_audit {} ORDER BY id DESC LIMIT {}").format(
            sql.SQL(_COLUMNS), where(user_id=user, dataset=dataset), limit
        )
    ).fetchall()
    return [AuditedQuery(**row) for row in rows]


def split_versions(versions: Versions) -> tuple[int | None, dict[str, int] | None]:
    """Return the one version that the query may read, if it is one, and the version of each table, if known."""
    if not isinstance(versions, Mapping):
        return versions, None
    by_table = dict(versions)
    return (next(iter(by_table.values())) if len(by_table) == 1 else None), by_table


def _row(
    user: str, dataset: str, versions: Versions, text: SealedText, client_ip: str | None, kind: Kind | None
) -> dict[str, object]:
    version, by_table = split_versions(versions)
    return {
        "attempt_id": None,
        "user_id": user,
        "dataset": dataset,
        "manifest_version": version,
        "manifest_versions": None if by_table is None else Jsonb(by_table),
        "query_fingerprint": text.fingerprint,
        "query_text": text.encrypted,
        "query_text_sha256": text.sha256,
        "row_count": None,
        "duration_ms": None,
        "client_ip": client_ip,
        "result": None,
        "kind": kind,
    }
