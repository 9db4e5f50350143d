"""`query_requests`: queries and exports as things that can be run later, looked up, listed and cancelled.

Texts, parameters and error messages arrive here encrypted and leave so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

from psycopg import sql

from data_platform.errors import UsageError
from data_platform.records.connection import Connection
from data_platform.records.filters import where

RequestState = Literal["queued", "running", "done", "failed", "cancelled"]
RequestKind = Literal["query", "export"]
ExportFormat = Literal["csv", "parquet"]

ABANDONED_AFTER: Final = dt.timedelta(minutes=5)
"""A request that has been running for longer lost its run: a query may take 30 seconds, an export 60."""

RESULTS_LIVE: Final = dt.timedelta(hours=24)
"""How long a result may be asked for; the rows' retention is the same."""

_COLUMNS: Final = """
    id, created_at, updated_at, user_id, dataset, query_text, parameters, state, result_location, kind, format,
    escape_formulas, as_of, cancel_requested, cancel_reason, audit_id, row_count, error_kind, error_message, started_at,
    finished_at, expires_at, client_ip, by_server
"""


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """One request and where its result lies once it is done."""

    id: UUID
    created_at: dt.datetime
    updated_at: dt.datetime
    user_id: str
    dataset: str
    query_text: bytes = field(repr=False)
    parameters: bytes | None = field(repr=False)
    state: RequestState
    result_location: str | None
    kind: RequestKind
    format: ExportFormat | None
    escape_formulas: bool
    as_of: str | None
    cancel_requested: bool
    cancel_reason: str | None
    audit_id: int | None
    row_count: int | None
    error_kind: str | None
    error_message: bytes | None = field(repr=False)
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    expires_at: dt.datetime | None
    client_ip: str | None
    by_server: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """How a running request ended; the message is encrypted."""

    state: RequestState
    result_location: str | None = None
    row_count: int | None = None
    error_kind: str | None = None
    error_message: bytes | None = field(default=None, repr=False)


def create(  # noqa: PLR0913 - the columns of a request
    connection: Connection,
    user: str,
    dataset: str,
    query_text: bytes,
    parameters: bytes | None = None,
    *,
    as_of: str | None = None,
    format: ExportFormat | None = None,  # noqa: A002 - the column's name
    escape_formulas: bool = False,
    audit_id: int | None = None,
    client_ip: str | None = None,
    by_server: bool = False,
) -> UUID:
    """Store a request and return its id: queued, or running when it has an audit row already.

    With a format it is an export, without one a query. `by_server` says that it ends when the server does.
    """
    row = connection.execute(
        """
        INSERT INTO platform.query_requests (user_id, dataset, query_text, parameters, kind, format, escape_formulas,
                                             as_of, client_ip, by_server, audit_id, state, started_at)
        VALUES (%(user)s, %(dataset)s, %(query_text)s, %(parameters)s, %(kind)s, %(format)s, %(escape)s, %(as_of)s,
                %(client_ip)s, %(by_server)s, %(audit_id)s::bigint,
                CASE WHEN %(audit_id)s::bigint IS NULL THEN 'queued' ELSE 'running' END,
                CASE WHEN %(audit_id)s::bigint IS NULL THEN NULL ELSE clock_timestamp() END)
        RETURNING id
        """,
        {
            "user": user,
            "dataset": dataset,
            "query_text": query_text,
            "parameters": parameters,
            "kind": "query" if format is None else "export",
            "format": format,
            "escape": escape_formulas,
            "as_of": as_of,
            "client_ip": client_ip,
            "by_server": by_server,
            "audit_id": audit_id,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING of a one-row INSERT
    return UUID(str(row["id"]))


def get(connection: Connection, request_id: UUID) -> QueryRequest | None:
    """Return a request; None when it does not exist or the scope may not see it."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM platform.query_requests WHERE id = %s",  # noqa: S608 - names of columns of ours
        (request_id,),
    ).fetchone()
    return None if row is None else QueryRequest(**row)


def recent(
    connection: Connection, user: str, limit: int, dataset: str | None = None, *, since: dt.timedelta = RESULTS_LIVE
) -> list[QueryRequest]:
    """Return a user's requests that are younger than `since` and that the scope may see, newest first."""
    rows = connection.execute(
        sql.SQL("SELECT {columns} FROM platform.query_requests {where} ORDER BY created_at DESC LIMIT {limit}").format(
            columns=sql.SQL(_COLUMNS),
            where=where(
                sql.SQL("created_at > clock_timestamp() - {}").format(sql.Literal(since)),
                user_id=user,
                dataset=dataset,
            ),
            limit=limit,
        )
    ).fetchall()
    return [QueryRequest(**row) for row in rows]


def unfinished(
    connection: Connection, limit: int, *, abandoned_after: dt.timedelta = ABANDONED_AFTER
) -> list[QueryRequest]:
    """Return what waits or runs, oldest first; runs that were lost are left out."""
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM platform.query_requests
        WHERE state IN ('queued', 'running') AND (state = 'queued' OR updated_at > clock_timestamp() - %s)
        ORDER BY created_at LIMIT %s
        """,  # noqa: S608 - as above
        (abandoned_after, limit),
    ).fetchall()
    return [QueryRequest(**row) for row in rows]


def claim(
    connection: Connection, request_id: UUID, *, abandoned_after: dt.timedelta = ABANDONED_AFTER
) -> QueryRequest | None:
    """Make a queued, failed or abandoned request running and return it; None when there is none to take.

    One statement, so that of any number of runs that want the same request exactly one gets it.
    """
    row = connection.execute(
        f"""
        UPDATE platform.query_requests
        SET state = 'running', updated_at = clock_timestamp(), started_at = clock_timestamp(), finished_at = NULL,
            error_kind = NULL, error_message = NULL, audit_id = NULL
        WHERE id = %s AND NOT cancel_requested
            AND (state IN ('queued', 'failed') OR (state = 'running' AND updated_at < clock_timestamp() - %s))
        RETURNING {_COLUMNS}
        """,  # noqa: S608 - as above
        (request_id, abandoned_after),
    ).fetchone()
    return None if row is None else QueryRequest(**row)


def set_audit(connection: Connection, request_id: UUID, audit_id: int) -> QueryRequest | None:
    """Name the attempt that a running request is audited by, and return it; None when the scope may not see it."""
    row = connection.execute(
        f"UPDATE platform.query_requests SET audit_id = %s WHERE id = %s RETURNING {_COLUMNS}",  # noqa: S608 - as above
        (audit_id, request_id),
    ).fetchone()
    return None if row is None else QueryRequest(**row)


def request_cancel(
    connection: Connection,
    request_id: UUID,
    reason: str | None = None,
    *,
    abandoned_after: dt.timedelta = ABANDONED_AFTER,
) -> QueryRequest | None:
    """Ask for the end of a request that waits or runs. None when it does neither.

    One that waits, or whose run was lost, ends at once.
    """
    idle = "state = 'queued' OR updated_at < clock_timestamp() - %(after)s"
    row = connection.execute(
        f"""
        UPDATE platform.query_requests
        SET cancel_requested = true, cancel_reason = %(reason)s, updated_at = clock_timestamp(),
            state = CASE WHEN {idle} THEN 'cancelled' ELSE state END,
            error_kind = CASE WHEN {idle} THEN 'cancelled' END,
            finished_at = CASE WHEN {idle} THEN clock_timestamp() END
        WHERE id = %(id)s AND state IN ('queued', 'running')
        RETURNING {_COLUMNS}
        """,  # noqa: S608 - as above
        {"reason": reason, "after": abandoned_after, "id": request_id},
    ).fetchone()
    return None if row is None else QueryRequest(**row)


def cancelled_among(connection: Connection, request_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """Return those of the requests that are to end, with the reason if one was given."""
    rows = connection.execute(
        "SELECT id, cancel_reason FROM platform.query_requests WHERE id = ANY(%s) AND cancel_requested",
        (list(request_ids),),
    ).fetchall()
    return {row["id"]: row["cancel_reason"] for row in rows}


def finish(
    connection: Connection, request_id: UUID, ending: Ending, *, live: dt.timedelta = RESULTS_LIVE
) -> QueryRequest | None:
    """End a running request; its result may be asked for while it lives.

    None when it does not run any more, or was to be cancelled and would end as done.
    """
    row = connection.execute(
        f"""
        UPDATE platform.query_requests
        SET state = %(state)s, result_location = %(location)s, row_count = %(rows)s, error_kind = %(kind)s,
            error_message = %(message)s, finished_at = clock_timestamp(), updated_at = clock_timestamp(),
            expires_at = CASE WHEN %(state)s = 'done' THEN clock_timestamp() + %(live)s END
        WHERE id = %(id)s AND state = 'running' AND NOT (cancel_requested AND %(state)s = 'done')
        RETURNING {_COLUMNS}
        """,  # noqa: S608 - as above
        {
            "id": request_id,
            "state": ending.state,
            "location": ending.result_location,
            "rows": ending.row_count,
            "kind": ending.error_kind,
            "message": ending.error_message,
            "live": live,
        },
    ).fetchone()
    return None if row is None else QueryRequest(**row)


def set_state(
    connection: Connection, request_id: UUID, state: RequestState, result_location: str | None = None
) -> None:
    """Move a request to another state; a location that is not given is kept.

    Raises:
        UsageError: when the request does not exist or the scope may not see it.
    """
    changed = connection.execute(
        """
        UPDATE platform.query_requests
        SET state = %s, result_location = coalesce(%s, result_location), updated_at = clock_timestamp()
        WHERE id = %s
        """,
        (state, result_location, request_id),
    )
    if changed.rowcount != 1:
        raise UsageError(f"Query request {request_id} was not found.", hint="Submit the query again.")
