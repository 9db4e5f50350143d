"""When tables are synced: the schedules there are, what is due, and what a run moves."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from data_platform.errors import NotPermittedError, UsageError
from data_platform.records import cron, schedules
from data_platform.records.connection import Records
from data_platform.records.schedules import SyncSchedule
from data_platform.records.scope import Scope
from data_platform_tests.records.audited import audited
from data_platform_tests.records.kept_rows import ANN, CRSP, FACTORS, SYSTEM, make_schedules, stored


@pytest.fixture
def made(records: Records) -> Records:
    return make_schedules(records)


def in_past(records: Records, name: tuple[str, str], moment: dt.datetime) -> None:
    with records.transaction(SYSTEM) as connection:
        connection.execute(
            "UPDATE platform.data_sync_schedule SET next_scheduled_run = %s WHERE dataset = %s AND table_name = %s",
            (moment, *name),
        )


def test_a_schedule_is_made_once_with_the_defaults(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        assert schedules.get(connection, *CRSP) is None
        first = schedules.ensure(connection, *CRSP)
    with records.transaction(SYSTEM) as connection:
        schedules.update(connection, *CRSP, expected_version=1, changed_by="adm", enabled=False)
        again = schedules.ensure(connection, *CRSP)
    assert (first.enabled, first.cron_expression, first.timezone, first.version) == (
        True,
        "0 2 * * *",
        "America/New_York",
        1,
    )
    assert (first.last_scheduled_run, first.updated_by) == (None, None)
    assert first.next_scheduled_run == cron.next_tick("0 2 * * *", "America/New_York", first.created_at)
    assert (again.id, again.enabled, again.version) == (first.id, False, 2)


def test_a_schedule_can_be_made_off(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        made = schedules.ensure(connection, *CRSP, enabled=False)
        assert schedules.ensure(connection, *CRSP, enabled=True) == made
    assert (made.enabled, made.next_scheduled_run, made.version) == (False, None, 1)


def test_eight_threads_that_make_them_all_at_once_get_on(records: Records) -> None:
    names = [("crsp", f"t{number}") for number in range(20)]
    barrier = Barrier(8)

    def make(thread: int) -> None:
        barrier.wait(30)
        schedules.ensure_each(records, SYSTEM, names if thread % 2 else reversed(names), enabled=False)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    with records.transaction(SYSTEM) as connection:
        made = schedules.list_all(connection)
    assert sorted((each.dataset, each.table_name) for each in made) == sorted(names)


def test_a_run_is_noted_as_of_the_moment_that_was_looked_at(made: Records) -> None:
    tick = dt.datetime(2020, 1, 1, 7, 0, tzinfo=dt.UTC)
    in_past(made, CRSP, tick)
    with made.transaction(SYSTEM) as connection:
        marked = schedules.mark_run(connection, *CRSP, tick, tick + dt.timedelta(minutes=1))
        with pytest.raises(ValueError, match="time zone"):
            schedules.mark_run(connection, *CRSP, tick, dt.datetime(2026, 1, 1))
    assert marked.next_scheduled_run == tick + dt.timedelta(days=1)


def test_the_defaults_are_those_of_the_table(records: Records) -> None:
    with psycopg.connect(records.databases.owner_url) as owner:
        rows = owner.execute(
            "SELECT column_default FROM information_schema.columns WHERE table_name = 'data_sync_schedule' "
            "AND column_name IN ('cron_expression', 'timezone') ORDER BY column_name"
        ).fetchall()
    assert rows == [(f"'{schedules.DEFAULT_CRON}'::text",), (f"'{schedules.DEFAULT_TIMEZONE}'::text",)]


def test_eight_threads_that_make_it_at_once_get_the_same_schedule(records: Records) -> None:
    barrier = Barrier(8)

    def make(_: int) -> SyncSchedule:
        with records.transaction(SYSTEM) as connection:
            barrier.wait(30)
            return schedules.ensure(connection, *CRSP)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(make, range(8))) == {stored(records)}


def test_a_schedule_switched_on_again_runs_from_now_on(made: Records) -> None:
    in_past(made, CRSP, dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    for version, enabled in ((1, False), (2, True)):
        with made.transaction(ANN) as connection:
            schedules.update(connection, *CRSP, expected_version=version, changed_by="ann", enabled=enabled)
    with made.transaction(SYSTEM) as connection:
        assert schedules.due(connection, dt.datetime.now(dt.UTC), 10) == []


def test_what_is_due_comes_longest_overdue_first(records: Records) -> None:
    noon = dt.datetime(2026, 1, 2, 12, 0, tzinfo=dt.UTC)
    names = {"later": 1, "now": 0, "hour": -60, "day": -1440, "off": -2880}
    for name, minutes in names.items():
        with records.transaction(SYSTEM) as connection:
            schedules.ensure(connection, "crsp", name)
            if name == "off":
                schedules.update(connection, "crsp", name, expected_version=1, changed_by="adm", enabled=False)
        in_past(records, ("crsp", name), noon + dt.timedelta(minutes=minutes))
    with records.transaction(SYSTEM) as connection:
        assert [each.table_name for each in schedules.due(connection, noon, 10)] == ["day", "hour", "now"]
        assert [each.table_name for each in schedules.due(connection, noon, 2)] == ["day", "hour"]
        with pytest.raises(ValueError, match="time zone"):
            schedules.due(connection, dt.datetime(2026, 1, 2), 10)


def test_missed_ticks_run_once(made: Records) -> None:
    missed = dt.datetime(2020, 1, 1, 7, 0, tzinfo=dt.UTC)
    in_past(made, CRSP, missed)
    before = stored(made)
    with made.transaction(SYSTEM) as connection:
        assert [each.table_name for each in schedules.due(connection, dt.datetime.now(dt.UTC), 10)] == ["crsp_daily"]
        marked = schedules.mark_run(connection, *CRSP, missed)
        assert schedules.due(connection, dt.datetime.now(dt.UTC), 10) == []
    assert marked == stored(made)
    assert marked.last_scheduled_run == missed
    assert marked.next_scheduled_run is not None
    assert marked.next_scheduled_run > dt.datetime.now(dt.UTC)
    assert (marked.version, marked.updated_by, marked.updated_at) == (1, None, before.updated_at)
    assert audited(made) == []


def test_a_run_marked_ahead_of_time_is_not_planned_again(made: Records) -> None:
    ahead = stored(made).next_scheduled_run
    assert ahead is not None
    with made.transaction(SYSTEM) as connection:
        schedules.mark_run(connection, *CRSP, ahead)
        # What comes late does not turn back what is known.
        marked = schedules.mark_run(connection, *CRSP, ahead - dt.timedelta(days=3))
        with pytest.raises(ValueError, match="time zone"):
            schedules.mark_run(connection, *CRSP, dt.datetime(2026, 1, 1))
    assert marked.last_scheduled_run == ahead
    assert marked.next_scheduled_run == cron.next_tick("0 2 * * *", "America/New_York", ahead)


def test_a_schedule_that_is_off_stays_off_after_a_run(made: Records) -> None:
    with made.transaction(SYSTEM) as connection:
        schedules.update(connection, *CRSP, expected_version=1, changed_by="adm", enabled=False)
        assert schedules.mark_run(connection, *CRSP, dt.datetime.now(dt.UTC)).next_scheduled_run is None


@pytest.mark.parametrize(
    ("scope", "dataset", "expected"),
    [
        (SYSTEM, None, ["crsp_daily", "ff_factors_daily"]),
        (SYSTEM, "crsp", ["crsp_daily"]),
        (SYSTEM, "taq", []),
        (ANN, None, ["crsp_daily"]),
        (ANN, "fama_french", []),
        (Scope("eve", frozenset()), None, []),
    ],
)
def test_schedules_are_listed_as_far_as_the_scope_sees(
    made: Records, scope: Scope, dataset: str | None, expected: list[str]
) -> None:
    with made.transaction(scope) as connection:
        assert [schedule.table_name for schedule in schedules.list_all(connection, dataset)] == expected


def test_a_schedule_of_another_dataset_is_neither_seen_nor_changed(made: Records) -> None:
    before = stored(made, FACTORS)
    in_past(made, FACTORS, before.created_at)
    before = stored(made, FACTORS)
    with made.transaction(ANN) as connection:
        assert schedules.get(connection, *FACTORS) is None
        assert schedules.due(connection, dt.datetime.now(dt.UTC), 10) == []
        with pytest.raises(UsageError, match="no schedule"):
            schedules.update(connection, *FACTORS, expected_version=1, changed_by="ann", enabled=False)
        with pytest.raises(UsageError, match="no schedule"):
            schedules.mark_run(connection, *FACTORS, dt.datetime.now(dt.UTC))
        assert connection.execute("UPDATE platform.data_sync_schedule SET enabled = false").rowcount == 1
    with pytest.raises(NotPermittedError), made.transaction(ANN) as connection:
        schedules.ensure(connection, *FACTORS)
    assert (stored(made, FACTORS), audited(made)) == (before, [])


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM platform.data_sync_schedule",
        "UPDATE platform.data_sync_schedule SET dataset = 'taq'",
        "UPDATE platform.data_sync_schedule SET table_name = 'x'",
        "UPDATE platform.data_sync_schedule SET created_at = now()",
    ],
)
def test_the_service_changes_only_what_may_change(made: Records, statement: str) -> None:
    with pytest.raises(NotPermittedError), made.transaction(SYSTEM) as connection:
        connection.execute(statement.encode())
