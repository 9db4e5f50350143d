"""Rate limits as sliding windows, counted in Postgres within the transaction that records the attempt.

Whoever takes a place holds a lock of their limit until that transaction ends, so any number of processes together get
not one place too many, and an attempt that could not be recorded took none. When the server's clock is set back, the
moments of before are moved back with it: nobody gets more, and nobody is shut out until the clock has caught up.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from data_platform.errors import RateLimitedError
from data_platform.records.connection import Connection

EVERYONE: Final = "*"
"""The subject of a limit that all users share."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `allowed` within any `window`, per user, or for all together when `shared`."""

    action: str
    one: str
    many: str
    allowed: int
    window: dt.timedelta
    per: str
    shared: bool = False

    def of(self, allowed: int) -> Self:
        """Return the same limit with another number."""
        return replace(self, allowed=allowed)


QUERIES: Final = Limit("query", "query", "queries", 10, dt.timedelta(minutes=1), "minute")
EXPORTS: Final = Limit("export", "export", "exports", 5, dt.timedelta(hours=1), "hour")
MANUAL_SYNCS: Final = Limit(
    "manual_sync", "manual sync", "manual syncs", 1, dt.timedelta(minutes=1), "minute", shared=True
)


@dataclass(frozen=True, slots=True)
class Place:
    """What the limit answered: `wait_seconds` is None when there was room, and `remaining` places are left."""

    remaining: int
    wait_seconds: int | None = None

    @property
    def granted(self) -> bool:
        """Whether there was room."""
        return self.wait_seconds is None


def take(connection: Connection, limit: Limit, user: str) -> Place:
    """Take a place of a limit if one is free; needs a scope that sees everything.

    Only the database's clock counts. A refusal takes no place.
    """
    subject = EVERYONE if limit.shared else user
    key = {"action": limit.action, "subject": subject}
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(concat('limit ', %(action)s::text, ' ', %(subject)s::text), 0))",
        key,
    )
    # A statement of its own: the clock and the moments are read after whoever had the lock has committed.
    found = connection.execute(
        """
        SELECT clock_timestamp() AS now,
               (SELECT hits FROM platform.rate_limits WHERE action = %(action)s AND subject = %(subject)s) AS hits
        """,
        key,
    ).fetchone()
    assert found is not None  # noqa: S101 - a SELECT without FROM
    known: list[dt.datetime] | None = found["hits"]
    place, hits = admit(known or [], found["now"], limit)
    if hits != known:
        connection.execute(
            """
            INSERT INTO platform.rate_limits (action, subject, hits) VALUES (%(action)s, %(subject)s, %(hits)s)
            ON CONFLICT (action, subject) DO UPDATE SET hits = excluded.hits
            """,
            {**key, "hits": hits},
        )
    return place


def remaining(connection: Connection, limit: Limit, user: str) -> int:
    """Return how many places the limit leaves now; takes none. Needs a scope that sees everything."""
    found = connection.execute(
        """
        SELECT clock_timestamp() AS now,
               (SELECT hits FROM platform.rate_limits WHERE action = %s AND subject = %s) AS hits
        """,
        (limit.action, EVERYONE if limit.shared else user),
    ).fetchone()
    assert found is not None  # noqa: S101 - a SELECT without FROM
    place, _ = admit(found["hits"] or [], found["now"], limit)
    return place.remaining + 1 if place.granted else 0


def admit(hits: Sequence[dt.datetime], now: dt.datetime, limit: Limit) -> tuple[Place, list[dt.datetime]]:
    """Decide, from the moments of before, and return what to remember: those in the window and, if granted, now."""
    back = max((*hits, now)) - now
    recent = sorted(hit - back for hit in hits if hit - back > now - limit.window)
    if len(recent) < limit.allowed:
        return Place(limit.allowed - len(recent) - 1), [*recent, now]
    # There is room again when the allowed-th youngest has left the window.
    left = limit.window - (now - recent[-limit.allowed])
    return Place(0, max(1, math.ceil(left.total_seconds()))), recent


def refusal(limit: Limit, wait_seconds: int) -> RateLimitedError:
    """Return the error that says how long to wait and what is left."""
    what = f"{limit.allowed} {limit.one if limit.allowed == 1 else limit.many}"
    whose = " for all users together" if limit.shared else ""
    return RateLimitedError(
        f"The limit of {what} per {limit.per}{whose} is reached: 0 are left. Please wait {wait_seconds} "
        f"second{'' if wait_seconds == 1 else 's'}.",
        retry_after_seconds=wait_seconds,
    )
