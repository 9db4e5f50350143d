"""What a schedule asks for, as a function of the schedule, its newest run and the clock; no database, no Dagster."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from data_platform.catalog import find_table
from data_platform.records.schedules import SyncSchedule
from data_platform.settings import Settings
from data_platform.sources.demo.marker import DemoMarker, write_marker
from data_platform.sync.plan import current_partitions
from data_platform.sync.scheduling import (
    FAILURES_OF_AN_ALERT,
    PAUSES,
    Cause,
    Hopeless,
    RunState,
    ScheduledRun,
    Start,
    Wait,
    decide,
    due_tick,
    failures_in_a_row,
    raises_alert,
    tick_to_note,
)

TICK = dt.datetime(2026, 6, 10, 6, 0, tzinfo=dt.UTC)
DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
DAILY = SyncSchedule(
    1, TICK - 30 * DAY, "crsp", "crsp_daily", True, "0 2 * * *", "America/New_York", None, TICK, None, TICK - DAY, 1
)  # fmt: skip
NOTED = replace(DAILY, last_scheduled_run=TICK, next_scheduled_run=TICK + DAY)
FAILED = ScheduledRun("run", TICK, 1, 0, RunState.FAILED, TICK + 2 * MINUTE)


def test_before_its_time_nothing_is_started_and_at_it_one_run() -> None:
    assert decide(DAILY, None, TICK - MINUTE) == Wait(Cause.NEXT, TICK)
    assert decide(DAILY, None, TICK) == Start(TICK, 1, 0)
    assert Start(TICK, 1, 0).key("crsp_daily") == "crsp_daily:2026-06-10T06:00:00+00:00"


def test_a_run_that_was_not_handed_over_is_asked_for_again_under_its_name() -> None:
    created = replace(FAILED, state=RunState.CREATED, attempt=3, failures=2)
    again = decide(DAILY, created, TICK + DAY)
    assert isinstance(again, Start)
    assert again == Start(TICK, 3, 2)
    assert again.key("t") == "t:2026-06-10T06:00:00+00:00:retry-2"


def test_a_tick_waits_for_the_run_before_it_and_the_latest_of_several_runs() -> None:
    active = replace(FAILED, state=RunState.ACTIVE)
    assert decide(NOTED, active, TICK + 3 * DAY) == Wait(Cause.RUNNING)
    assert decide(NOTED, replace(active, state=RunState.DONE), TICK + 3 * DAY) == Start(TICK + 3 * DAY, 1, 0)


@pytest.mark.parametrize("last", [None, FAILED, replace(FAILED, state=RunState.CREATED)])
def test_a_schedule_that_is_off_asks_for_nothing(last: ScheduledRun | None) -> None:
    off = replace(DAILY, enabled=False)
    assert decide(off, last, TICK + DAY) == Wait(Cause.OFF)
    assert due_tick(off, last, TICK + DAY) is None


@pytest.mark.parametrize("attempt", range(1, len(PAUSES) + 1))
def test_each_pause_is_kept_to_the_moment(attempt: int) -> None:
    last = replace(FAILED, attempt=attempt, failures=attempt - 1)
    again = last.ended_at + PAUSES[attempt - 1]
    assert decide(NOTED, last, again - MINUTE / 60) == Wait(Cause.RETRY, again)
    assert decide(NOTED, last, again) == Start(TICK, attempt + 1, attempt)


def test_pauses_grow_and_the_sixth_failure_waits_for_the_next_tick_and_is_told() -> None:
    assert list(PAUSES) == sorted(set(PAUSES))
    assert len(PAUSES) == 5
    last = replace(FAILED, attempt=6, failures=5)
    assert decide(NOTED, last, TICK + 20 * 60 * MINUTE) == Wait(Cause.NEXT, TICK + DAY)
    assert raises_alert(NOTED, last)
    assert not raises_alert(NOTED, replace(last, attempt=5, failures=4))
    assert decide(NOTED, last, TICK + DAY) == Start(TICK + DAY, 1, 6)


def test_failures_spread_over_many_ticks_are_told_of_too() -> None:
    often = replace(NOTED, cron_expression="*/4 * * * *", next_scheduled_run=TICK + 4 * MINUTE)
    last, told = FAILED, 0
    for minute in range(4, 60):
        now = TICK + minute * MINUTE
        match decide(often, last, now):
            case Start(tick, attempt, failures):
                last = ScheduledRun("run", tick, attempt, failures, RunState.FAILED, now)
                often = replace(often, next_scheduled_run=tick + 4 * MINUTE)
                told += raises_alert(often, last)
            case Wait(cause):
                assert cause is Cause.NEXT
    assert last.attempt == 1
    assert told == (failures_in_a_row(often, last)) // FAILURES_OF_AN_ALERT == 2


@pytest.mark.parametrize("state", [RunState.DONE, RunState.FAILED])
def test_a_change_of_the_schedule_or_a_success_begins_anew(state: RunState) -> None:
    last = replace(FAILED, state=state, attempt=6, failures=5)
    changed = replace(NOTED, updated_at=last.ended_at + MINUTE) if state is RunState.FAILED else NOTED
    assert not raises_alert(changed, last)
    assert decide(changed, last, TICK + 60 * MINUTE) == Wait(Cause.NEXT, TICK + DAY)
    assert decide(changed, last, TICK + DAY) == Start(TICK + DAY, 1, 0)


def test_a_tick_is_noted_once_and_not_while_a_later_one_waits() -> None:
    done = replace(FAILED, state=RunState.DONE)
    assert tick_to_note(DAILY, None, TICK) is None
    assert tick_to_note(DAILY, done, TICK + MINUTE) == TICK
    assert tick_to_note(NOTED, done, TICK + MINUTE) is None
    assert tick_to_note(DAILY, done, TICK + DAY) is None


def test_a_moment_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        decide(DAILY, None, dt.datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("table", "day", "expected"),
    [
        ("crsp_daily", dt.date(2026, 1, 1), ["2025", "2026"]),
        ("crsp_daily", dt.date(2026, 3, 31), ["2025", "2026"]),
        ("crsp_daily", dt.date(2026, 4, 1), ["2026"]),
        ("crsp_daily", dt.date(2000, 2, 1), ["2000"]),
        ("ff_factors_daily", dt.date(2026, 1, 1), ["all"]),
    ],
)
def test_the_years_that_still_change(table: str, day: dt.date, expected: list[str], home_settings: Settings) -> None:
    assert current_partitions(find_table(table), home_settings, day) == expected


def test_of_a_demo_whose_years_have_ended_the_last_still_count(home_settings: Settings) -> None:
    write_marker(home_settings, DemoMarker(generator=1, seed=1, first_year=2020, last_year=2024, securities=1, rows=1))
    table = find_table("crsp_daily")
    assert current_partitions(table, home_settings, dt.date(2026, 2, 1)) == ["2023", "2024"]
    assert current_partitions(table, home_settings, dt.date(2026, 5, 1)) == ["2024"]


@pytest.fixture
def home_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("hopeless", Hopeless)
def test_a_run_that_is_hopeless_waits_for_the_next_tick_and_is_told_at_once(hopeless: Hopeless) -> None:
    unfit = replace(FAILED, hopeless=hopeless)
    assert decide(NOTED, unfit, unfit.ended_at + PAUSES[0]) == Wait(Cause.NEXT, TICK + DAY)
    assert raises_alert(NOTED, unfit)
    assert decide(NOTED, unfit, TICK + DAY) == Start(TICK + DAY, 1, 1)
    # A change of the schedule begins anew: what it was told of is over.
    assert not raises_alert(replace(NOTED, updated_at=unfit.ended_at + MINUTE), unfit)
