"""Acknowledgments: the first one counts, once, and only for who may see the alert."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from data_platform.errors import NotPermittedError, UsageError
from data_platform.records import acknowledgments, alerts
from data_platform.records.acknowledgments import Acknowledgment
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform_tests.records.audited import audited
from data_platform_tests.records.kept_rows import ANN, DROP, GAP, SYSTEM, acknowledge, add


def test_an_acknowledgment_keeps_what_the_alert_said(records: Records) -> None:
    (alert_id,) = add(records, DROP)
    made = acknowledge(records, alert_id, reason="  the source was late\n")
    with records.transaction(ANN) as connection:
        alert = alerts.get(connection, alert_id)
        assert acknowledgments.acknowledgment_of(connection, alert_id) == made
    assert alert is not None
    assert (alert.acknowledged, alert.acknowledged_by, alert.acknowledged_at) == (True, "ann", made.acknowledged_at)
    assert (made.alert_id, made.dataset, made.metric, made.severity) == (alert_id, "crsp", "row_drop", "error")
    assert (made.acknowledged_by, made.reason) == ("ann", "the source was late")
    assert made.original_alert == {
        "table_name": "crsp_daily",
        "partition": "2024",
        "metric": "row_drop",
        "severity": "error",
        "created_at": made.original_alert["created_at"],
        "current_value": 88.0,
        "expected_value": 100.0,
        "deviation_pct": -12.0,
    }
    assert audited(records) == [
        (
            "ann",
            "alerts.acknowledge",
            "crsp",
            str(alert_id),
            None,
            {"table_name": "crsp_daily", "metric": "row_drop", "severity": "error"},
            "the source was late",
        )
    ]


@pytest.mark.parametrize(
    ("value", "kept"),
    [(math.inf, "Infinity"), (-math.inf, "-Infinity"), (math.nan, "NaN"), (None, None), (1e15, 1e15), (0.1, 0.1)],
)
def test_numbers_that_json_does_not_know_are_kept_by_name(records: Records, value: float, kept: object) -> None:
    (alert_id,) = add(records, dataclasses.replace(DROP, deviation_pct=value))
    assert acknowledge(records, alert_id).original_alert["deviation_pct"] == kept
    with records.transaction(SYSTEM) as connection:
        stored = alerts.get(connection, alert_id)
    assert stored is not None
    assert stored.deviation_pct == value or (math.isnan(value) and math.isnan(stored.deviation_pct or 0))
    assert len(audited(records)) == 1


def test_the_second_gets_the_first_acknowledgment_back(records: Records) -> None:
    (alert_id,) = add(records, DROP)
    first = acknowledge(records, alert_id)
    for scope, reason in ((ANN, "once more"), (Scope("ben", frozenset({"crsp"})), "me too"), (SYSTEM, "all of them")):
        assert acknowledge(records, alert_id, scope, reason) == first
    assert [entry[0] for entry in audited(records)] == ["ann"]


def test_eight_people_at_once_get_the_same_acknowledgment(records: Records) -> None:
    (alert_id,) = add(records, DROP)
    barrier = Barrier(8)

    def take(number: int) -> Acknowledgment:
        scope = Scope(f"user{number}", frozenset({"crsp"}))
        with records.transaction(scope) as connection:
            barrier.wait(30)
            return acknowledgments.acknowledge(connection, alert_id, scope.user, f"reason {number}")

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(take, range(8)))
    assert made == [made[0]] * 8
    assert [(entry[0], entry[6]) for entry in audited(records)] == [(made[0].acknowledged_by, made[0].reason)]


def test_an_acknowledgment_that_is_undone_leaves_the_alert_open(records: Records) -> None:
    (alert_id,) = add(records, DROP)
    with pytest.raises(ZeroDivisionError), records.transaction(ANN) as connection:
        acknowledgments.acknowledge(connection, alert_id, "ann", "known")
        raise ZeroDivisionError
    with records.transaction(ANN) as connection:
        assert [alert.id for alert in alerts.recent(connection, acknowledged=False)] == [alert_id]
    assert audited(records) == []


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("", "needs a reason"),
        (" \n\t", "needs a reason"),
        ("secret\0", "The reason holds a NUL"),
        ("secret\udcff", "The reason holds half of a surrogate pair"),
        ("secret" * 400, "The reason is 2,400 characters long"),
        ("secret" * 2_000_000, "The reason is 12,000,000 characters long"),
    ],
    ids=["missing", "blank", "NUL", "surrogate", "long", "12 MB"],
)
def test_a_reason_that_cannot_be_kept_is_refused_without_repeating_it(
    records: Records, reason: str, message: str
) -> None:
    (alert_id,) = add(records, DROP)
    with records.transaction(ANN) as connection:
        with pytest.raises(UsageError, match=message) as refused:
            acknowledgments.acknowledge(connection, alert_id, "ann", reason)
        # The refusal has not spoilt the transaction.
        assert acknowledgments.acknowledgment_of(connection, alert_id) is None
    assert "secret" not in str(refused.value)
    assert audited(records) == []


@pytest.mark.parametrize("alert_id", [0, -1, 10**9, 2**63 - 1, 2**63, 10**5000, -(10**5000)], ids=lambda n: n % 97)
def test_an_alert_that_does_not_exist_is_refused(records: Records, alert_id: int) -> None:
    with records.transaction(SYSTEM) as connection:
        assert alerts.get(connection, alert_id) is None
        with pytest.raises(UsageError, match=r"There is no alert (-?\d+|of so large a number)\. List the alerts"):
            acknowledgments.acknowledge(connection, alert_id, "ann", "known")
    assert audited(records) == []


def test_an_alert_of_another_dataset_is_neither_seen_nor_acknowledged(records: Records) -> None:
    (alert_id,) = add(records, GAP)
    with records.transaction(ANN) as connection:
        assert alerts.get(connection, alert_id) is None
        with pytest.raises(UsageError, match=f"There is no alert {alert_id}\\."):
            acknowledgments.acknowledge(connection, alert_id, "ann", "known")
    with pytest.raises(NotPermittedError), records.transaction(ANN) as connection:
        alerts.store(connection, [GAP])
    acknowledge(records, alert_id, SYSTEM)
    with records.transaction(ANN) as connection:
        assert acknowledgments.acknowledgment_of(connection, alert_id) is None
    assert [entry[0] for entry in audited(records)] == ["system:test"]


def test_nobody_acknowledges_in_anothers_name(records: Records) -> None:
    (alert_id,) = add(records, DROP)
    with pytest.raises(NotPermittedError), records.transaction(ANN) as connection:
        acknowledgments.acknowledge(connection, alert_id, "ben", "known")
    assert audited(records) == []
