"""What callers give and get about syncs: status, log lines, schedules and their changes, and runs that they start."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from data_platform.governance.dto import Answer


class SyncStatusDTO(Answer):
    """One table: its latest version, and when it is synced by itself.

    The fields of the version are None before the first sync, those of the schedule while it is off or unknown. `stale`
    says that the records are away: the schedule is then the one known at `schedule_as_of`, None when it never was. The
    version is always that of the warehouse.
    """

    dataset: str
    table: str
    last_sync: dt.datetime | None
    row_count: int | None
    validation_status: str | None
    schema_version: str | None
    manifest_version: int | None
    start_date: dt.date | None
    end_date: dt.date | None
    partitions: int | None
    enabled: bool | None
    last_scheduled_run: dt.datetime | None
    next_scheduled_run: dt.datetime | None
    stale: bool
    schedule_as_of: dt.datetime | None


class ConditionDTO(Answer):
    """Something in the warehouse that needs a person. `table` is None where none is concerned; `hint` is what to do."""

    kind: str
    severity: str
    table: str | None
    message: str
    hint: str


class SyncLogEntry(Answer):
    """A line of the log of syncs; `extra` holds counts, hashes and timings."""

    id: int
    created_at: dt.datetime
    dataset: str
    table_name: str | None
    level: str
    message: str
    extra: dict[str, Any]
    sync_run_id: UUID | None


class SyncDayDTO(Answer):
    """A day (UTC) that is over: a dataset as a whole, then each of its tables in which something happened.

    `table_name` is None on the dataset's own row. A sync is one partition in one run. Rows, bytes and seconds are of
    what was published; the seconds are None when nothing was. Queries, by result, and denials are of the dataset only.
    """

    day: dt.date
    dataset: str
    table_name: str | None
    syncs: int
    failures: int
    rows_published: int
    bytes_published: int
    seconds_median: float | None
    seconds_longest: float | None
    queries: dict[str, int]
    denials: int
    alerts_raised: int
    alerts_acknowledged: int


class SyncScheduleDTO(Answer):
    """When a table is synced by itself; `next_scheduled_run` is None while the schedule is off."""

    dataset: str
    table_name: str
    enabled: bool
    cron_expression: str
    timezone: str
    last_scheduled_run: dt.datetime | None
    next_scheduled_run: dt.datetime | None
    updated_by: str | None
    updated_at: dt.datetime
    version: int


class SyncScheduleUpdateDTO(BaseModel):
    """A change of a table's schedule: what is None stays. It is made only while the version is the expected one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    expected_version: int
    enabled: bool | None = None
    cron_expression: str | None = None
    timezone: str | None = None
    reason: str | None = None


class SyncJobDTO(Answer):
    """A sync that was started: the run of the orchestrator that does it, and what it was told to do."""

    run_id: str
    dataset: str
    table: str
    partitions: list[str]
    full: bool
    requested_by: str
    requested_at: dt.datetime
    reason: str
