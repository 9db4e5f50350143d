"""Alerts, rules and settings that the tests of this room begin with, and reading what came of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pydantic import SecretStr

from data_platform.records import alert_deliveries, alert_rules, alerts
from data_platform.records.alert_deliveries import Delivery
from data_platform.records.alert_rules import AlertRule
from data_platform.records.alerts import Alert, Severity
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform.settings import Settings

SYSTEM = Scope.system("test")
MINUTE = dt.timedelta(minutes=1)
DROP = Alert("crsp", "crsp_daily", "2024", "row_drop", "error", "12 % fewer rows than before")
SPIKE = Alert("crsp", "crsp_daily", "2024", "null_spike", "warning", "6 points more nulls in ret")
GAP = Alert("fama_french", "ff_factors_daily", "all", "date_gap", "error", "3 trading days are missing")


def settings_with(**addresses: str) -> Settings:
    """Settings with these channels."""
    return Settings(alert_channels={name: SecretStr(address) for name, address in addresses.items()})


def rule(
    records: Records,
    name: str = "everything",
    channel: str = "oncall",
    dataset: str | None = None,
    metric: str | None = None,
    severity: Severity | None = None,
) -> AlertRule:
    """Make a rule."""
    with records.transaction(SYSTEM) as connection:
        return alert_rules.add(connection, name, channel, dataset=dataset, metric=metric, severity=severity)


def add(records: Records, *new: Alert) -> list[int]:
    """Store alerts and return their numbers."""
    with records.transaction(SYSTEM) as connection:
        return alerts.store(connection, new)


def log(records: Records, scope: Scope = SYSTEM) -> list[Delivery]:
    """The deliveries that a scope sees, oldest first."""
    with records.transaction(scope) as connection:
        return sorted(alert_deliveries.recent(connection, limit=10_000), key=lambda delivery: delivery.id)


def states(records: Records) -> list[tuple[str, str]]:
    """Channel and state of each delivery, oldest first."""
    return [(delivery.channel, delivery.state) for delivery in log(records)]


def later(minutes: float) -> dt.datetime:
    """The time in so many minutes."""
    return dt.datetime.now(dt.UTC) + minutes * MINUTE


def no_pause(_seconds: float) -> None:
    """Wait for nothing between tries."""


def table_text(records: Records, tables: Sequence[str] = ("alert_rules", "alert_deliveries", "platform_audit")) -> str:
    """Everything that the tables hold, as text, to look for what should not be there."""
    with records.transaction(SYSTEM) as connection:
        return str([connection.execute(f"SELECT * FROM platform.{table}".encode()).fetchall() for table in tables])
