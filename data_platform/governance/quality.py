"""The service behind everything that people see of data quality: verdicts, alerts, trends, quarantine, coverage.

Each method asks for the permission and reads in the caller's own scope, so that it answers of their datasets only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Final

from data_platform.catalog import DATASETS, find_dataset, find_table
from data_platform.errors import UsageError
from data_platform.governance.permissions import (
    Action,
    User,
    is_administrator,
    permitted_datasets,
    require,
    require_alerts_of,
)
from data_platform.governance.quality_dto import (
    AlertAcknowledgmentDTO,
    AlertGroupDTO,
    AnomalyAlertDTO,
    AnomalyCountDTO,
    CoverageDTO,
    GapDTO,
    NullShareDTO,
    PassRateDTO,
    QualityTrendDTO,
    QuarantineEntryDTO,
    RowCountDTO,
    ValidationResultDTO,
)
from data_platform.governance.scopes import reading_scope
from data_platform.metrics import counting
from data_platform.records import acknowledgments, alerts, coverage, quality_trends, validations
from data_platform.records.alerts import Severity
from data_platform.records.connection import Records
from data_platform.records.scope import PLATFORM
from data_platform.warehouse.warehouse import Warehouse

MOST_ROWS: Final = 1_000
MOST_ALERTS: Final = 10_000
MOST_DAYS: Final = 3_660
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning")


class DataQualityService:
    """What people may know and settle about the quality of the datasets that they have the permission of.

    Every method raises `NotPermittedError` for those who may not, `UsageError` for what does not exist, and
    `DatabaseUnavailableError` when the records are away.
    """

    def __init__(self, records: Records, warehouse: Warehouse) -> None:
        self._records = records
        self._warehouse = warehouse

    def get_validation_results(
        self, user: User, dataset: str, limit: int = 50, table: str | None = None
    ) -> list[ValidationResultDTO]:
        """The newest verdicts on a dataset or one of its tables, newest first."""
        _of(dataset, table)
        require(user, Action.VIEW_DATA_QUALITY, dataset)
        _within("limit", limit, MOST_ROWS)
        counting.quality_viewed()
        with self._records.transaction(reading_scope(user)) as connection:
            found = validations.recent(connection, dataset, table, limit)
        return [ValidationResultDTO.model_validate(asdict(each)) for each in found]

    def get_anomaly_alerts(
        self,
        user: User,
        severity: str | None = None,
        acknowledged: bool | None = None,  # noqa: FBT001 - a filter like the others
        *,
        dataset: str | None = None,
        table: str | None = None,
        limit: int = 100,
    ) -> list[AnomalyAlertDTO]:
        """The newest alerts of the caller's datasets, of one of them or of a table of it, newest first.

        Administrators also get those of the platform itself, whose dataset is ``platform``.
        """
        self._require(user, dataset)
        _within("limit", limit, MOST_ALERTS)
        counting.alerts_viewed()
        with self._records.transaction(reading_scope(user)) as connection:
            found = alerts.recent(
                connection,
                dataset=dataset,
                table=table,
                severity=_severity(severity),
                acknowledged=acknowledged,
                limit=limit,
            )
        return [AnomalyAlertDTO.model_validate(asdict(each)) for each in found]

    def get_alert_groups(
        self,
        user: User,
        severity: str | None = None,
        acknowledged: bool | None = None,  # noqa: FBT001 - as above
        *,
        dataset: str | None = None,
    ) -> list[AlertGroupDTO]:
        """The same alerts (the newest ten thousand) counted by metric and severity, the most frequent first."""
        self._require(user, dataset)
        counting.alerts_viewed()
        with self._records.transaction(reading_scope(user)) as connection:
            found = alerts.by_metric(
                connection, dataset=dataset, severity=_severity(severity), acknowledged=acknowledged
            )
        return [AlertGroupDTO.model_validate(asdict(each)) for each in found]

    def acknowledge_alert(self, user: User, alert_id: int, reason: str) -> AlertAcknowledgmentDTO:
        """Settle an alert; the first acknowledgment stays, and whoever comes later gets that one back."""
        require(user, Action.ACKNOWLEDGE_ALERTS)
        with self._records.transaction(reading_scope(user)) as connection:
            before = acknowledgments.acknowledgment_of(connection, alert_id)
            kept = before or acknowledgments.acknowledge(connection, alert_id, user.user_id, reason)
        mine = before is None and kept.acknowledged_by == user.user_id
        if mine:
            counting.alert_acknowledged(user.user_id, kept.metric)
        answer = {name: getattr(kept, name) for name in AlertAcknowledgmentDTO.model_fields if name != "was_first"}
        return AlertAcknowledgmentDTO(**answer, was_first=mine)

    def get_quality_trends(
        self, user: User, dataset: str, days: int = 30, table: str | None = None, *, today: dt.date | None = None
    ) -> QualityTrendDTO:
        """Row counts, missing values, pass rates and anomalies of the last days, today (UTC) included."""
        _of(dataset, table)
        require(user, Action.VIEW_DATA_QUALITY, dataset)
        _within("days", days, MOST_DAYS)
        counting.quality_viewed()
        since = (today or dt.datetime.now(dt.UTC).date()) - dt.timedelta(days=days - 1)
        with self._records.transaction(reading_scope(user)) as connection:
            first = quality_trends.first_day(connection, dataset)
            rows = quality_trends.row_counts(connection, dataset, since, table)
            nulls = quality_trends.null_shares(connection, dataset, since, table)
            rates = quality_trends.pass_rates(connection, dataset, since, table)
            found = quality_trends.anomalies(connection, dataset, since, table)
        return QualityTrendDTO(
            dataset=dataset,
            since=since,
            first_day=first,
            note=_note(first, since),
            row_counts=[RowCountDTO.model_validate(asdict(each)) for each in rows],
            null_shares=[NullShareDTO.model_validate(asdict(each)) for each in nulls],
            pass_rates=[PassRateDTO.model_validate(asdict(each)) for each in rates],
            anomalies=[AnomalyCountDTO.model_validate(asdict(each)) for each in found],
        )

    def get_quarantine_status(self, user: User) -> list[QuarantineEntryDTO]:
        """What is in quarantine of the caller's datasets, newest first; what belongs to none is for administrators."""
        require(user, Action.VIEW_DATA_QUALITY)
        counting.quality_viewed()
        visible = permitted_datasets(user, DATASETS)
        return [
            QuarantineEntryDTO(
                entry_id=entry.entry_id,
                created_at=entry.created_at,
                dataset=entry.dataset,
                table_name=entry.table,
                partition=entry.partition,
                rows=entry.row_count,
                findings=list(entry.findings),
            )
            for entry in self._warehouse.quarantine.entries(None)
            if entry.dataset in visible or (not entry.dataset and is_administrator(user))
        ]

    def get_coverage(self, user: User, dataset: str, table: str | None = None) -> list[CoverageDTO]:
        """What the newest version of each partition covers, by table and partition."""
        _of(dataset, table)
        require(user, Action.VIEW_DATA_QUALITY, dataset)
        counting.quality_viewed()
        with self._records.transaction(reading_scope(user)) as connection:
            found = coverage.of_tables(connection, dataset, table)
        return [
            CoverageDTO.model_validate(
                asdict(each)
                | {
                    "gaps": [
                        GapDTO.model_validate(dict(zip(GapDTO.model_fields, gap, strict=True))) for gap in each.gaps
                    ]
                }
            )
            for each in found
        ]

    def _require(self, user: User, dataset: str | None) -> None:
        if dataset not in {None, PLATFORM}:
            find_dataset(str(dataset))
        require_alerts_of(user, dataset)


def _of(dataset: str, table: str | None) -> None:
    """See that the dataset exists and the table is one of its own."""
    find_dataset(dataset)
    if table is not None and find_table(table).dataset != dataset:
        raise UsageError(
            f"Dataset {dataset} has no table {table!r}.", hint=f"It is one of {find_table(table).dataset}."
        )


def _note(first: dt.date | None, since: dt.date) -> str | None:
    if first is None:
        return "There is no history yet. Run a sync to generate quality data."
    return f"The history begins on {first.isoformat()}." if first > since else None


def _severity(text: str | None) -> Severity | None:
    if text is None:
        return None
    for severity in SEVERITIES:
        if text == severity:
            return severity
    raise UsageError(f"{text!r} is no severity.", hint=f"Severities: {', '.join(SEVERITIES)}.")


def _within(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise UsageError(f"The {name} must be from 1 to {most:,}.")
