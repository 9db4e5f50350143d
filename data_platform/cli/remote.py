"""The services at the other end of DATA_PLATFORM_URL, with the methods that commands call of those in this process.

Whose they are asked for is decided there, from the token: the user that each method is given is nobody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from data_platform.client.connection import Client
from data_platform.errors import UsageError
from data_platform.governance.permissions import User
from data_platform.governance.quality_dto import (
    AlertAcknowledgmentDTO,
    AlertGroupDTO,
    AnomalyAlertDTO,
    CoverageDTO,
    QualityTrendDTO,
    ValidationResultDTO,
)
from data_platform.governance.sync_dto import (
    ConditionDTO,
    SyncDayDTO,
    SyncJobDTO,
    SyncLogEntry,
    SyncScheduleDTO,
    SyncScheduleUpdateDTO,
    SyncStatusDTO,
)

Model = TypeVar("Model", bound=BaseModel)


class RemoteSyncs:
    """What commands ask of `DataSyncService`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get_sync_status(self, _: User) -> list[SyncStatusDTO]:
        """Every table of the caller's datasets."""
        return _each(SyncStatusDTO, self._client.sync_status())

    def get_conditions(self, _: User) -> list[ConditionDTO]:
        """What in the warehouse needs a person."""
        return _each(ConditionDTO, self._client.conditions())

    def get_sync_logs(
        self, _: User, dataset: str | None = None, level: str | None = None, limit: int = 100
    ) -> list[SyncLogEntry]:
        """The newest lines of the log."""
        return _each(SyncLogEntry, self._client.logs(dataset, level, limit))

    def get_sync_history(self, _: User, days: int = 30) -> list[SyncDayDTO]:
        """What happened on each of the last days."""
        return _each(SyncDayDTO, self._client.sync_history(days))

    def get_sync_schedule(self, _: User) -> list[SyncScheduleDTO]:
        """The schedules of the caller's datasets."""
        return _each(SyncScheduleDTO, self._client.schedules())

    def update_sync_schedule(self, _: User, dataset: str, schedule: SyncScheduleUpdateDTO) -> SyncScheduleDTO:
        """Change a schedule."""
        change = schedule.model_dump(exclude={"table", "expected_version"})
        found = self._client.change_schedule(dataset, schedule.table, schedule.expected_version, **change)
        return read(SyncScheduleDTO, found)

    def trigger(
        self, dataset: str, table: str, reason: str, partitions: Sequence[str], *, every: bool, full: bool
    ) -> SyncJobDTO:
        """Start a sync there."""
        found = self._client.trigger_sync(
            dataset, table, reason, partitions=partitions, all_partitions=every, full=full
        )
        return read(SyncJobDTO, found)


class RemoteQuality:
    """What commands ask of `DataQualityService`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get_validation_results(
        self, _: User, dataset: str, limit: int = 50, table: str | None = None
    ) -> list[ValidationResultDTO]:
        """The newest verdicts."""
        return _each(ValidationResultDTO, self._client.quality(dataset, table, limit))

    def get_anomaly_alerts(
        self,
        _: User,
        severity: str | None = None,
        acknowledged: bool | None = None,  # noqa: FBT001 - as the service has it
        *,
        dataset: str | None = None,
        table: str | None = None,
        limit: int = 100,
    ) -> list[AnomalyAlertDTO]:
        """The newest alerts."""
        found = self._client.alerts(
            dataset=dataset, table=table, severity=severity, acknowledged=acknowledged, limit=limit
        )
        return _each(AnomalyAlertDTO, found)

    def get_alert_groups(
        self,
        _: User,
        severity: str | None = None,
        acknowledged: bool | None = None,  # noqa: FBT001 - as above
        *,
        dataset: str | None = None,
    ) -> list[AlertGroupDTO]:
        """The same, counted by metric and severity."""
        return _each(
            AlertGroupDTO, self._client.alert_groups(dataset=dataset, severity=severity, acknowledged=acknowledged)
        )

    def acknowledge_alert(self, _: User, alert_id: int, reason: str) -> AlertAcknowledgmentDTO:
        """Settle an alert."""
        return read(AlertAcknowledgmentDTO, self._client.acknowledge(alert_id, reason))

    def get_quality_trends(self, _: User, dataset: str, days: int = 30, table: str | None = None) -> QualityTrendDTO:
        """The trends of a dataset."""
        return read(QualityTrendDTO, self._client.trends(dataset, table, days))

    def get_coverage(self, _: User, dataset: str, table: str | None = None) -> list[CoverageDTO]:
        """What is covered."""
        return _each(CoverageDTO, self._client.coverage(dataset, table))


def read(model: type[Model], found: object) -> Model:
    """What a server answered.

    Raises:
        UsageError: when it has another form, as from a server of something else.
    """
    try:
        return model.model_validate(found)
    except ValidationError:
        raise UsageError(
            "The server answered in a form that is not known here.",
            hint="Is DATA_PLATFORM_URL right, and data-platform of the same version there?",
        ) from None


def _each(model: type[Model], found: Sequence[object]) -> list[Model]:
    return [read(model, each) for each in found]
