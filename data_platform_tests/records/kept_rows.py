"""Schedules and alerts that several test modules begin with."""

from __future__ import annotations

from data_platform.records import acknowledgments, alerts, schedules
from data_platform.records.acknowledgments import Acknowledgment
from data_platform.records.alerts import Alert
from data_platform.records.connection import Records
from data_platform.records.schedules import SyncSchedule
from data_platform.records.scope import Scope

SYSTEM = Scope.system("test")
ANN = Scope("ann", frozenset({"crsp"}))
CRSP = ("crsp", "crsp_daily")
FACTORS = ("fama_french", "ff_factors_daily")
DROP = Alert("crsp", "crsp_daily", "2024", "row_drop", "error", "12 % fewer rows", 88.0, 100.0, -12.0)
GAP = Alert("fama_french", "ff_factors_daily", "all", "date_gap", "error", "3 trading days are missing")


def make_schedules(records: Records) -> Records:
    """Give both tables their schedule."""
    with records.transaction(SYSTEM) as connection:
        schedules.ensure(connection, *CRSP)
        schedules.ensure(connection, *FACTORS)
    return records


def stored(records: Records, name: tuple[str, str] = CRSP) -> SyncSchedule:
    """Return a table's schedule as it is now."""
    with records.transaction(SYSTEM) as connection:
        schedule = schedules.get(connection, *name)
    assert schedule is not None
    return schedule


def add(records: Records, *new: Alert) -> list[int]:
    """Store alerts and return their numbers."""
    with records.transaction(SYSTEM) as connection:
        return alerts.store(connection, new)


def acknowledge(records: Records, alert_id: int, scope: Scope = ANN, reason: str = "known") -> Acknowledgment:
    """Acknowledge an alert in somebody's name."""
    with records.transaction(scope) as connection:
        return acknowledgments.acknowledge(connection, alert_id, scope.user, reason)
