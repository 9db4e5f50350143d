"""Sliding windows: not one place too many, whoever asks at once and whatever the clock does."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from data_platform.errors import RateLimitedError
from data_platform.records import chain, platform_audit, query_audit, rate_limits
from data_platform.records.connection import Records
from data_platform.records.databases import Databases
from data_platform.records.rate_limits import EXPORTS, MANUAL_SYNCS, QUERIES, Limit, Place, admit
from data_platform.records.scope import Scope
from data_platform_tests.records import racers
from data_platform_tests.records.audited import first_break
from data_platform_tests.records.racing import race

SYSTEM = Scope.system("test")
NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
THREE = QUERIES.of(3)


def ago(*seconds: float) -> list[dt.datetime]:
    return [NOON - dt.timedelta(seconds=each) for each in seconds]


@pytest.mark.parametrize(
    ("before", "place", "after"),
    [
        ([], Place(2), ago(0)),
        (ago(30), Place(1), ago(30, 0)),
        (ago(30, 20), Place(0), ago(30, 20, 0)),
        (ago(30, 20, 10), Place(0, 30), ago(30, 20, 10)),
        (ago(59.2, 20, 10), Place(0, 1), ago(59.2, 20, 10)),
        (ago(60, 20, 10), Place(0), ago(20, 10, 0)),
        (ago(500, 400, 300), Place(2), ago(0)),
        # A lower limit than before: there is room when the third youngest has left.
        (ago(50, 40, 30, 20, 10), Place(0, 30), ago(50, 40, 30, 20, 10)),
        # The clock was set back by an hour: what was 20 s ago then is 10 s before the youngest now.
        (ago(-3590, -3600), Place(0), ago(10, 0, 0)),
        (ago(-3580, -3590, -3600), Place(0, 40), ago(20, 10, 0)),
        (ago(-3500, -3590, -3600), Place(0), ago(10, 0, 0)),
    ],
)
def test_what_a_moment_is_answered(before: list[dt.datetime], place: Place, after: list[dt.datetime]) -> None:
    assert admit(before, NOON, THREE) == (place, after)


def test_the_refusal_says_how_long_to_wait_and_what_is_left() -> None:
    said = [str(rate_limits.refusal(limit, wait)) for limit, wait in [(QUERIES, 12), (EXPORTS, 1), (MANUAL_SYNCS, 60)]]
    assert said == [
        "The limit of 10 queries per minute is reached: 0 are left. Please wait 12 seconds.",
        "The limit of 5 exports per hour is reached: 0 are left. Please wait 1 second.",
        "The limit of 1 manual sync per minute for all users together is reached: 0 are left. Please wait 60 seconds.",
    ]


@pytest.mark.parametrize("limit", [QUERIES, EXPORTS], ids=lambda limit: limit.action)
def test_fifty_processes_at_once_get_not_one_query_too_many(
    databases: Databases, records: Records, limit: Limit
) -> None:
    results = race(50, racers.attempt, databases, limit)
    let_through = sorted(left for granted, left in results if granted)
    assert let_through == list(range(limit.allowed))
    waits = [wait for granted, wait in results if not granted]
    assert len(waits) == 50 - limit.allowed
    assert all(1 <= wait <= limit.window.total_seconds() for wait in waits)
    with records.transaction(SYSTEM) as connection:
        rows = query_audit.recent(connection)
        assert first_break(chain.read_chain(connection, chain.QUERY_AUDIT)) is None
    assert [row.result for row in rows].count(None) == limit.allowed
    assert [row.result for row in rows].count("rate_limited") == 50 - limit.allowed


def test_fifty_users_at_once_share_one_place(databases: Databases, records: Records) -> None:
    results = race(50, racers.shared_place, databases, MANUAL_SYNCS)
    assert [granted for granted, _ in results].count(True) == 1
    with records.transaction(SYSTEM) as connection:
        assert len(platform_audit.recent(connection)) == 1


def attempt(records: Records, limit: Limit) -> query_audit.Attempt:
    return query_audit.record_attempt(records, "ann", "crsp", 1, racers.TEXT, None, limit)


def test_a_clock_that_was_set_back_gives_no_place_and_shuts_nobody_out(records: Records) -> None:
    limit = Limit("query", "query", "queries", 2, dt.timedelta(seconds=3), "three seconds")
    for _ in range(2):
        attempt(records, limit)
    with records.transaction(SYSTEM) as connection:
        # To the limit this is the same as a clock that went back by an hour.
        connection.execute(
            "UPDATE platform.rate_limits SET hits = ARRAY[hits[1] + interval '1 h', hits[2] + interval '1 h']"
        )
    with pytest.raises(RateLimitedError) as caught:
        attempt(records, limit)
    assert 1 <= caught.value.retry_after_seconds <= 3
    time.sleep(3.05)
    assert attempt(records, limit).remaining == 1
    with records.transaction(SYSTEM) as connection:
        assert first_break(chain.read_chain(connection, chain.QUERY_AUDIT)) is None
        assert [row.result for row in query_audit.recent(connection)] == [None, "rate_limited", None, None]


def test_a_place_is_given_back_when_the_attempt_is_not_recorded(records: Records) -> None:
    with pytest.raises(ZeroDivisionError), records.transaction(SYSTEM) as connection:
        assert rate_limits.take(connection, THREE, "ann") == Place(2)
        raise ZeroDivisionError
    with records.transaction(SYSTEM) as connection:
        assert rate_limits.take(connection, THREE, "ann") == Place(2)


def test_limits_of_users_and_actions_are_apart(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        taken = [
            rate_limits.take(connection, limit, user).remaining
            for limit, user in [(QUERIES, "ann"), (QUERIES, "ann"), (QUERIES, "ben"), (EXPORTS, "ann")]
        ]
    assert taken == [9, 8, 9, 4]
