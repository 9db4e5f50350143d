"""Runs that a schedule asked for, as Dagster stores them: the request with its tags, and the newest one read back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import dagster as dg

from data_platform.catalog import Partitioning, Table
from data_platform.errors import CredentialsError, DataQualityError
from data_platform.orchestration.audit import USER_TAG
from data_platform.orchestration.launching import partition_tags
from data_platform.sync.scheduling import Hopeless, RunState, ScheduledRun, Start

TABLE_TAG: Final = "data_platform/scheduled_table"
TICK_TAG: Final = "data_platform/tick"
ATTEMPT_TAG: Final = "data_platform/attempt"
FAILURES_TAG: Final = "data_platform/failures_before"

_STATES: Final = {
    dg.DagsterRunStatus.NOT_STARTED: RunState.CREATED,
    dg.DagsterRunStatus.SUCCESS: RunState.DONE,
    # Somebody has decided against it; the next tick is time enough.
    dg.DagsterRunStatus.CANCELED: RunState.STOPPED,
    dg.DagsterRunStatus.FAILURE: RunState.FAILED,
}


def run_request(table: Table, partitions: Sequence[str], start: Start, user: str) -> dg.RunRequest:
    """The run that a decision asks for: one, over all the partitions, in the name of the schedule's `user`."""
    whole = table.partitioning is Partitioning.WHOLE
    config: dict[str, Any] = {"full": False, "reason": _reason(start)}
    return dg.RunRequest(
        run_key=start.key(table.name),
        asset_selection=[dg.AssetKey(table.name)],
        partition_key=partitions[0] if not whole and len(partitions) == 1 else None,
        run_config={"ops": {f"sync_{table.name}": {"config": config}}},
        tags={
            **({} if whole else partition_tags(list(partitions))),
            USER_TAG: user,
            TABLE_TAG: table.name,
            TICK_TAG: start.tick.astimezone(dt.UTC).isoformat(),
            ATTEMPT_TAG: str(start.attempt),
            FAILURES_TAG: str(start.failures),
        },
    )


def newest_run(instance: dg.DagsterInstance, table: Table, user: str, now: dt.datetime) -> ScheduledRun | None:
    """The newest run that the schedule of a table asked for; None when there is none of a tick up to `now`."""
    records = instance.get_run_records(filters=dg.RunsFilter(tags={TABLE_TAG: table.name, USER_TAG: user}), limit=1)
    for record in records:
        run = record.dagster_run
        found = _read(run.tags)
        ended = record.update_timestamp if record.end_time is None else _utc(record.end_time)
        if found is not None and found[0] <= now:
            state = _STATES.get(run.status, RunState.ACTIVE)
            hopeless = why_hopeless(instance, run.run_id) if state is RunState.FAILED else None
            return ScheduledRun(run.run_id, *found, state=state, ended_at=ended.astimezone(dt.UTC), hopeless=hopeless)
    return None


def why_hopeless(instance: dg.DagsterInstance, run_id: str) -> Hopeless | None:
    """Why a failed run is not to be tried again soon, as its step's failure says (`assets` puts it there)."""
    failures = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1).records
    for record in failures:
        event = record.event_log_entry.dagster_event
        told = None if event is None else event.step_failure_data.user_failure_data
        if told is not None and (code := told.metadata.get("exit_code")) is not None:
            if code.value == DataQualityError.exit_code:
                return Hopeless.UNFIT
            error = told.metadata.get("error")
            return Hopeless.REFUSED if error is not None and error.value == CredentialsError.__name__ else None
    return None


def _read(tags: Mapping[str, str]) -> tuple[dt.datetime, int, int] | None:
    """Tick, attempt and failures before; None when somebody wrote something else there."""
    try:
        tick = dt.datetime.fromisoformat(tags[TICK_TAG])
        attempt, failures = int(tags[ATTEMPT_TAG]), int(tags[FAILURES_TAG])
    except (KeyError, ValueError):
        return None
    return (tick, attempt, failures) if tick.utcoffset() is not None and attempt >= 1 and failures >= 0 else None


def _reason(start: Start) -> str:
    again = f", try {start.attempt}" if start.attempt > 1 else ""
    return f"Scheduled for {start.tick.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC{again}"


def _utc(timestamp: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(timestamp, dt.UTC)
