"""Which cron expressions and time zones make sense, and the moments they stand for, also where clocks change."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_platform.errors import UsageError
from data_platform.records import cron

NEW_YORK = "America/New_York"


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def ticks(expression: str, timezone: str, after: str, count: int) -> list[str]:
    found: list[str] = []
    moment = utc(after)
    for _ in range(count):
        moment = cron.next_tick(expression, timezone, moment)
        assert moment.tzinfo is dt.UTC
        found.append(f"{moment:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("* * * * *", "2026-01-01 00:00", "2026-01-01 00:01"),
        ("* * * * *", "2026-01-01 00:00:59.999999", "2026-01-01 00:01"),
        ("0 2 * * *", "2026-01-01 01:59:59.999999", "2026-01-01 02:00"),
        ("0 2 * * *", "2026-01-01 02:00", "2026-01-02 02:00"),
        ("*/15 * * * *", "2026-01-01 00:50", "2026-01-01 01:00"),
        ("10-50/20 * * * *", "2026-01-01 00:31", "2026-01-01 00:50"),
        ("0 9,17 * * mon-fri", "2026-01-02 17:00", "2026-01-05 09:00"),
        ("0 0 * * SUN", "2026-01-01 00:00", "2026-01-04 00:00"),
        ("0 0 * * 7", "2026-01-01 00:00", "2026-01-04 00:00"),
        ("0 0 * * 5-7", "2026-01-04 00:00", "2026-01-09 00:00"),
        ("0 0 * * fri-sun", "2026-01-03 00:00", "2026-01-04 00:00"),
        ("0 0 31 2-3 *", "2026-01-01 00:00", "2026-03-31 00:00"),
        # A range of one value is that value; croniter by itself takes it for the whole field.
        ("5-5 * * * *", "2026-01-01 00:00", "2026-01-01 00:05"),
        ("0 0 15 2-2 *", "2026-01-01 00:00", "2026-02-15 00:00"),
        # Days of the month and of the week: either fires.
        ("0 0 30 2 1", "2026-01-01 00:00", "2026-02-02 00:00"),
        ("0 0 29 2 *", "2026-01-01 00:00", "2028-02-29 00:00"),
        ("0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00"),
        ("0 0 31 4,5 *", "2026-01-01 00:00", "2026-05-31 00:00"),
    ],
)
def test_the_next_tick(expression: str, after: str, expected: str) -> None:
    assert ticks(expression, "UTC", after, 1) == [expected]


@pytest.mark.parametrize(
    ("expression", "timezone", "after", "expected"),
    [
        # The hour from 02:00 to 03:00 does not exist on 8 March: New York goes from EST (-5) to EDT (-4).
        ("30 2 * * *", NEW_YORK, "2026-03-07 00:00", ["2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30"]),
        ("0 2 * * *", NEW_YORK, "2026-03-07 12:00", ["2026-03-08 07:00", "2026-03-09 06:00"]),
        ("0 3 * * *", NEW_YORK, "2026-03-07 12:00", ["2026-03-08 07:00", "2026-03-09 07:00"]),
        ("15,45 2 * * *", NEW_YORK, "2026-03-07 12:00", ["2026-03-08 07:00", "2026-03-09 06:15"]),
        ("0 2,3 * * *", NEW_YORK, "2026-03-07 12:00", ["2026-03-08 07:00", "2026-03-09 06:00", "2026-03-09 07:00"]),
        ("30 2 8 3 *", NEW_YORK, "2026-01-01 00:00", ["2026-03-08 07:00", "2027-03-08 07:30"]),
        ("30 2 * * *", NEW_YORK, "2026-03-08 07:00", ["2026-03-09 06:30"]),
        ("30 * * * *", NEW_YORK, "2026-03-08 06:00", ["2026-03-08 06:30", "2026-03-08 07:30"]),
        ("*/30 * * * *", NEW_YORK, "2026-03-08 06:15", ["2026-03-08 06:30", "2026-03-08 07:00", "2026-03-08 07:30"]),
        # The hour from 01:00 to 02:00 comes twice on 1 November: back from EDT to EST at 06:00 UTC.
        ("30 1 * * *", NEW_YORK, "2026-10-31 12:00", ["2026-11-01 05:30", "2026-11-02 06:30"]),
        ("30 1 * * *", NEW_YORK, "2026-11-01 05:29", ["2026-11-01 05:30", "2026-11-02 06:30"]),
        ("30 1 * * *", NEW_YORK, "2026-11-01 06:15", ["2026-11-02 06:30"]),
        ("0 2 * * *", NEW_YORK, "2026-10-31 12:00", ["2026-11-01 07:00", "2026-11-02 07:00"]),
        ("30 0 * * *", NEW_YORK, "2026-10-31 12:00", ["2026-11-01 04:30", "2026-11-02 05:30"]),
        ("0,30 1,2 * * *", NEW_YORK, "2026-11-01 05:15", ["2026-11-01 05:30", "2026-11-01 07:00", "2026-11-01 07:30"]),
        ("30 1 1 11 *", NEW_YORK, "2026-01-01 00:00", ["2026-11-01 05:30", "2027-11-01 05:30"]),
        (
            "*/30 * * * *",
            NEW_YORK,
            "2026-11-01 05:15",
            ["2026-11-01 05:30", "2026-11-01 06:00", "2026-11-01 06:30", "2026-11-01 07:00"],
        ),
        ("*/10 * * * *", NEW_YORK, "2026-11-01 05:40", ["2026-11-01 05:50", "2026-11-01 06:00", "2026-11-01 06:10"]),
        ("0 0-23 * * *", NEW_YORK, "2026-11-01 04:30", ["2026-11-01 05:00", "2026-11-01 06:00", "2026-11-01 07:00"]),
        # Elsewhere: half an hour of daylight saving, a midnight that does not exist, none at all.
        ("10 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00", ["2026-10-03 15:30", "2026-10-04 15:10"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04 12:00", ["2026-04-04 14:45", "2026-04-05 15:15"]),
        ("0 0 * * *", "America/Havana", "2026-03-07 12:00", ["2026-03-08 05:00", "2026-03-09 04:00"]),
        ("0 2 * * *", "Asia/Kolkata", "2026-03-07 12:00", ["2026-03-07 20:30", "2026-03-08 20:30"]),
    ],
)
def test_no_tick_is_lost_or_doubled_where_clocks_change(
    expression: str, timezone: str, after: str, expected: list[str]
) -> None:
    assert ticks(expression, timezone, after, len(expected)) == expected


def test_every_day_of_a_year_has_one_run_of_a_daily_schedule() -> None:
    for expression in ("30 1 * * *", "30 2 * * *", "0 3 * * *"):
        days = ticks(expression, NEW_YORK, "2026-01-01 05:00", 365)
        assert [day[:10] for day in days] == [
            f"{dt.date(2026, 1, 1) + dt.timedelta(days=number):%Y-%m-%d}" for number in range(365)
        ]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "A cron expression has five fields; '' has 0."),
        ("0 2 * *", "has 4."),
        ("0 0 2 * * *", "has 6."),
        ("@daily", "'@daily' has 1."),
        ("@reboot", "has 1."),
        ("60 * * * *", "'60' is no minute. Allowed: *, or 0 to 59 as one value"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 0 * *", "'0' is no day of the month"),
        ("0 0 32 * *", "'32' is no day of the month"),
        ("0 0 * 13 *", "'13' is no month. Allowed: *, or 1 to 12 (jan to dec) as one value"),
        ("0 0 * 0 *", "'0' is no month"),
        ("0 0 * * 8", "'8' is no day of the week"),
        ("0 0 * mon *", "'mon' is no month"),
        ("jan 0 * * *", "'jan' is no minute"),
        ("H * * * *", "'h' is no minute"),
        ("R * * * *", "'r' is no minute"),
        ("H/15 * * * *", "is no minute"),
        ("R(0-5) * * * *", "is no minute"),
        ("0 0 L * *", "'l' is no day of the month"),
        ("0 0 15W * *", "is no day of the month"),
        ("0 0 ? * *", "is no day of the month"),
        ("0 0 * * 5#2", "is no day of the week"),
        ("0 0 * * L5", "is no day of the week"),
        ("50-10 * * * *", "'50-10' is no minute"),
        ("0 22-4 * * *", "'22-4' is no hour"),
        ("5/15 * * * *", "'5/15' is no minute"),
        ("*/0 * * * *", "is no minute"),
        ("*/90 * * * *", "is no minute"),
        ("*/5/5 * * * *", "is no minute"),
        ("-5 * * * *", "is no minute"),
        ("1.5 * * * *", "is no minute"),
        ("1,,2 * * * *", "'' is no minute"),
        ("1, * * * *", "'' is no minute"),
        ("\u0661 * * * *", "is no minute"),
        ("0 2 * * *; DROP TABLE x", "has 8."),
        ("0 2 * * *\0", "The cron expression holds a NUL"),
        ("0 2 * * \ud800", "The cron expression holds half of a surrogate pair"),
        ("* " * 101, "The cron expression is 201 characters long; at most 200"),
        ("0 0 30 2 *", "'0 0 30 2 *' never fires: no such date exists"),
        ("0 0 31 4,6 *", "never fires"),
        ("0 0 30-31 2 *", "never fires"),
    ],
)
def test_an_expression_that_makes_no_sense_is_refused(expression: str, message: str) -> None:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for use in (lambda: cron.valid_expression(expression), lambda: cron.next_tick(expression, "UTC", moment)):
        with pytest.raises(UsageError) as refused:
            use()
        assert message in str(refused.value)


@pytest.mark.parametrize(
    ("timezone", "message"),
    [
        ("", "no time zone ''"),
        ("Mars/Olympus", "no time zone 'Mars/Olympus'. Give a name of the IANA database"),
        ("america/new_york", "no time zone"),
        ("America", "no time zone"),
        ("UTC+1", "no time zone"),
        ("/etc/localtime", "no time zone"),
        ("../zoneinfo/UTC", "no time zone"),
        ("localtime", "no time zone"),
        ("right/UTC", "no time zone"),
        ("Factory", "no time zone"),
        ("UTC\0", "The time zone holds a NUL"),
        ("UTC\ud800", "The time zone holds half of a surrogate pair"),
        ("x" * 65, "The time zone is 65 characters long; at most 64"),
    ],
)
def test_a_time_zone_that_does_not_exist_is_refused(timezone: str, message: str) -> None:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for use in (lambda: cron.valid_timezone(timezone), lambda: cron.next_tick("0 2 * * *", timezone, moment)):
        with pytest.raises(UsageError, match=message):
            use()


@pytest.mark.parametrize("size", [10_000, 10_000_000])
def test_what_is_far_too_long_is_not_repeated(size: int) -> None:
    for use in (cron.valid_expression, cron.valid_timezone):
        with pytest.raises(UsageError) as refused:
            use("secret" * size)
        assert len(str(refused.value)) < 200
        assert "secret" not in str(refused.value)


def test_a_long_expression_is_shown_in_part() -> None:
    with pytest.raises(UsageError) as refused:
        cron.valid_expression("1," * 90 + "x * * * *")
    assert "'1,1," in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(("given", "tidy"), [(" 0  2\t* * * ", "0 2 * * *"), ("0 2 * * MON-fri", "0 2 * * MON-fri")])
def test_an_expression_comes_back_tidy(given: str, tidy: str) -> None:
    assert cron.valid_expression(given) == tidy
    assert cron.valid_timezone(f" {NEW_YORK}\n") == NEW_YORK


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        cron.next_tick("0 2 * * *", "UTC", dt.datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("expression", "timezone", "first", "now", "expected"),
    [
        ("0 2 * * *", "UTC", "2026-01-01 02:00", "2026-01-01 02:00", "2026-01-01 02:00"),
        ("0 2 * * *", "UTC", "2026-01-01 02:00", "2026-01-02 01:59:59.999999", "2026-01-01 02:00"),
        ("0 2 * * *", "UTC", "2026-01-01 02:00", "2026-01-09 02:00", "2026-01-09 02:00"),
        ("* * * * *", "UTC", "2020-01-01 00:00", "2026-06-10 12:34:56", "2026-06-10 12:34"),
        # Every minute for half a day, half a year ago.
        ("* 0-11 1 1 *", "UTC", "2026-01-01 00:00", "2026-07-01 00:00", "2026-01-01 11:59"),
        ("30 2 * * *", NEW_YORK, "2026-03-06 07:30", "2026-03-08 07:29", "2026-03-08 07:00"),
        ("30 1 * * *", NEW_YORK, "2026-10-30 05:30", "2026-11-01 06:45", "2026-11-01 05:30"),
        ("30 * * * *", NEW_YORK, "2026-10-30 05:30", "2026-11-01 06:45", "2026-11-01 06:30"),
        # What somebody wrote into the table need not be a tick itself.
        ("*/10 * * * *", "UTC", "2026-01-01 00:09:45", "2026-01-01 00:10:30", "2026-01-01 00:10"),
    ],
)
def test_the_latest_tick(expression: str, timezone: str, first: str, now: str, expected: str) -> None:
    assert cron.latest_tick(expression, timezone, utc(first), utc(now)) == utc(expected)


@given(
    expression=st.sampled_from(["* * * * *", "*/7 * * * *", "30 1 * * *", "30 2 * * 0", "0 */5 * * *", "15 0-3 * * *"]),
    offset=st.integers(0, 6 * 1440),
    around=st.sampled_from(["2026-03-05 00:00", "2026-10-29 00:00", "2026-06-10 00:00"]),
    zone=st.sampled_from([NEW_YORK, "UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
)
@settings(deadline=None, max_examples=60)
def test_the_latest_tick_is_the_last_of_those_that_follow_each_other(
    expression: str, offset: int, around: str, zone: str
) -> None:
    first = cron.next_tick(expression, zone, utc(around))
    now = first + dt.timedelta(minutes=offset)
    latest = cron.latest_tick(expression, zone, first, now)
    assert first <= latest <= now < cron.next_tick(expression, zone, latest)


def test_a_first_tick_to_come_has_no_latest_one() -> None:
    with pytest.raises(ValueError, match="still to come"):
        cron.latest_tick("* * * * *", "UTC", utc("2026-01-02 00:00"), utc("2026-01-01 00:00"))
