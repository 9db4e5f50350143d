"""The sensor that watches the platform: it gathers what only Dagster knows, and starts no runs."""

# No postponed annotations here: Dagster reads them as objects.

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

# The daemons' states have no public door; the page of deployments in the UI asks the same.
from dagster._daemon.controller import get_daemon_statuses

from data_platform.alerting.delivery import deliver_quietly
from data_platform.catalog import TABLES
from data_platform.errors import PlatformError
from data_platform.orchestration.dead_runs import PROCESS_TAG, is_gone
from data_platform.orchestration.housekeeping.jobs import is_dry
from data_platform.orchestration.housekeeping.timetable import TIMETABLE
from data_platform.orchestration.resource import Platform, PlatformResource
from data_platform.sync.watchers.looking import Sighting, Surroundings, look
from data_platform.sync.watchers.syncs import RunningSync
from data_platform.sync.watchers.telling import in_words, read, tell, written
from data_platform.sync.watchers.upkeep import ChoreRun, DaemonState

EVERY_SECONDS: Final = 60

DELIVERY_SECONDS: Final = 20.0
"""What sending may take within an evaluation, for which Dagster allows 60 s."""

_ENDED: Final = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_LOOKED_BACK: Final = 20
"""Runs of a housekeeping job: so many dry ones in a row hide the one before them."""

_RANGE: Final = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster's metadata types are partly unknown
    name="watchers",
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Raises an alert when something about the platform goes wrong, and settles it when that is over.",
)
def watchers(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[PlatformResource]
) -> dg.SensorResult | dg.SkipReason:
    """Look once a minute; the skip reason says what is wrong now."""
    try:
        with platform.open() as opened:
            sighting, cursor = watch_once(opened, context.instance, context.cursor, dt.datetime.now(dt.UTC))
    except PlatformError as error:
        return dg.SkipReason(f"Could not look: {error.message}")
    return dg.SensorResult(skip_reason=in_words(sighting.found, sighting.unseen), cursor=cursor)


def watch_once(
    platform: Platform, instance: dg.DagsterInstance, cursor: str | None, now: dt.datetime
) -> tuple[Sighting, str]:
    """Look, tell and deliver: what was seen, and the cursor for the next time. `now` is UTC.

    Raises:
        DatabaseUnavailableError: when the records are away.
    """
    around = Surroundings(
        platform.settings,
        platform.warehouse,
        platform.records,
        running=running_syncs(instance),
        daemons=daemon_states(instance),
        chores=last_chores(instance),
    )
    sighting = look(around, now)
    told = tell(platform.records, sighting, read(cursor), now)
    deliver_quietly(platform.records, platform.settings, within=DELIVERY_SECONDS)
    return sighting, written(told.memory)


def running_syncs(instance: dg.DagsterInstance) -> list[RunningSync]:
    """The syncs that Dagster knows to run; those of commands that were killed are left out."""
    found: list[RunningSync] = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        run = record.dagster_run
        process = run.tags.get(PROCESS_TAG)
        if record.start_time is None or (process is not None and is_gone(process)):
            continue
        started = dt.datetime.fromtimestamp(record.start_time, dt.UTC)
        names = [key.to_user_string() for key in run.asset_selection or ()]
        found += [RunningSync(name, started, is_full(run, name)) for name in names if name in TABLES]
    return found


def is_full(run: dg.DagsterRun, table: str) -> bool:
    """Whether a run was asked to extract everything again, or has more than one partition or table."""
    run_config: Mapping[str, Any] = run.run_config
    config: Mapping[str, Any] = run_config.get("ops", {}).get(f"sync_{table}", {}).get("config", {})
    first, last = (run.tags.get(tag) for tag in _RANGE)
    return bool(config.get("full")) or first != last or len(run.asset_selection or ()) > 1


def daemon_states(instance: dg.DagsterInstance) -> list[DaemonState]:
    """The daemons that the instance needs, with their last sign of life."""
    statuses = get_daemon_statuses(instance, instance.get_required_daemon_types())
    return [
        DaemonState(
            status.daemon_type,
            None
            if status.last_heartbeat is None
            else dt.datetime.fromtimestamp(status.last_heartbeat.timestamp, dt.UTC),
            0 if status.last_heartbeat is None else len(status.last_heartbeat.errors or ()),
        )
        for status in statuses.values()
    ]


def last_chores(instance: dg.DagsterInstance) -> list[ChoreRun]:
    """The last run of each housekeeping job that succeeded or failed, killed ones included; dry runs are left out."""
    found: list[ChoreRun] = []
    for chore in TIMETABLE:
        filters = dg.RunsFilter(job_name=chore.name, statuses=_ENDED)
        records = instance.get_run_records(filters, limit=_LOOKED_BACK)
        for record in records:
            run = record.dagster_run
            if is_dry(run, chore):
                continue
            ended = record.update_timestamp.timestamp() if record.end_time is None else record.end_time
            failed = run.status is dg.DagsterRunStatus.FAILURE
            found.append(ChoreRun(chore.name, run.run_id, dt.datetime.fromtimestamp(ended, dt.UTC), failed))
            break
    return found
