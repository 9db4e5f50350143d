"""Syncs: where every table stands, the log, the schedules and their changes, and syncs that people order."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from data_platform.governance.sync_dto import (
    ConditionDTO,
    SyncDayDTO,
    SyncJobDTO,
    SyncLogEntry,
    SyncScheduleDTO,
    SyncScheduleUpdateDTO,
    SyncStatusDTO,
)
from data_platform.orchestration.api.asked import ScheduleAsked, SyncAsked
from data_platform.orchestration.api.desk import CallerOf, DeskOf

router = APIRouter(tags=["syncs"])


@router.get("/sync/status")
async def status(desk: DeskOf, caller: CallerOf) -> list[SyncStatusDTO]:
    """Every table of your datasets; while the database is away nobody is let in to ask."""
    return await desk.quick.run(lambda: desk.syncs.get_sync_status(caller.user))


@router.get("/sync/conditions")
async def conditions(desk: DeskOf, caller: CallerOf) -> list[ConditionDTO]:
    """What in the warehouse needs a person: locks, disk, quarantine, damage."""
    return await desk.quick.run(lambda: desk.syncs.get_conditions(caller.user))


@router.get("/sync/history")
async def history(desk: DeskOf, caller: CallerOf, days: Annotated[int, Query(ge=1, le=3_660)] = 30) -> list[SyncDayDTO]:
    """What happened on each of the last days that are over (UTC)."""
    return await desk.quick.run(lambda: desk.syncs.get_sync_history(caller.user, days=days))


@router.get("/sync/logs")
async def logs(
    desk: DeskOf,
    caller: CallerOf,
    dataset: Annotated[str | None, Query(max_length=100)] = None,
    level: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> list[SyncLogEntry]:
    """The newest lines of the log, newest first."""
    return await desk.quick.run(lambda: desk.syncs.get_sync_logs(caller.user, dataset, level, limit))


@router.get("/sync/schedules")
async def schedules(desk: DeskOf, caller: CallerOf) -> list[SyncScheduleDTO]:
    """When the tables of your datasets are synced by themselves."""
    return await desk.quick.run(lambda: desk.syncs.get_sync_schedule(caller.user))


@router.put("/sync/schedules/{dataset}/{table}")
async def change_schedule(
    desk: DeskOf, caller: CallerOf, dataset: str, table: str, asked: ScheduleAsked
) -> SyncScheduleDTO:
    """Change a schedule; 409 with the current version when somebody else changed it first."""
    change = SyncScheduleUpdateDTO(table=table, **asked.model_dump())
    return await desk.quick.run(lambda: desk.syncs.update_sync_schedule(caller.user, dataset, change))


@router.post("/sync/{dataset}/trigger", status_code=202)
async def trigger(desk: DeskOf, caller: CallerOf, request: Request, dataset: str, asked: SyncAsked) -> SyncJobDTO:
    """Start a sync of a table now, as a run in the orchestrator's queue. One a minute for all users together."""
    launcher = desk.launcher_of(request)
    return await desk.quick.run(
        lambda: desk.syncs.trigger_sync(
            caller.user,
            dataset,
            asked.reason,
            table=asked.table,
            launcher=launcher,
            partitions=asked.partitions,
            every=asked.all_partitions,
            full=asked.full,
            client_ip=caller.client_ip,
        )
    )
