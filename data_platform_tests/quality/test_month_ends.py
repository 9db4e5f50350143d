"""Monthly tables are judged by the ends of months: strictly, from the first of them on, in 1926 as today."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from data_platform.catalog import Partitioning, find_table
from data_platform.quality import Evidence, Status, profile_frame, trading_calendar
from data_platform.quality.results import CheckResult
from data_platform.quality.validators import continuity

INDUSTRIES = find_table("ff_industries_10_monthly")
ENDS = trading_calendar("month_end")
HISTORY = ENDS.trading_days_between(dt.date(1926, 7, 1), dt.date(2026, 4, 30))


def _rows(days: list[dt.date], industries: int = 3) -> pl.DataFrame:
    return (
        pl.DataFrame({"date": pl.Series(days, dtype=pl.Date)})
        .join(pl.DataFrame({"industry": [f"I{n}" for n in range(industries)]}), how="cross")
        .join(pl.DataFrame({"weighting": ["ew", "vw"]}), how="cross")
    )


def _judged(rows: pl.DataFrame, partition: str = "all") -> CheckResult:
    table = INDUSTRIES if partition == "all" else replace(INDUSTRIES, partitioning=Partitioning.YEAR)
    evidence = Evidence(
        table=table,
        partition=partition,
        schema=table.arrow_schema,
        profile=profile_frame(rows.lazy(), key=table.key, date_column="date", null_counts={}),
        calendar=ENDS,
        today=dt.date(2026, 6, 1),
        registered=None,
        source_rows=None,
        previous_rows=None,
        neighbour_rows_per_session=None,
    )
    return continuity(evidence)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-01-01", "2024-03-30", ["2024-01-31", "2024-02-29"]),
        ("2024-01-31", "2024-03-31", ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("1926-12-15", "1927-02-28", ["1926-12-31", "1927-01-31", "1927-02-28"]),
        ("2024-02-01", "2024-02-28", []),
        ("2024-03-31", "2024-01-31", []),
    ],
)
def test_sessions_are_the_last_calendar_days(start: str, end: str, expected: list[str]) -> None:
    days = ENDS.trading_days_between(dt.date.fromisoformat(start), dt.date.fromisoformat(end))

    assert [day.isoformat() for day in days] == expected
    assert all(ENDS.is_trading_day(day) for day in days)
    assert not any(ENDS.is_trading_day(day - dt.timedelta(days=1)) for day in days)


@pytest.mark.parametrize("days", [HISTORY, HISTORY[:1], HISTORY[-60:]])
def test_every_month_of_a_stretch_is_enough(days: list[dt.date]) -> None:
    result = _judged(_rows(days))

    assert (result.status, result.expected) == (Status.PASSED, f"{len(days):,} sessions")


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ([day for day in HISTORY if day != dt.date(1933, 3, 31)], "sessions are missing: 1933-03-31"),
        ([day for day in HISTORY if day != dt.date(2020, 2, 29)], "sessions are missing: 2020-02-29"),
        ([day for day in HISTORY if day.year != 1940], "12 of 1198 sessions are missing: 1940-01-31"),
        ([*HISTORY[:-1], dt.date(2026, 4, 29)], "1 dates are no sessions: 2026-04-29"),
        (sorted([*HISTORY, dt.date(1950, 1, 30)]), "1 dates are no sessions: 1950-01-30"),
        ([dt.date(1926, 6, 30), *HISTORY], "before the source begins"),
        ([*HISTORY, dt.date(2026, 5, 31), dt.date(2026, 6, 30)], "in the future"),
        (HISTORY[::2], "sessions are missing"),
    ],
)
def test_a_hole_or_a_day_too_many_is_refused_in_any_year(days: list[dt.date], message: str) -> None:
    result = _judged(_rows(days))

    assert result.status is Status.FAILED
    assert message in result.message


@pytest.mark.parametrize("partition", ["1931", "2023"])
def test_a_year_has_its_twelve_months(partition: str) -> None:
    year = [day for day in HISTORY if day.year == int(partition)]

    assert _judged(_rows(year), partition).status is Status.PASSED
    assert "1 of 12 sessions are missing" in _judged(_rows(year[:-1]), partition).message
    assert "1 of 12 sessions are missing" in _judged(_rows(year[1:]), partition).message


def test_the_first_year_begins_with_the_source() -> None:
    assert _judged(_rows(HISTORY[:6]), "1926").status is Status.PASSED


def test_rows_are_counted_for_each_industry_and_weighting() -> None:
    rows = _rows(HISTORY[-100:])
    one_weighting_thinned = rows.filter(
        (pl.col("weighting") == "vw") | (pl.col("date").dt.month() % 3 != 0) | (pl.col("industry") != "I1")
    )
    late = rows.filter((pl.col("industry") != "I1") | (pl.col("date") > HISTORY[-40]))

    assert "rows between each entity's first and last date" in _judged(one_weighting_thinned).message
    assert _judged(late).status is Status.PASSED


def test_an_exchanges_calendar_is_a_judge_from_1970_on() -> None:
    assert trading_calendar("XNYS").strict_from == dt.date(1970, 1, 1)
    assert ENDS.strict_from == dt.date.min
