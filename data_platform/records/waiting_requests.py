"""Requests that wait: how many somebody has, and the end of those that nobody will run any more."""

from __future__ import annotations

import datetime as dt

from data_platform.records.connection import Connection
from data_platform.records.query_requests import ABANDONED_AFTER

LOST = "lost"
"""The kind of error of a request whose process ended before it was done."""


def count_of(connection: Connection, user: str, *, abandoned_after: dt.timedelta = ABANDONED_AFTER) -> int:
    """Return how many requests of a user wait or run; needs a scope that sees them.

    Until the transaction ends, no other counts those of the same user: what is stored in it was counted for.
    """
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(concat('requests of ', %s::text), 0))", (user,))
    # A statement of its own: it sees what whoever had the lock has stored.
    row = connection.execute(
        """
        SELECT count(*) AS found FROM platform.query_requests
        WHERE state IN ('queued', 'running') AND user_id = %s
            AND (state = 'queued' OR updated_at > clock_timestamp() - %s)
        """,
        (user, abandoned_after),
    ).fetchone()
    assert row is not None  # noqa: S101 - a count has a row
    return int(row["found"])


def end_lost(connection: Connection) -> int:
    """End as failed what waits for a server; return how many that were.

    For a server that begins or ends. Should another one run after all, its requests still run when their turn comes:
    a failed request can be claimed.
    """
    return connection.execute(
        """
        UPDATE platform.query_requests
        SET state = 'failed', error_kind = %s, finished_at = clock_timestamp(), updated_at = clock_timestamp()
        WHERE state = 'queued' AND by_server
        """,
        (LOST,),
    ).rowcount
