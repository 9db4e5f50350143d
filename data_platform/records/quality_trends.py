"""The trend views: row counts, missing values, the share of passed checks and the anomalies of a dataset, by day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql

from data_platform.records.connection import Connection
from data_platform.records.filters import where

_NEWEST_FIRST: Final = sql.SQL("SELECT {columns} FROM {view} {where} ORDER BY day DESC, {order}")


@dataclass(frozen=True, slots=True)
class RowCountTrend:
    """What was published of a table on a day: versions, the partitions they are of, and their rows together."""

    table_name: str
    day: dt.date
    versions: int
    partitions: int
    rows_published: int


@dataclass(frozen=True, slots=True)
class NullShareTrend:
    """The share of missing values in a column of what was published on a day."""

    table_name: str
    column_name: str
    day: dt.date
    null_share: float


@dataclass(frozen=True, slots=True)
class PassRateTrend:
    """How many checks of a table ran on a day and how they ended; `pass_rate` counts warnings as passed."""

    table_name: str
    day: dt.date
    checks: int
    passed: int
    warned: int
    failed: int
    pass_rate: float


@dataclass(frozen=True, slots=True)
class AnomalyTrend:
    """How many alerts of a metric and severity a table had on a day."""

    table_name: str
    metric: str
    severity: str
    day: dt.date
    alerts: int


def row_counts(connection: Connection, dataset: str, since: dt.date, table: str | None = None) -> list[RowCountTrend]:
    """Return what was published from a day on, newest first."""
    found = _read(
        connection, "quality_trend_row_counts", "table_name, day, versions, partitions, rows_published",
        dataset, since, table, "table_name",
    )  # fmt: skip
    return [RowCountTrend(**row) for row in found]


def null_shares(
    connection: Connection, dataset: str, since: dt.date, table: str | None = None, column: str | None = None
) -> list[NullShareTrend]:
    """Return the shares of missing values of what was published from a day on, newest first."""
    found = _read(
        connection, "quality_trend_null_shares", "table_name, column_name, day, null_share",
        dataset, since, table, "table_name, column_name", column_name=column,
    )  # fmt: skip
    return [NullShareTrend(**row) for row in found]


def pass_rates(connection: Connection, dataset: str, since: dt.date, table: str | None = None) -> list[PassRateTrend]:
    """Return how checks ended from a day on, newest first."""
    found = _read(
        connection, "quality_trend_pass_rate", "table_name, day, checks, passed, warned, failed, pass_rate",
        dataset, since, table, "table_name",
    )  # fmt: skip
    return [PassRateTrend(**row) for row in found]


def anomalies(connection: Connection, dataset: str, since: dt.date, table: str | None = None) -> list[AnomalyTrend]:
    """Return how often anomalies were found from a day on, newest first."""
    found = _read(
        connection, "quality_trend_anomalies", "table_name, metric, severity, day, alerts",
        dataset, since, table, "table_name, metric, severity",
    )  # fmt: skip
    return [AnomalyTrend(**row) for row in found]


def first_day(connection: Connection, dataset: str) -> dt.date | None:
    """Return the first day of which there are verdicts on a dataset; None when there are none."""
    row = connection.execute(
        "SELECT min(day) AS day FROM platform.data_validation_results WHERE dataset = %s", (dataset,)
    ).fetchone()
    return None if row is None else row["day"]


def _read(
    connection: Connection,
    view: str,
    columns: str,
    dataset: str,
    since: dt.date,
    table: str | None,
    order: str,
    **only: str | None,
) -> list[dict[str, Any]]:
    condition = where(sql.SQL("day >= {}").format(sql.Literal(since)), dataset=dataset, table_name=table, **only)
    query = _NEWEST_FIRST.format(
        columns=sql.SQL(columns),  # pyright: ignore[reportArgumentType] - names of columns of ours
        view=sql.Identifier("platform", view),
        where=condition,
        order=sql.SQL(order),  # pyright: ignore[reportArgumentType] - as above
    )
    return connection.execute(query).fetchall()
