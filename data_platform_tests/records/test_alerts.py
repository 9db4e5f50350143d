"""Alerts: stored whatever they say, filtered, newest first, and seen only by who may see the dataset."""

from __future__ import annotations

import dataclasses
import uuid

import psycopg
import pytest

from data_platform.errors import NotPermittedError
from data_platform.records import alerts
from data_platform.records.alerts import Alert
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform_tests.records import kept_rows
from data_platform_tests.records.kept_rows import ANN, GAP, SYSTEM, acknowledge, add

RUN = uuid.UUID(int=7)
DROP = dataclasses.replace(kept_rows.DROP, sync_run_id=RUN)
SPIKE = Alert("crsp", "crsp_daily", "2024", "null_spike", "warning", "6 points more nulls in ret", 0.07, 0.01)


def test_alerts_come_back_as_they_were_stored(records: Records) -> None:
    assert add(records) == []
    ids = add(records, DROP, SPIKE, GAP)
    assert ids == sorted(ids)
    with records.transaction(SYSTEM) as connection:
        stored = [alerts.get(connection, alert_id) for alert_id in ids]
    assert [
        Alert(**{field.name: getattr(alert, field.name) for field in dataclasses.fields(Alert)}) for alert in stored
    ] == [DROP, SPIKE, GAP]
    assert [(alert.acknowledged, alert.acknowledged_at) for alert in stored if alert] == [(False, None)] * 3


@pytest.mark.parametrize(
    ("message", "kept"),
    [("a\0b", "ab"), ("\ud800", "?"), ("x" * 10_000_000, "x" * 2000), ("", "")],
    ids=["NUL", "surrogate", "10 MB", "empty"],
)
def test_no_alert_is_lost_over_its_message(records: Records, message: str, kept: str) -> None:
    (alert_id,) = add(records, dataclasses.replace(DROP, message=message))
    with records.transaction(SYSTEM) as connection:
        stored = alerts.get(connection, alert_id)
    assert stored is not None
    assert stored.message == kept


FILTERS: list[tuple[Scope, dict[str, object], list[str]]] = [
    (SYSTEM, {}, ["level_shift", "date_gap", "null_spike", "row_drop"]),
    (SYSTEM, {"limit": 2}, ["level_shift", "date_gap"]),
    (SYSTEM, {"dataset": "crsp"}, ["null_spike", "row_drop"]),
    (SYSTEM, {"dataset": "taq"}, []),
    (SYSTEM, {"severity": "error"}, ["date_gap", "row_drop"]),
    (SYSTEM, {"severity": "warning", "dataset": "crsp"}, ["null_spike"]),
    (SYSTEM, {"acknowledged": True}, ["date_gap", "row_drop"]),
    (SYSTEM, {"acknowledged": False}, ["level_shift", "null_spike"]),
    (SYSTEM, {"acknowledged": False, "dataset": "crsp", "severity": "error"}, []),
    (SYSTEM, {"acknowledged": True, "dataset": "crsp", "severity": "error"}, ["row_drop"]),
    (ANN, {}, ["null_spike", "row_drop"]),
    (ANN, {"acknowledged": False}, ["null_spike"]),
    (ANN, {"dataset": "fama_french"}, []),
    (Scope("eve", frozenset()), {}, []),
]


def test_alerts_are_filtered_and_come_newest_first(records: Records) -> None:
    ids = [add(records, alert)[0] for alert in (DROP, SPIKE, GAP)]
    add(records, dataclasses.replace(GAP, metric="level_shift", severity="warning"))
    acknowledge(records, ids[0])
    acknowledge(records, ids[2], Scope("ben", None))
    for scope, given, expected in FILTERS:
        with records.transaction(scope) as connection:
            found = alerts.recent(connection, **given)
        assert ([alert.metric for alert in found], scope, given) == (expected, scope, given)
        assert {alert.acknowledged_by for alert in found if alert.metric == "row_drop"} <= {"ann"}


_FORGED = """
    INSERT INTO platform.data_quality_alert_acknowledgments
        (alert_id, dataset, metric, severity, acknowledged_by, reason, original_alert)
    VALUES ({}, 'crsp', 'row_drop', 'error', 'ann', 'x', '{{}}')
"""


@pytest.mark.parametrize(
    "statement",
    [
        _FORGED,
        "INSERT INTO platform.data_anomaly_alerts (dataset, table_name, partition, metric, severity, message, "
        "acknowledged) VALUES ('crsp', 't', 'p', 'm', 'error', 'x', true)",
        "UPDATE platform.data_anomaly_alerts SET acknowledged = true",
        "DELETE FROM platform.data_anomaly_alerts",
        "UPDATE platform.data_quality_alert_acknowledgments SET reason = 'x'",
        "DELETE FROM platform.data_quality_alert_acknowledgments",
    ],
)
def test_what_the_service_may_not_do(records: Records, statement: str) -> None:
    (alert_id,) = add(records, GAP)
    with pytest.raises(NotPermittedError), records.transaction(ANN) as connection:
        connection.execute(statement.format(alert_id).encode())


def test_the_owner_of_the_tables_only_marks(records: Records) -> None:
    (alert_id,) = add(records, DROP)
    acknowledge(records, alert_id)
    with psycopg.connect(records.databases.owner_url, autocommit=True) as owner:
        assert owner.execute("DELETE FROM platform.data_quality_alert_acknowledgments").rowcount == 0
        assert owner.execute("DELETE FROM platform.data_anomaly_alerts").rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("UPDATE platform.data_anomaly_alerts SET acknowledged = false")
