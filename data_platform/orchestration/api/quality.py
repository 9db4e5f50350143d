"""Quality: verdicts, trends, coverage, quarantine, and the alerts with their acknowledgments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from data_platform.governance.quality_dto import (
    AlertAcknowledgmentDTO,
    AlertGroupDTO,
    AnomalyAlertDTO,
    CoverageDTO,
    QualityTrendDTO,
    QuarantineEntryDTO,
    ValidationResultDTO,
)
from data_platform.orchestration.api.asked import ReasonAsked
from data_platform.orchestration.api.desk import CallerOf, DeskOf

router = APIRouter(tags=["quality"])

Name = Annotated[str, Query(max_length=100)]
MaybeName = Annotated[str | None, Query(max_length=100)]


@router.get("/quality/results")
async def results(
    desk: DeskOf,
    caller: CallerOf,
    dataset: Name,
    table: MaybeName = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
) -> list[ValidationResultDTO]:
    """The newest verdicts on a dataset or a table of it."""
    return await desk.quick.run(lambda: desk.quality.get_validation_results(caller.user, dataset, limit, table))


@router.get("/quality/trends")
async def trends(
    desk: DeskOf,
    caller: CallerOf,
    dataset: Name,
    table: MaybeName = None,
    days: Annotated[int, Query(ge=1, le=3_660)] = 30,
) -> QualityTrendDTO:
    """Row counts, missing values, pass rates and anomalies of the last days."""
    return await desk.quick.run(lambda: desk.quality.get_quality_trends(caller.user, dataset, days, table))


@router.get("/quality/quarantine")
async def quarantine(desk: DeskOf, caller: CallerOf) -> list[QuarantineEntryDTO]:
    """What is in quarantine of your datasets."""
    return await desk.quick.run(lambda: desk.quality.get_quarantine_status(caller.user))


@router.get("/coverage")
async def coverage(desk: DeskOf, caller: CallerOf, dataset: Name, table: MaybeName = None) -> list[CoverageDTO]:
    """What the newest version of each partition covers."""
    return await desk.quick.run(lambda: desk.quality.get_coverage(caller.user, dataset, table))


@router.get("/alerts")
async def alerts(
    desk: DeskOf,
    caller: CallerOf,
    dataset: MaybeName = None,
    table: MaybeName = None,
    severity: Annotated[str | None, Query(max_length=20)] = None,
    acknowledged: Annotated[bool | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> list[AnomalyAlertDTO]:
    """The newest alerts of your datasets."""
    return await desk.quick.run(
        lambda: desk.quality.get_anomaly_alerts(
            caller.user, severity, acknowledged, dataset=dataset, table=table, limit=limit
        )
    )


@router.get("/alerts/groups")
async def alert_groups(
    desk: DeskOf,
    caller: CallerOf,
    dataset: MaybeName = None,
    severity: Annotated[str | None, Query(max_length=20)] = None,
    acknowledged: Annotated[bool | None, Query()] = None,
) -> list[AlertGroupDTO]:
    """The same alerts, counted by metric and severity."""
    return await desk.quick.run(
        lambda: desk.quality.get_alert_groups(caller.user, severity, acknowledged, dataset=dataset)
    )


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge(
    desk: DeskOf, caller: CallerOf, alert_id: Annotated[int, Path(ge=1, le=2**63 - 1)], asked: ReasonAsked
) -> AlertAcknowledgmentDTO:
    """Settle an alert; the first acknowledgment stays, and whoever comes later gets that one back."""
    return await desk.quick.run(lambda: desk.quality.acknowledge_alert(caller.user, alert_id, asked.reason))
