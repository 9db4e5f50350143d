"""Changes of schedules: audited, without overwriting each other, and not at all when a value makes no sense."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from data_platform.errors import UsageError
from data_platform.records import cron, schedules
from data_platform.records.connection import Connection, Records
from data_platform.records.schedules import ScheduleConflictError, SyncSchedule
from data_platform.records.scope import Scope
from data_platform_tests.records.audited import audited
from data_platform_tests.records.kept_rows import ANN, CRSP, FACTORS, SYSTEM, make_schedules, stored


@pytest.fixture
def made(records: Records) -> Records:
    return make_schedules(records)


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        ({"enabled": False}, {"enabled": True}, {"enabled": False}),
        ({"cron_expression": " 30  4 * * * "}, {"cron_expression": "0 2 * * *"}, {"cron_expression": "30 4 * * *"}),
        ({"timezone": "UTC"}, {"timezone": "America/New_York"}, {"timezone": "UTC"}),
        (
            {"enabled": True, "cron_expression": "0 5 * * 1", "timezone": "Europe/Berlin"},
            {"cron_expression": "0 2 * * *", "timezone": "America/New_York"},
            {"cron_expression": "0 5 * * 1", "timezone": "Europe/Berlin"},
        ),
    ],
)
def test_a_change_is_audited_with_exactly_what_it_changed(
    made: Records, change: dict[str, object], old: dict[str, object], new: dict[str, object]
) -> None:
    with made.transaction(ANN) as connection:
        changed = schedules.update(
            connection, *CRSP, expected_version=1, changed_by="ann", reason=" late files ", **change
        )
    assert audited(made) == [("ann", "schedule.update", "crsp", "crsp_daily", old, new, "late files")]
    assert changed == stored(made)
    assert {name: getattr(changed, name) for name in new} == new
    assert (changed.version, changed.updated_by) == (2, "ann")
    assert changed.updated_at > changed.created_at
    expected = cron.next_tick(changed.cron_expression, changed.timezone, changed.updated_at)
    assert changed.next_scheduled_run == (expected if changed.enabled else None)
    assert stored(made, FACTORS).version == 1


@pytest.mark.parametrize(
    "change", [{}, {"enabled": True}, {"cron_expression": "0  2 * * *", "timezone": "America/New_York"}]
)
def test_a_change_that_changes_nothing_leaves_no_trace(made: Records, change: dict[str, object]) -> None:
    before = stored(made)
    with made.transaction(ANN) as connection:
        assert schedules.update(connection, *CRSP, expected_version=1, changed_by="ann", **change) == before
    assert (stored(made), audited(made)) == (before, [])


def test_of_two_changes_to_one_version_exactly_one_wins_and_the_other_gets_the_result(made: Records) -> None:
    barrier = Barrier(2)

    def change(user: str) -> SyncSchedule | ScheduleConflictError:
        try:
            with made.transaction(Scope(user, frozenset({"crsp"}))) as connection:
                barrier.wait(30)
                return schedules.update(
                    connection, *CRSP, expected_version=1, changed_by=user, cron_expression=f"{len(user)} 3 * * *"
                )
        except ScheduleConflictError as conflict:
            return conflict

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(change, ["ann", "benedict"]))
    (winner,) = [result for result in results if isinstance(result, SyncSchedule)]
    (loser,) = [result for result in results if isinstance(result, ScheduleConflictError)]
    assert winner == loser.current == stored(made)
    assert str(loser).startswith("The schedule of crsp_daily was changed meanwhile: it is at version 2.")
    assert [entry[0] for entry in audited(made)] == [winner.updated_by]


@pytest.mark.parametrize("version", [0, 2, -1, 10**30])
def test_a_version_that_is_not_the_current_one_is_a_conflict(made: Records, version: int) -> None:
    with pytest.raises(ScheduleConflictError) as conflict, made.transaction(ANN) as connection:
        schedules.update(connection, *CRSP, expected_version=version, changed_by="ann", enabled=False)
    assert conflict.value.current == stored(made)
    assert audited(made) == []


BAD: list[tuple[dict[str, object], str]] = [
    ({"cron_expression": ""}, "five fields"),
    ({"cron_expression": "@daily"}, "five fields"),
    ({"cron_expression": "61 * * * *"}, "'61' is no minute"),
    ({"cron_expression": "0 0 30 2 *"}, "never fires"),
    ({"cron_expression": "0 2 * * *\0"}, "NUL"),
    ({"cron_expression": "x" * 10_000_000}, "10,000,000 characters"),
    ({"enabled": False, "timezone": "Mars/Olympus"}, "no time zone"),
    ({"timezone": "\ud800"}, "surrogate"),
    ({"enabled": False, "reason": "a\0b"}, "The reason holds a NUL"),
    ({"enabled": False, "reason": "\udfff"}, "surrogate"),
    ({"enabled": False, "reason": "x" * 10_000_000}, "10,000,000 characters"),
    ({"enabled": False, "changed_by": "a\0"}, "The user's name holds a NUL"),
    ({"enabled": False, "changed_by": " "}, "The user's name is empty"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_value_that_makes_no_sense_changes_nothing(made: Records, change: dict[str, object], message: str) -> None:
    before = stored(made)
    with made.transaction(SYSTEM) as connection:
        with pytest.raises(UsageError, match=message) as refused:
            schedules.update(connection, *CRSP, expected_version=1, **({"changed_by": "ann"} | change))
        # The refusal has not spoilt the transaction, and wrote nothing in it.
        assert schedules.get(connection, *CRSP) == before
    assert len(str(refused.value)) < 400
    assert audited(made) == []


@pytest.mark.parametrize(
    ("dataset", "table", "message"),
    [
        ("crsp", "nothing", "no schedule for 'nothing' of 'crsp'"),
        ("nothing", "crsp_daily", "no schedule for"),
        ("crsp", "", "The table's name is empty"),
        ("a\0", "crsp_daily", "The dataset's name holds a NUL"),
        ("crsp", "x" * 10_000_000, "The table's name is 10,000,000 characters"),
    ],
)
def test_what_has_no_schedule_is_refused(made: Records, dataset: str, table: str, message: str) -> None:
    now = dt.datetime.now(dt.UTC)
    acts: list[Callable[[Connection], object]] = [
        lambda connection: schedules.update(connection, dataset, table, expected_version=1, changed_by="ann"),
        lambda connection: schedules.mark_run(connection, dataset, table, now),
    ]
    for act in acts:
        with pytest.raises(UsageError, match=message), made.transaction(SYSTEM) as connection:
            act(connection)
    assert audited(made) == []
