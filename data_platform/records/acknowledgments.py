"""`data_quality_alert_acknowledgments`: who has looked at an alert, and why it is settled.

The first acknowledgment of an alert is the only one: whoever comes later, also at the same moment, gets that one back.
It is noted in `platform_audit` in the same transaction. A transaction acknowledges one alert: those that acknowledge
several could wait for each other.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from psycopg import sql
from psycopg.types.json import Jsonb

from data_platform.errors import NotFoundError, UsageError
from data_platform.records import platform_audit, texts
from data_platform.records.alerts import LARGEST_ID, Severity, StoredAlert, get
from data_platform.records.connection import Connection

_ACKNOWLEDGMENT: Final = sql.SQL(
    "id, created_at, alert_id, dataset, metric, severity, acknowledged_by, acknowledged_at, reason, original_alert"
)


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """Who looked at an alert, when and why it is settled; `original_alert` is what the alert said then."""

    id: int
    created_at: dt.datetime
    alert_id: int
    dataset: str
    metric: str
    severity: Severity
    acknowledged_by: str
    acknowledged_at: dt.datetime
    reason: str
    original_alert: Mapping[str, object]


def acknowledgment_of(connection: Connection, alert_id: int) -> Acknowledgment | None:
    """Return the acknowledgment of an alert; None when there is none or the scope may not see it."""
    row = connection.execute(
        sql.SQL("SELECT {} FROM platform.data_quality_alert_acknowledgments WHERE alert_id = %s").format(
            _ACKNOWLEDGMENT
        ),
        (alert_id,),
    ).fetchone()
    return None if row is None else Acknowledgment(**row)


def acknowledge(connection: Connection, alert_id: int, by: str, reason: str) -> Acknowledgment:
    """Acknowledge an alert and return its acknowledgment: the existing one when somebody was first.

    Raises:
        UsageError: when there is no such alert, or the reason is missing or can't be kept.
    """
    why = texts.reason(reason)
    if why is None:
        raise UsageError("An acknowledgment needs a reason.", hint="Say what was found and why that settles it.")
    by = texts.name(by, "The user's name", texts.LONGEST_USER)
    alert = get(connection, alert_id)
    if alert is None:
        # Python writes out no number of thousands of digits.
        which = str(alert_id) if abs(alert_id) <= LARGEST_ID else "of so large a number"
        raise NotFoundError(f"There is no alert {which}.", hint="List the alerts to see their numbers.")
    # Waits for whoever is acknowledging it at this moment, and then finds theirs.
    row = connection.execute(
        sql.SQL(
            """
            INSERT INTO platform.data_quality_alert_acknowledgments
                (alert_id, dataset, metric, severity, acknowledged_by, reason, original_alert)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (alert_id) DO NOTHING
            RETURNING {}
            """
        ).format(_ACKNOWLEDGMENT),
        (alert.id, alert.dataset, alert.metric, alert.severity, by, why, Jsonb(_original(alert))),
    ).fetchone()
    if row is None:
        existing = acknowledgment_of(connection, alert.id)
        assert existing is not None  # noqa: S101 - it was in the way, and none is ever removed
        return existing
    platform_audit.append(
        connection,
        by,
        "alerts.acknowledge",
        dataset=alert.dataset,
        subject=str(alert.id),
        new_value={"table_name": alert.table_name, "metric": alert.metric, "severity": alert.severity},
        reason=why,
    )
    return Acknowledgment(**row)


def _original(alert: StoredAlert) -> dict[str, object]:
    return {
        "table_name": alert.table_name,
        "partition": alert.partition,
        "metric": alert.metric,
        "severity": alert.severity,
        "created_at": alert.created_at.astimezone(dt.UTC).isoformat(),
        "current_value": _json_number(alert.current_value),
        "expected_value": _json_number(alert.expected_value),
        "deviation_pct": _json_number(alert.deviation_pct),
    }


def _json_number(value: float | None) -> float | str | None:
    """Return the number, or its name where JSON knows no such number (NaN, Infinity, -Infinity)."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
