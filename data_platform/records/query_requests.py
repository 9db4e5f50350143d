"""`query_requests`: what a query run points to. Text and parameters arrive here encrypted and leave so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

from data_platform.errors import UsageError
from data_platform.records.connection import Connection

RequestState = Literal["queued", "running", "done", "failed"]

ABANDONED_AFTER: Final = dt.timedelta(minutes=5)
"""A request that has been running for longer lost its run: a query may take 30 seconds."""


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


def create(connection: Connection, user: str, dataset: str, query_text: bytes, parameters: bytes | None = None) -> UUID:
    """Store a request in state queued and return its id."""
    row = connection.execute(
        """
        INSERT INTO platform.query_requests (user_id, dataset, query_text, parameters)
        VALUES (%s, %s, %s, %s)
        RETURNING id
        """,
        (user, dataset, query_text, parameters),
    ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING of a one-row INSERT
    return UUID(str(row["id"]))


def get(connection: Connection, request_id: UUID) -> QueryRequest | None:
    """Return a request; None when it does not exist or the scope may not see it."""
    row = connection.execute(
        """
        SELECT id, created_at, updated_at, user_id, dataset, query_text, parameters, state, result_location
        FROM platform.query_requests
        WHERE id = %s
        """,
        (request_id,),
    ).fetchone()
    return None if row is None else QueryRequest(**row)


def claim(
    connection: Connection, request_id: UUID, *, abandoned_after: dt.timedelta = ABANDONED_AFTER
) -> QueryRequest | None:
    """Make a queued, failed or abandoned request running and return it; None when there is none to take.

    One statement, so that of any number of runs that want the same request exactly one gets it.
    """
    row = connection.execute(
        """
        UPDATE platform.query_requests
        SET state = 'running', updated_at = clock_timestamp()
        WHERE id = %s
            AND (state IN ('queued', 'failed') OR (state = 'running' AND updated_at < clock_timestamp() - %s))
        RETURNING id, created_at, updated_at, user_id, dataset, query_text, parameters, state, result_location
        """,
        (request_id, abandoned_after),
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
