"""A user of each role, rows for each of them in every table, and what the database says to them."""

from __future__ import annotations

import datetime as dt

import psycopg
from psycopg import sql

from data_platform.errors import PlatformError
from data_platform.governance.permissions import LICENSED_DATASETS, Role, User
from data_platform.records import (
    acknowledgments,
    alert_deliveries,
    alert_rules,
    alerts,
    coverage,
    daily_metrics,
    partition_statistics,
    platform_audit,
    query_audit,
    query_requests,
    schedules,
    sync_logs,
    tokens,
    users,
    validations,
)
from data_platform.records.alerts import Alert
from data_platform.records.connection import Records
from data_platform.records.coverage import PartitionCoverage
from data_platform.records.daily_metrics import DailyMetrics
from data_platform.records.partition_statistics import PartitionStatistics
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import QUERIES
from data_platform.records.scope import Scope
from data_platform.records.validations import Validation

SYSTEM = Scope.system("test")
TEXT = SealedText("0" * 64, "0" * 64, b"encrypted")
PEOPLE = {role: User(f"the_{role.value}", role) for role in Role}
SEES = {
    Role.VIEWER: {"fama_french"},
    Role.ANALYST: {"fama_french", "crsp"},
    Role.OPERATOR: {"fama_french", "crsp", "compustat"},
    Role.ADMIN: set(LICENSED_DATASETS),
}
BY_DATASET = [
    "data_sync_logs",
    "data_sync_schedule",
    "data_validation_results",
    "data_anomaly_alerts",
    "data_quality_alert_acknowledgments",
    "data_partition_statistics",
    "data_coverage",
    "data_daily_metrics",
    "alert_deliveries",
]
"""Rows of these belong to a dataset."""
OWN_OF_DATASET = ["data_query_audit", "query_requests", "platform_audit"]
"""Rows of these belong to a user, and to a dataset that the user must hold still."""
OWN = ["platform_users", "platform_grants", "platform_tokens", "rate_limits"]
HIDDEN = ["archives"]
"""For the platform's own parts and for administration only."""
NAMES = {
    "data_query_audit": "user_id",
    "query_requests": "user_id",
    "platform_audit": "actor",
    "platform_users": "user_id",
    "platform_grants": "user_id",
    "platform_tokens": "user_id",
    "rate_limits": "subject",
}


def fill(records: Records) -> None:
    """Give every table rows of every dataset and of a user of each role."""
    with records.transaction(SYSTEM) as connection:
        for user in PEOPLE.values():
            users.add(connection, user.user_id, user.role.value)
            users.grant(connection, user.user_id, "query:data")
            tokens.create(connection, user.user_id)
        rule = alert_rules.add(connection, "everything", "oncall")
        for dataset in LICENSED_DATASETS:
            alert_rules.add(connection, dataset, "oncall", dataset=dataset)
    for dataset in LICENSED_DATASETS:
        with records.transaction(SYSTEM) as connection:
            table = f"{dataset}_daily"
            sync_logs.append(connection, dataset, table, "INFO", "done")
            schedules.ensure(connection, dataset, table)
            validations.store(connection, [Validation(dataset, table, "2024", "row_count", "passed")])
            partition_statistics.store(
                connection, PartitionStatistics(dataset, table, "2024", 1, "wrds", 10, {"value": 0.5}, {})
            )
            coverage.store(
                connection, PartitionCoverage(dataset, table, "2024", 1, None, None, 10, None, 0, None, (), {})
            )
            daily_metrics.store(connection, [DailyMetrics(dt.date(2024, 1, 2), dataset, table, syncs=1)])
            (number,) = alerts.store(connection, [Alert(dataset, table, "2024", "row_drop", "error", "fewer rows")])
            acknowledgments.acknowledge(connection, number, "system:test", "seen")
            alert_deliveries.enlist(connection, rule, rule.updated_at)
            for user in PEOPLE.values():
                query_requests.create(connection, user.user_id, dataset, b"encrypted")
                platform_audit.append(connection, user.user_id, "sync.trigger", dataset=dataset)
        for user in PEOPLE.values():
            query_audit.record_attempt(records, user.user_id, dataset, 1, TEXT, None, QUERIES)


def seen(records: Records, scope: Scope, table: str, column: str) -> set[object]:
    """The values of a column that a scope sees."""
    statement = sql.SQL("SELECT DISTINCT {} AS value FROM {}").format(
        sql.Identifier(column), sql.Identifier("platform", table)
    )
    with records.transaction(scope) as connection:
        return {row["value"] for row in connection.execute(statement).fetchall()}


def answer(records: Records, scope: Scope, statement: str) -> str:
    """What the database says to a statement in somebody's name: how many rows, or which error."""
    try:
        with records.transaction(scope) as connection:
            return f"{connection.execute(statement.encode()).rowcount} rows"
    except (PlatformError, psycopg.Error) as error:
        return type(error).__name__
