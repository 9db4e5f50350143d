"""Schedules as Dagster's daemon carries them out: one run for each tick, whatever happens around it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.scheduler.instigation import TickStatus
from pydantic import SecretStr

from data_platform.orchestration.assets import table_asset
from data_platform.records import acknowledgments, alerts, platform_audit, schedules
from data_platform.records.connection import Records
from data_platform.records.databases import Databases
from data_platform.sync import SyncContext
from data_platform_tests.demo_fixtures import with_account
from data_platform_tests.orchestration.daemon import SENSOR, SYSTEM, WHOLE, YEARLY, Daemon, OfTheTest, open_daemon

NOON = dt.datetime(2026, 6, 10, 16, 0, tzinfo=dt.UTC)
"""In New York."""
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.fixture
def daemon(context: SyncContext, tmp_path: Path) -> Iterator[Daemon]:
    with open_daemon(context, tmp_path, NOON) as opened:
        yield opened


def test_every_table_gets_a_schedule_that_is_off_and_starts_nothing(daemon: Daemon) -> None:
    tick = daemon.evaluate()
    assert tick.skip_reason == "Every schedule of crsp is off. Turn one on with: data-platform schedule enable TABLE"
    for table in (WHOLE, YEARLY):
        made = daemon.schedule(table.name)
        assert (made.enabled, made.cron_expression, made.timezone) == (False, "0 2 * * *", "America/New_York")
        assert made.next_scheduled_run is None
    assert daemon.evaluate(NOON + 3 * DAY).run_keys == []
    assert daemon.runs() == []


def test_in_production_schedules_are_on_from_the_first_and_wait_for_their_time(
    context: SyncContext, tmp_path: Path
) -> None:
    production = replace(context, settings=context.settings.model_copy(update={"env": "production"}))
    with open_daemon(production, tmp_path, dt.datetime.now(dt.UTC)) as daemon:
        said = daemon.evaluate(daemon.now).skip_reason
        made = daemon.schedule()
    assert (made.enabled, made.updated_by) == (True, None)
    assert said is not None
    assert re.fullmatch(r"crsp_daily is due at \d{4}-\d\d-\d\d 02:00 E[SD]T\.", said)


def test_without_the_database_nothing_is_started_and_the_tick_says_why(
    context: SyncContext, databases: Databases, tmp_path: Path
) -> None:
    with Records(databases, wait_seconds=1) as closed:
        pass
    with open_daemon(replace(context, records=closed), tmp_path, NOON) as daemon:
        tick = daemon.evaluate()
        assert tick.status is TickStatus.FAILURE
        assert "The operational database can't be used" in str(tick.error)
        daemon.context = context
        daemon.plan("0 12 * * *", NOON)
        daemon.evaluate()
        assert len(daemon.runs()) == 1


def test_a_tick_has_exactly_one_run_however_often_it_is_looked_for(daemon: Daemon) -> None:
    daemon.plan("0 12 * * *", NOON)
    assert daemon.evaluate(NOON - MINUTE).skip_reason == (
        "crsp_names is due at 2026-06-10 12:00 EDT; 1 of 2 schedules are off."
    )
    for _ in range(5):
        daemon.evaluate()
    assert daemon.evaluate().skip_reason == "crsp_names is due at 2026-06-11 12:00 EDT; 1 of 2 schedules are off."
    (run,) = daemon.runs()
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert run.asset_selection == {dg.AssetKey("crsp_names")}
    assert run.tags["data_platform/user"] == f"system:{SENSOR}"
    noted = daemon.schedule()
    assert (noted.last_scheduled_run, noted.next_scheduled_run) == (NOON, NOON + DAY)
    assert daemon.context.warehouse.manifests("crsp_names").latest_number() == 1
    with daemon.context.records.transaction(SYSTEM) as connection:
        # What a schedule starts, nobody did by hand.
        assert platform_audit.recent(connection, f"system:{SENSOR}") == []
    assert run.run_config["ops"]["sync_crsp_names"]["config"]["reason"] == "Scheduled for 2026-06-10 16:00 UTC"


def test_ticks_missed_while_nobody_looked_run_once_the_latest_of_them(daemon: Daemon) -> None:
    daemon.plan("*/10 * * * *", NOON)
    for _ in range(3):
        daemon.evaluate(max(daemon.now, NOON + 9 * DAY + 4 * MINUTE) + MINUTE)
    assert daemon.keys() == ["crsp_names:2026-06-19T16:00:00+00:00"]
    assert daemon.schedule().next_scheduled_run == NOON + 9 * DAY + 10 * MINUTE


def test_of_a_tick_every_minute_none_is_lost_between_a_run_and_its_note(daemon: Daemon) -> None:
    daemon.plan("* * * * *", NOON)
    # Each evaluation finds the run of the tick before, not noted yet, and the next tick due.
    for minute in range(5):
        daemon.evaluate(NOON + (minute + 0.9) * MINUTE)
    assert daemon.keys() == [f"crsp_names:2026-06-10T16:{minute:02}:00+00:00" for minute in range(5)]


def test_years_that_still_change_are_one_run_and_from_april_only_the_last(daemon: Daemon) -> None:
    for month, day in ((3, 31), (4, 1)):
        moment = dt.datetime(2026, month, day, 6, 0, tzinfo=dt.UTC)
        daemon.plan("0 2 * * *", moment, table=YEARLY.name)
        daemon.evaluate(moment + MINUTE)
    march, april = daemon.runs()
    assert daemon.instance.get_materialized_partitions(dg.AssetKey("crsp_daily")) == {"2023", "2024"}
    assert (march.tags["dagster/asset_partition_range_start"], march.tags["dagster/asset_partition_range_end"]) == (
        "2023",
        "2024",
    )
    assert april.tags["dagster/partition"] == "2024"
    assert {march.status, april.status} == {dg.DagsterRunStatus.SUCCESS}
    # The year that had not changed was left alone.
    assert daemon.context.warehouse.manifests("crsp_daily").latest_number() == 2


@pytest.mark.parametrize(
    ("expression", "begin", "expected"),
    [
        # Spring: 2:30 does not exist on 8 March 2026; the run comes at 3:00.
        ("30 2 * * *", "2026-03-07T07:30", ["03-07T07:30", "03-08T07:00", "03-09T06:30"]),
        # Autumn: 1:30 comes twice on 1 November 2026; the run comes once.
        ("30 1 * * *", "2026-10-31T05:30", ["10-31T05:30", "11-01T05:30", "11-02T06:30"]),
    ],
)
def test_a_day_on_which_clocks_change_has_one_run(
    daemon: Daemon, expression: str, begin: str, expected: list[str]
) -> None:
    first = dt.datetime.fromisoformat(begin).replace(tzinfo=dt.UTC)
    daemon.plan(expression, first)
    # Often where clocks change, not at all for the rest of the day.
    for day, half_hours in product(range(3), range(-3, 5)):
        daemon.evaluate(first + day * DAY + half_hours * dt.timedelta(minutes=30))
    assert daemon.keys() == [f"crsp_names:2026-{tick}:00+00:00" for tick in expected]


def test_an_edit_counts_at_the_next_evaluation(daemon: Daemon) -> None:
    now = dt.datetime.now(dt.UTC)
    far = f"{(now - 2 * MINUTE).minute} * * * *"
    daemon.plan(far, now + 58 * MINUTE, "UTC")
    assert daemon.evaluate(now).run_keys == []
    with daemon.context.records.transaction(SYSTEM) as connection:
        edited = schedules.update(
            connection, "crsp", "crsp_names", expected_version=2, changed_by="adm", cron_expression="* * * * *"
        )
    assert edited.next_scheduled_run is not None
    daemon.evaluate(edited.next_scheduled_run + MINUTE / 2)
    assert daemon.keys() == [f"crsp_names:{edited.next_scheduled_run.isoformat()}"]
    with daemon.context.records.transaction(SYSTEM) as connection:
        schedules.update(connection, "crsp", "crsp_names", expected_version=3, changed_by="adm", enabled=False)
    assert daemon.evaluate(now + DAY).run_keys == []
    assert len(daemon.runs()) == 1


def test_a_run_that_fails_is_tried_five_times_more_then_an_alert_is_raised_once(
    daemon: Daemon,
) -> None:
    daemon.plan("0 12 * * *", NOON)
    said: list[str] = []
    tried: list[float] = []
    with daemon.context.warehouse.lock("crsp_names").acquire():
        for minutes in (0, 4, 5, 14, 15, 34, 35, 74, 75, 154, 155, 156, 600):
            before = len(daemon.runs())
            tick = daemon.evaluate(NOON + minutes * MINUTE)
            tried += [minutes] * (len(daemon.runs()) - before)
            said += [tick.skip_reason] if tick.skip_reason else []
    assert tried == [0, 5, 15, 35, 75, 155]
    stem = "crsp_names:2026-06-10T16:00:00+00:00"
    assert daemon.keys() == [stem, *(f"{stem}:retry-{number}" for number in range(1, 6))]
    assert {run.status for run in daemon.runs()} == {dg.DagsterRunStatus.FAILURE}
    assert said[0] == "crsp_names is tried again at 2026-06-10 12:05 EDT; 1 of 2 schedules are off."
    assert said[-1] == "crsp_names is due at 2026-06-11 12:00 EDT; 1 of 2 schedules are off."
    with daemon.context.records.transaction(SYSTEM) as connection:
        (alert,) = [each for each in alerts.recent(connection) if each.metric == "sync_failed"]
        assert (alert.table_name, alert.severity, alert.current_value) == ("crsp_names", "error", 6.0)
        assert daemon.runs()[-1].run_id in alert.message
        acknowledgments.acknowledge(connection, alert.id, "adm", "known")
    daemon.evaluate()
    daemon.evaluate(NOON + DAY)
    daemon.evaluate()
    assert daemon.runs()[-1].status is dg.DagsterRunStatus.SUCCESS
    assert len(daemon.runs()) == 7
    with daemon.context.records.transaction(SYSTEM) as connection:
        assert len([each for each in alerts.recent(connection) if each.metric == "sync_failed"]) == 1


def test_a_run_whose_data_is_wrong_is_not_tried_again_before_the_next_tick_and_told_at_once_and_once(
    daemon: Daemon, wrds_owner: psycopg.Connection
) -> None:
    wrds_owner.execute("ALTER TABLE crsp.stksecurityinfohist RENAME COLUMN permno TO other")
    daemon.plan("0 12 * * *", NOON)
    for minutes in (0, 1, 6, 30, 300):
        tick = daemon.evaluate(NOON + minutes * MINUTE)
    assert tick.skip_reason == "crsp_names is due at 2026-06-11 12:00 EDT; 1 of 2 schedules are off."
    (run,) = daemon.runs()
    assert run.status is dg.DagsterRunStatus.FAILURE

    def told() -> list[tuple[str, bool, str]]:
        with daemon.context.records.transaction(SYSTEM) as connection:
            found = [each for each in alerts.recent(connection) if each.metric == "sync_failed"]
        return [(each.table_name, each.acknowledged, each.message) for each in found]

    ((table, acknowledged, message),) = told()
    assert (table, acknowledged) == ("crsp_names", False)
    assert "its data is not fit, and is not tried again before the next tick" in message
    for minutes in (0, 1, 6):
        daemon.evaluate(NOON + DAY + minutes * MINUTE)
    assert len(daemon.runs()) == 2
    assert len(told()) == 1
    wrds_owner.execute("ALTER TABLE crsp.stksecurityinfohist RENAME COLUMN other TO permno")
    daemon.evaluate(NOON + 2 * DAY)
    assert daemon.runs()[-1].status is dg.DagsterRunStatus.SUCCESS
    assert [acknowledged for _, acknowledged, _ in told()] == [False]
    daemon.evaluate()
    assert [acknowledged for _, acknowledged, _ in told()] == [True]


def test_a_refused_password_is_not_tried_again_and_what_it_raised_is_over_once_somebody_has_synced(
    daemon: Daemon, databases: Databases
) -> None:
    right = daemon.context
    assert databases.demo is not None
    wrong = with_account(right.settings, databases.demo, wrds_password=SecretStr("an-old-one"))
    daemon.context = replace(right, settings=wrong)
    daemon.plan("0 12 * * *", NOON)
    for minutes in (0, 1, 6, 30, 300):
        tick = daemon.evaluate(NOON + minutes * MINUTE)
    assert tick.skip_reason == "crsp_names is due at 2026-06-11 12:00 EDT; 1 of 2 schedules are off."
    assert [run.status for run in daemon.runs()] == [dg.DagsterRunStatus.FAILURE]

    def told() -> alerts.StoredAlert:
        with daemon.context.records.transaction(SYSTEM) as connection:
            (alert,) = [each for each in alerts.recent(connection) if each.metric == "sync_failed"]
        return alert

    assert "failed because the source refused its user and password, and is not tried again" in told().message
    assert "an-old-one" not in told().message
    assert not told().acknowledged
    daemon.context = right
    assert dg.materialize(
        [table_asset(WHOLE, right.settings)], instance=daemon.instance, resources={"platform": OfTheTest()}
    ).success
    daemon.evaluate()
    assert (told().acknowledged_by, told().acknowledged) == (f"system:{SENSOR}", True)
