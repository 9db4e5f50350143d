"""`data_query_audit`: who queried what, and the rate limit that the same rows enforce.

An attempt is written before a query runs, its outcome afterwards as a second row that names it. Counting a user's
attempts and writing the next one are one transaction under a lock of that user, so the limit can't be raced; when
the database is away there is no attempt, and so no query.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from psycopg.types.json import Jsonb

from data_platform.errors import RateLimitedError
from data_platform.records import chain
from data_platform.records.connection import Connection, Records
from data_platform.records.scope import Scope

Result = Literal["success", "error", "timeout", "rate_limited", "denied", "cancelled"]

WINDOW_SECONDS: Final = 60
_SCOPE: Final = Scope.system("query-audit")

Versions = int | Mapping[str, int] | None
"""What a query may read: table names with their manifest versions, one version, or None before anything is pinned."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A query that may run: the id its outcome will name, and how many more the user has in this minute."""

    audit_id: int
    remaining: int


@dataclass(frozen=True, slots=True)
class AuditedQuery:
    """One row; an attempt or refusal when `attempt_id` is None, an outcome otherwise."""

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


def record_attempt(  # noqa: PLR0913 - the columns of an attempt
    records: Records,
    user: str,
    dataset: str,
    manifest_version: Versions,
    fingerprint: str,
    query_text_encrypted: bytes,
    client_ip: str | None,
    limit_per_minute: int,
    *,
    window_seconds: float = WINDOW_SECONDS,
) -> Attempt:
    """Count the user's attempts in the window by the database's clock and, below the limit, record one more.

    A refusal is recorded as well and does not count.

    Raises:
        RateLimitedError: at the limit, with the seconds until the next attempt is possible.
        DatabaseUnavailableError: when nothing could be recorded.
    """
    row = _row(user, dataset, manifest_version, fingerprint, query_text_encrypted, client_ip)
    with records.transaction(_SCOPE) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"queries of {user}",))
        ages = _attempt_ages(connection, user, window_seconds, limit_per_minute)
        wait = seconds_to_wait(ages, limit_per_minute, window_seconds)
        audit_id = chain.append(
            connection, chain.QUERY_AUDIT, row if wait is None else {**row, "result": "rate_limited"}
        )
    if wait is not None:
        raise RateLimitedError(
            f"The limit of {limit_per_minute} queries per minute is reached. Please wait {wait} "
            f"second{'' if wait == 1 else 's'}.",
            retry_after_seconds=wait,
        )
    return Attempt(audit_id, remaining=limit_per_minute - len(ages) - 1)


def record_refusal(
    records: Records,
    user: str,
    dataset: str,
    fingerprint: str,
    query_text_encrypted: bytes,
    client_ip: str | None,
    *,
    result: Result = "denied",
) -> int:
    """Record a query that was refused before it could become an attempt, and return the row's id."""
    row = _row(user, dataset, None, fingerprint, query_text_encrypted, client_ip)
    with records.transaction(_SCOPE) as connection:
        return chain.append(connection, chain.QUERY_AUDIT, {**row, "result": result})


def record_outcome(records: Records, audit_id: int, row_count: int | None, duration_ms: int, result: Result) -> int:
    """Record how the attempt `audit_id` ended, once, and return the new row's id."""
    with records.transaction(_SCOPE) as connection:
        attempt = connection.execute(
            """
            SELECT user_id, dataset, manifest_version, manifest_versions, query_fingerprint, client_ip
            FROM platform.data_query_audit
            WHERE id = %s AND attempt_id IS NULL AND result IS NULL
            """,
            (audit_id,),
        ).fetchone()
        if attempt is None:
            raise ValueError(f"{audit_id} is no attempt")
        versions = attempt.pop("manifest_versions")
        return chain.append(
            connection,
            chain.QUERY_AUDIT,
            {
                **attempt,
                "manifest_versions": None if versions is None else Jsonb(versions),
                "attempt_id": audit_id,
                "query_text": None,
                "row_count": row_count,
                "duration_ms": duration_ms,
                "result": result,
            },
        )


def recent(
    connection: Connection, user: str | None = None, dataset: str | None = None, limit: int = 100
) -> list[AuditedQuery]:
    """Return the newest rows that the scope may see, newest first."""
    rows = connection.execute(
        """
        SELECT id, created_at, attempt_id, user_id, dataset, manifest_version, manifest_versions, query_fingerprint,
               query_text, row_count, duration_ms, client_ip, result
        FROM platform.data_query_audit
        WHERE (%(user)s::text IS NULL OR user_id = %(user)s) AND (%(dataset)s::text IS NULL OR dataset = %(dataset)s)
        ORDER BY id DESC
        LIMIT %(limit)s
        """,
        {"user": user, "dataset": dataset, "limit": limit},
    ).fetchall()
    return [AuditedQuery(**row) for row in rows]


def seconds_to_wait(ages: list[float], limit: int, window_seconds: float) -> int | None:
    """Return None below the limit, else the whole seconds until the next attempt is within it, at least one.

    `ages` are the seconds since each attempt in the window, youngest first. There is room again when the
    limit-th youngest has left the window.
    """
    if len(ages) < limit:
        return None
    return max(1, math.ceil(window_seconds - ages[limit - 1]))


def split_versions(versions: Versions) -> tuple[int | None, dict[str, int] | None]:
    """Return the one version that the query may read, if it is one, and the version of each table, if known."""
    if not isinstance(versions, Mapping):
        return versions, None
    by_table = dict(versions)
    return (next(iter(by_table.values())) if len(by_table) == 1 else None), by_table


def _attempt_ages(connection: Connection, user: str, window_seconds: float, limit: int) -> list[float]:
    rows = connection.execute(
        """
        SELECT extract(epoch FROM now.time - created_at)::float8 AS age
        FROM platform.data_query_audit, (SELECT clock_timestamp() AS time) AS now
        WHERE user_id = %(user)s AND attempt_id IS NULL AND result IS NULL
          AND created_at > now.time - make_interval(secs => %(window)s)
        ORDER BY created_at DESC
        LIMIT %(limit)s
        """,
        {"user": user, "window": window_seconds, "limit": limit},
    ).fetchall()
    return [float(row["age"]) for row in rows]


def _row(
    user: str, dataset: str, versions: Versions, fingerprint: str, query_text: bytes, client_ip: str | None
) -> dict[str, object]:
    version, by_table = split_versions(versions)
    return {
        "attempt_id": None,
        "user_id": user,
        "dataset": dataset,
        "manifest_version": version,
        "manifest_versions": None if by_table is None else Jsonb(by_table),
        "query_fingerprint": fingerprint,
        "query_text": query_text,
        "row_count": None,
        "duration_ms": None,
        "client_ip": client_ip,
        "result": None,
    }
