"""`data_anomaly_alerts`: what looked wrong, and who has acknowledged it (`acknowledgments`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final, Literal
from uuid import UUID

from psycopg import sql

from data_platform.records import texts
from data_platform.records.connection import Connection
from data_platform.records.filters import where

Severity = Literal["error", "warning"]

GROUPED_AT_MOST: Final = 10_000
"""What is counted of alerts, the newest: so many are read in order by an index, however many there are."""

LARGEST_ID: Final = 2**63 - 1
_OPEN: Final = """
    SELECT FROM platform.data_anomaly_alerts
    WHERE NOT acknowledged AND dataset = %s AND table_name = %s AND partition = %s AND metric = %s AND severity = %s
      AND message = %s
    LIMIT 1
"""
# The page is cut before the acknowledgments are looked up, so that they cost one look each.
_GROUPED: Final = sql.SQL(
    """
    SELECT metric, severity, count(*) AS alerts, count(DISTINCT table_name) AS tables, max(created_at) AS newest
    FROM (
        SELECT metric, severity, table_name, created_at FROM platform.data_anomaly_alerts {}
        ORDER BY created_at DESC, id DESC LIMIT {}
    ) AS newest_alerts
    GROUP BY metric, severity ORDER BY alerts DESC, metric, severity
    """
)
_READ: Final = sql.SQL(
    """
    SELECT page.*, ack.acknowledged_by, ack.acknowledged_at
    FROM (
        SELECT id, created_at, dataset, table_name, partition, metric, severity, current_value, expected_value,
               deviation_pct, message, sync_run_id
        FROM platform.data_anomaly_alerts {} ORDER BY created_at DESC, id DESC LIMIT {}
    ) AS page
    LEFT JOIN platform.data_quality_alert_acknowledgments AS ack ON ack.alert_id = page.id
    ORDER BY page.created_at DESC, page.id DESC
    """
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that looks wrong; values and the message are counts, shares or names, never values of rows."""

    dataset: str
    table_name: str
    partition: str
    metric: str
    severity: Severity
    message: str
    current_value: float | None = None
    expected_value: float | None = None
    deviation_pct: float | None = None
    sync_run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert(Alert):
    """An alert as it was recorded, and who acknowledged it, if anybody did."""

    id: int
    created_at: dt.datetime
    acknowledged_by: str | None
    acknowledged_at: dt.datetime | None

    @property
    def acknowledged(self) -> bool:
        """Whether somebody has acknowledged it."""
        return self.acknowledged_by is not None


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """Alerts of one metric and severity: how many, in how many tables, and when the newest was recorded."""

    metric: str
    severity: Severity
    alerts: int
    tables: int
    newest: dt.datetime


def store(connection: Connection, alerts: Iterable[Alert]) -> list[int]:
    """Record alerts and return their ids, in the order given."""
    rows = [asdict(alert) | {"message": _kept(alert.message)} for alert in alerts]
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO platform.data_anomaly_alerts
                (dataset, table_name, partition, metric, severity, current_value, expected_value, deviation_pct,
                 message, sync_run_id)
            VALUES
                (%(dataset)s, %(table_name)s, %(partition)s, %(metric)s, %(severity)s, %(current_value)s,
                 %(expected_value)s, %(deviation_pct)s, %(message)s, %(sync_run_id)s)
            RETURNING id
            """,
            rows,
            returning=True,
        )
        return [row["id"] for result in cursor.results() for row in result]


def store_new(connection: Connection, alerts: Iterable[Alert]) -> list[int]:
    """Record those of the alerts that are not open already, and return their ids, in the order given.

    An alert that says the same of the same partition and that nobody has settled is not repeated by each sync that
    finds it again. One with another count, column or place says something else.
    """
    new = [
        alert
        for alert in alerts
        if connection.execute(
            _OPEN,
            (
                *(alert.dataset, alert.table_name, alert.partition, alert.metric, alert.severity),
                _kept(alert.message),
            ),
        ).fetchone()
        is None
    ]
    return store(connection, new)


def get(connection: Connection, alert_id: int) -> StoredAlert | None:
    """Return an alert; None when there is none of that number or the scope may not see it."""
    if not 1 <= alert_id <= LARGEST_ID:
        return None
    row = connection.execute(_READ.format(where(id=alert_id), sql.Literal(1))).fetchone()
    return None if row is None else StoredAlert(**row)


def recent(
    connection: Connection,
    *,
    dataset: str | None = None,
    table: str | None = None,
    severity: Severity | None = None,
    acknowledged: bool | None = None,
    limit: int = 100,
) -> list[StoredAlert]:
    """Return the newest alerts that the scope may see, newest first.

    Raises:
        UsageError: when no dataset can have such a name.
    """
    only = None if dataset is None else texts.name(dataset, "The dataset's name")
    condition = where(dataset=only, table_name=table, severity=severity, acknowledged=acknowledged)
    rows = connection.execute(_READ.format(condition, sql.Literal(limit))).fetchall()
    return [StoredAlert(**row) for row in rows]


def open_of(connection: Connection, metrics: Iterable[str]) -> list[StoredAlert]:
    """Return the open alerts of these metrics that the scope may see, newest first."""
    chosen = sql.SQL("metric = ANY ({})").format(sql.Literal(list(metrics)))
    rows = connection.execute(
        _READ.format(where(chosen, sql.SQL("NOT acknowledged")), sql.Literal(GROUPED_AT_MOST))
    ).fetchall()
    return [StoredAlert(**row) for row in rows]


def by_metric(
    connection: Connection,
    *,
    dataset: str | None = None,
    severity: Severity | None = None,
    acknowledged: bool | None = None,
    limit: int = GROUPED_AT_MOST,
) -> list[AlertGroup]:
    """Count the newest alerts that the scope may see by metric and severity, the most frequent first.

    Raises:
        UsageError: when no dataset can have such a name.
    """
    only = None if dataset is None else texts.name(dataset, "The dataset's name")
    condition = where(dataset=only, severity=severity, acknowledged=acknowledged)
    return [AlertGroup(**row) for row in connection.execute(_GROUPED.format(condition, sql.Literal(limit))).fetchall()]


def _kept(message: str) -> str:
    """Return what PostgreSQL can keep of a message of ours: an alert must not be lost over it."""
    return message.replace("\0", "").encode(errors="replace").decode()[: texts.LONGEST]
