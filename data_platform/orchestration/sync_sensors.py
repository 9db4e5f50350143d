"""One sensor per dataset, which starts the syncs that the schedules of its tables ask for.

The schedules lie in the records and are read anew at each evaluation, so an edit takes effect within a minute. What
is due is decided in `data_platform.sync.scheduling`; here its answers become run requests, notes and alerts.
"""

# No postponed annotations here: Dagster reads them as objects.

import datetime as dt
import json
import warnings
from collections.abc import Callable
from typing import Final, cast
from zoneinfo import ZoneInfo

import dagster as dg

from data_platform.alerting.delivery import deliver_quietly
from data_platform.catalog import Dataset, Table
from data_platform.orchestration.resource import Platform, PlatformResource
from data_platform.orchestration.scheduled_runs import newest_run, run_request
from data_platform.orchestration.settling import open_alerts, settle
from data_platform.orchestration.watching import DELIVERY_SECONDS
from data_platform.records import alerts, schedules
from data_platform.records.alerts import Alert
from data_platform.records.schedules import SyncSchedule
from data_platform.records.scope import Scope
from data_platform.sync.alert_metrics import SYNC_FAILED
from data_platform.sync.plan import current_partitions
from data_platform.sync.scheduling import (
    Cause,
    Hopeless,
    ScheduledRun,
    Start,
    Wait,
    decide,
    failures_in_a_row,
    raises_alert,
    tick_to_note,
)

EVERY_SECONDS: Final = 30
_WHERE: Final = {
    Hopeless.UNFIT: "data-platform quality {table}, data-platform quarantine list",
    Hopeless.REFUSED: "data-platform doctor --connect",
}


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def schedule_sensor(dataset: Dataset, now: Callable[[], dt.datetime] = _utc_now) -> dg.SensorDefinition:
    """The sensor of a dataset; `now` tells the time."""
    with warnings.catch_warnings():
        # Dagster calls owners of sensors new, and every command that syncs would say so.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _sensor(dataset, now)


def _sensor(dataset: Dataset, now: Callable[[], dt.datetime]) -> dg.SensorDefinition:
    name = f"sync_schedule_{dataset.name}"

    @dg.sensor(  # pyright: ignore[reportUnknownMemberType] - an overload of Dagster with partly unknown types
        name=name,
        description=f"Syncs the tables of {dataset.name} when their schedules say so: data-platform schedule list.",
        asset_selection=[dg.AssetKey(table.name) for table in dataset.tables],
        minimum_interval_seconds=EVERY_SECONDS,
        owners=[f"team:{dataset.name}"],
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(
        context: dg.SensorEvaluationContext, platform: dg.ResourceParam[PlatformResource]
    ) -> dg.SensorResult | dg.SkipReason:
        with platform.open() as opened:
            return _evaluate(context, opened, dataset, Scope.system(name), now())

    return sensor


def _evaluate(
    context: dg.SensorEvaluationContext, platform: Platform, dataset: Dataset, scope: Scope, now: dt.datetime
) -> dg.SensorResult | dg.SkipReason:
    names = [(dataset.name, table.name) for table in dataset.tables]
    schedules.ensure_each(platform.records, scope, names, enabled=platform.settings.env == "production")
    with platform.records.transaction(scope) as connection:
        rows = {schedule.table_name: schedule for schedule in schedules.list_all(connection, dataset.name)}
        failed = open_alerts(connection, dataset.name)
    told = _told(context.cursor)
    requests: list[dg.RunRequest] = []
    waiting: list[tuple[SyncSchedule, Wait]] = []
    for table in dataset.tables:
        last = newest_run(context.instance, table, scope.user, now)
        schedule = _noted(platform, scope, rows[table.name], last, now)
        partitions = current_partitions(table, platform.settings, now.astimezone(dt.UTC).date())
        settle(context.instance, platform.records, scope, failed.get(table.name, []), table, partitions, last)
        if last is not None and raises_alert(schedule, last) and told.get(table.name) != last.run_id:
            _raise_alert(platform, scope, table, partitions, last, failures_in_a_row(schedule, last))
            told[table.name] = last.run_id
        match decide(schedule, last, now):
            case Start() as start:
                requests.append(run_request(table, partitions, start, scope.user))
            case Wait() as wait:
                waiting.append((schedule, wait))
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else why_nothing(dataset.name, waiting),
        cursor=json.dumps(told) if told else None,
    )


def _noted(
    platform: Platform, scope: Scope, schedule: SyncSchedule, last: ScheduledRun | None, now: dt.datetime
) -> SyncSchedule:
    """The schedule, with the tick of the newest run noted in it and the next one planned."""
    tick = tick_to_note(schedule, last, now)
    if tick is None:
        return schedule
    with platform.records.transaction(scope) as connection:
        return schedules.mark_run(connection, schedule.dataset, schedule.table_name, tick, now)


def _raise_alert(
    platform: Platform, scope: Scope, table: Table, partitions: list[str], last: ScheduledRun, failures: int
) -> None:
    said = (
        # The same words each night: while that alert is open, the next tick's run raises no other.
        f"The scheduled sync of {table.name} failed because {last.hopeless.value}, and is not tried again before the "
        f"next tick. See: {_WHERE[last.hopeless].format(table=table.name)}"
        if last.hopeless is not None
        else f"Scheduled syncs of {table.name} failed {failures} times in a row; the last was run {last.run_id}. "
        "The next tick tries again."
    )
    alert = Alert(
        table.dataset,
        table.name,
        partitions[-1],
        SYNC_FAILED,
        "error",
        said,
        current_value=float(failures),
        expected_value=0.0,
    )
    with platform.records.transaction(scope) as connection:
        new = alerts.store_new(connection, [alert])
    if new:
        deliver_quietly(platform.records, platform.settings, within=DELIVERY_SECONDS)


def why_nothing(dataset: str, waiting: list[tuple[SyncSchedule, Wait]]) -> str:
    """One line on why nothing is started: what is under way, what comes next and when, and how many are off."""
    on = [(schedule, wait) for schedule, wait in waiting if wait.cause is not Cause.OFF]
    if not on:
        return f"Every schedule of {dataset} is off. Turn one on with: data-platform schedule enable TABLE"
    running = [f"{schedule.table_name} is being synced" for schedule, wait in on if wait.cause is Cause.RUNNING]
    coming = sorted(
        (wait.until, schedule.table_name, wait.cause.value, schedule.timezone) for schedule, wait in on if wait.until
    )
    nearest = [
        f"{table} {what} at {until.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"
        for until, table, what, zone in coming[:1]
    ]
    off = len(waiting) - len(on)
    return "; ".join([*running, *nearest, *([f"{off} of {len(waiting)} schedules are off"] if off else [])]) + "."


def _told(cursor: str | None) -> dict[str, str]:
    """The run of each table whose failure people were told of, from what the last evaluation left."""
    try:
        found: object = json.loads(cursor or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(table): str(run) for table, run in cast("dict[object, object]", found).items()}
