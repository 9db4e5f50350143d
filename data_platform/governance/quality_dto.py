"""What callers get about the quality of data: verdicts, alerts, trends, quarantine and coverage, without any value."""

from __future__ import annotations

import datetime as dt

from data_platform.governance.dto import Answer


class ValidationResultDTO(Answer):
    """One validator's verdict on one partition."""

    id: int
    created_at: dt.datetime
    dataset: str
    table_name: str
    partition: str
    validation_type: str
    status: str
    expected_value: str | None
    actual_value: str | None
    error_message: str | None


class AnomalyAlertDTO(Answer):
    """One thing that looked wrong, and who has looked at it."""

    id: int
    created_at: dt.datetime
    dataset: str
    table_name: str
    partition: str
    metric: str
    severity: str
    message: str
    current_value: float | None
    expected_value: float | None
    deviation_pct: float | None
    acknowledged_by: str | None
    acknowledged_at: dt.datetime | None


class AlertGroupDTO(Answer):
    """Alerts of one metric and severity together: how many, in how many tables, and the newest."""

    metric: str
    severity: str
    alerts: int
    tables: int
    newest: dt.datetime


class AlertAcknowledgmentDTO(Answer):
    """Who settled an alert, when and why; `was_first` is False when somebody had done so before."""

    alert_id: int
    dataset: str
    metric: str
    severity: str
    acknowledged_by: str
    acknowledged_at: dt.datetime
    reason: str
    was_first: bool


class RowCountDTO(Answer):
    """What was published of a table on a day."""

    table_name: str
    day: dt.date
    versions: int
    partitions: int
    rows_published: int


class NullShareDTO(Answer):
    """The share of missing values in a column of what was published on a day."""

    table_name: str
    column_name: str
    day: dt.date
    null_share: float


class PassRateDTO(Answer):
    """How the checks of a table ended on a day; warnings count as passed."""

    table_name: str
    day: dt.date
    checks: int
    passed: int
    warned: int
    failed: int
    pass_rate: float


class AnomalyCountDTO(Answer):
    """How many alerts of a metric and severity a table had on a day."""

    table_name: str
    metric: str
    severity: str
    day: dt.date
    alerts: int


class QualityTrendDTO(Answer):
    """A dataset's trends, each newest first. `note` says so when the history begins later than was asked for."""

    dataset: str
    since: dt.date
    first_day: dt.date | None
    note: str | None
    row_counts: list[RowCountDTO]
    null_shares: list[NullShareDTO]
    pass_rates: list[PassRateDTO]
    anomalies: list[AnomalyCountDTO]


class QuarantineEntryDTO(Answer):
    """A partition that was set aside, and why."""

    entry_id: str
    created_at: dt.datetime
    dataset: str
    table_name: str
    partition: str
    rows: int | None
    findings: list[str]


class GapDTO(Answer):
    """A stretch of the calendar's dates without a row."""

    first: dt.date
    last: dt.date
    dates: int


class CoverageDTO(Answer):
    """What the newest version of a partition covers; see `data_platform.quality.coverage.Coverage`."""

    dataset: str
    table_name: str
    partition: str
    manifest_version: int
    start_date: dt.date | None
    end_date: dt.date | None
    row_count: int
    symbols: int | None
    dates: int
    missing_dates: int | None
    gaps: list[GapDTO]
    symbols_by_month: dict[str, int]
