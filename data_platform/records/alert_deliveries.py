"""`alert_deliveries`: which alert was sent to which channel, and what became of it; one row for each of the two.

A row is *pending* until a sender claims it, *sending* while that sender has it, and then *sent* or *failed*. `due_at`
says from when on it may be claimed: a pending row at once, a failed one after a pause that grows, one that is being
sent when its sender has had the time of a lease and so counts as dead. It is null for what is sent or was tried often
enough. A claim is committed before anything is sent, so two senders never have the same row; the message's number is
what a sender proves with that a row is still its own.

An alert reaches a channel at least once: a sender that dies between sending and noting it leaves a row that is sent
again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID, uuid4

from psycopg import sql

from data_platform.records import texts
from data_platform.records.alert_rules import AlertRule
from data_platform.records.alerts import Alert
from data_platform.records.connection import Connection
from data_platform.records.filters import where

State = Literal["pending", "sending", "sent", "failed"]

PAUSES: Final = tuple(dt.timedelta(minutes=5 * 3**failures) for failures in range(4))
"""How long to wait after the first, second, … failure."""

ATTEMPTS: Final = len(PAUSES) + 1
"""How often a delivery is tried before it is given up."""

LEASE: Final = dt.timedelta(minutes=10)
"""How long a sender has for a message; more than it can take."""

MOST: Final = 10_000
"""How many alerts one message stands for; the rest is the next one's."""

LONGEST_ERROR: Final = 500
_SENDER_DIED: Final = "each sender ended before it said what became of the message"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one alert on its way to one channel. `attempts` counts messages, not their repetitions."""

    id: int
    created_at: dt.datetime
    alert_id: int
    channel: str
    dataset: str
    state: State
    attempts: int
    last_attempt_at: dt.datetime | None
    due_at: dt.datetime | None
    error: str | None
    message_id: UUID | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What one message is to say: the alerts that a sender has for itself until the lease ends."""

    message_id: UUID
    alerts: tuple[Alert, ...]


def clock(connection: Connection) -> dt.datetime:
    """Return the database's time, which is every sender's."""
    row = connection.execute("SELECT clock_timestamp() AS now").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM
    return row["now"]


def wait_for_turn(connection: Connection) -> None:
    """Wait until no other transaction is enlisting: two that insert the same rows could wait for each other."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('data-platform alert deliveries', 0))")


def enlist(connection: Connection, rule: AlertRule, since: dt.datetime) -> int:
    """Make pending what a rule matches, was created at `since` or later, and is not there yet; return how many."""
    told = sql.SQL(
        # In this form it is a look into the index for each alert, whatever the planner thinks of the table.
        "(SELECT d.id FROM platform.alert_deliveries AS d WHERE d.alert_id = a.id AND d.channel = {}) IS NULL"
    ).format(sql.Literal(rule.channel))
    young = sql.SQL("a.created_at >= {}").format(sql.Literal(since))
    matching = where(young, told, dataset=rule.dataset, metric=rule.metric, severity=rule.severity)
    return connection.execute(
        sql.SQL(
            """
            INSERT INTO platform.alert_deliveries (alert_id, channel, dataset, due_at)
            SELECT a.id, {}, a.dataset, a.created_at FROM platform.data_anomaly_alerts AS a {}
            ON CONFLICT (alert_id, channel) DO NOTHING
            """
        ).format(sql.Literal(rule.channel), matching)
    ).rowcount


def is_due(connection: Connection, channel: str, now: dt.datetime) -> bool:
    """Return whether anything is due for a channel that nobody is sending."""
    row = connection.execute(
        sql.SQL(
            "SELECT EXISTS (SELECT FROM platform.alert_deliveries WHERE channel = {} AND due_at <= {}) AS due"
        ).format(sql.Literal(channel), sql.Literal(now))
    ).fetchone()
    return row is not None and bool(row["due"])


def claim(connection: Connection, channel: str, now: dt.datetime, limit: int = MOST) -> Claim | None:
    """Take what is due for a channel, for one message; None when nothing is. Commit before sending.

    A row whose last attempt nobody finished becomes failed.
    """
    due = connection.execute(
        sql.SQL(
            "SELECT id FROM platform.alert_deliveries WHERE channel = {} AND due_at <= {} "
            "ORDER BY due_at, id LIMIT {} FOR UPDATE SKIP LOCKED"
        ).format(sql.Literal(channel), sql.Literal(now), sql.Literal(limit))
    ).fetchall()
    if not due:
        return None
    message_id = uuid4()
    given: dict[str, object] = {
        "ids": [row["id"] for row in due],
        "message": message_id,
        "now": now,
        "until": now + LEASE,
        "most": ATTEMPTS,
        "died": _SENDER_DIED,
    }
    connection.execute(
        """
        UPDATE platform.alert_deliveries
        SET state = 'failed', due_at = NULL, error = %(died)s
        WHERE id = ANY (%(ids)s) AND attempts >= %(most)s
        """,
        given,
    )
    connection.execute(
        """
        UPDATE platform.alert_deliveries
        SET state = 'sending', attempts = attempts + 1, last_attempt_at = %(now)s, due_at = %(until)s,
            message_id = %(message)s
        WHERE id = ANY (%(ids)s) AND attempts < %(most)s
        """,
        given,
    )
    rows = connection.execute(
        """
        SELECT a.dataset, a.table_name, a.partition, a.metric, a.severity, a.message
        FROM platform.alert_deliveries AS d JOIN platform.data_anomaly_alerts AS a ON a.id = d.alert_id
        WHERE d.message_id = %(message)s
        ORDER BY a.severity, a.created_at DESC, a.id DESC
        """,
        given,
    ).fetchall()
    return Claim(message_id, tuple(Alert(**row) for row in rows)) if rows else None


def settle(connection: Connection, message_id: UUID, now: dt.datetime, error: str | None = None) -> int:
    """Note that a message was sent, or failed for the reason given; return for how many alerts.

    Alerts that meanwhile are in another sender's message stay as they are.
    """
    kept = None if error is None else error[:LONGEST_ERROR]
    return connection.execute(
        """
        UPDATE platform.alert_deliveries
        SET state = CASE WHEN %(error)s::text IS NULL THEN 'sent' ELSE 'failed' END, error = %(error)s,
            -- Beyond the last pause there is none, and so no time at which it would be due.
            due_at = CASE WHEN %(error)s::text IS NOT NULL
                          THEN %(now)s::timestamptz + (%(pauses)s::interval[])[greatest(attempts, 1)] END
        WHERE message_id = %(message)s
        """,
        {"error": kept, "now": now, "pauses": list(PAUSES), "message": message_id},
    ).rowcount


def take_up_again(connection: Connection, channels: Iterable[str], now: dt.datetime) -> int:
    """Make everything that failed due at once, also what was given up, with all attempts before it; return how many."""
    return connection.execute(
        """
        UPDATE platform.alert_deliveries SET attempts = 0, due_at = %s
        WHERE state = 'failed' AND channel = ANY (%s)
        """,
        (now, list(channels)),
    ).rowcount


def recent(
    connection: Connection,
    *,
    dataset: str | None = None,
    channel: str | None = None,
    state: State | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Return the newest deliveries that the scope may see, newest first.

    Raises:
        UsageError: when no dataset can have such a name.
    """
    only = None if dataset is None else texts.name(dataset, "The dataset's name")
    rows = connection.execute(
        sql.SQL(
            """
            SELECT id, created_at, alert_id, channel, dataset, state, attempts, last_attempt_at, due_at, error,
                   message_id
            FROM platform.alert_deliveries {} ORDER BY created_at DESC, id DESC LIMIT {}
            """
        ).format(where(dataset=only, channel=channel, state=state), sql.Literal(limit))
    ).fetchall()
    return [Delivery(**row) for row in rows]
