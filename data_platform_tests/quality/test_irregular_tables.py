"""Tables whose rows stand on no sessions, on the last sessions of months, or without some part of their key."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from data_platform.catalog import Table, find_table
from data_platform.quality import Evidence, Status, profile_frame, trading_calendar
from data_platform.quality.results import CheckResult
from data_platform.quality.validators import continuity, contract

TODAY = dt.date(2026, 6, 1)
LAST = trading_calendar("last_session:XNYS")


def _judged(table: Table, rows: pl.DataFrame, partition: str) -> tuple[CheckResult, CheckResult]:
    evidence = Evidence(
        table=table,
        partition=partition,
        schema=table.arrow_schema,
        profile=profile_frame(rows.lazy(), key=table.key, date_column=table.date_column, null_counts={}),
        calendar=trading_calendar(table.calendar) if table.calendar else None,
        today=TODAY,
        registered=None,
        source_rows=None,
        previous_rows=None,
        neighbour_rows_per_session=None,
    )
    return continuity(evidence), contract(evidence)


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2024-03-28", True),  # Good Friday was the 29th
        ("2024-03-29", False),
        ("2024-03-31", False),
        ("2024-05-31", True),
        ("2024-06-28", True),
        ("1970-01-30", True),
    ],
)
def test_the_last_session_of_a_month_is_not_its_last_day(day: str, last: bool) -> None:
    assert LAST.is_trading_day(dt.date.fromisoformat(day)) is last


def test_a_year_has_twelve_last_sessions_and_they_are_sessions() -> None:
    days = LAST.trading_days_between(dt.date(2023, 1, 1), dt.date(2023, 12, 31))

    assert [day.month for day in days] == list(range(1, 13))
    assert all(trading_calendar("XNYS").is_trading_day(day) for day in days)


def _months(days: list[dt.date]) -> pl.DataFrame:
    return pl.DataFrame({"permno": [10001] * len(days), "date": days}, schema={"permno": pl.Int32, "date": pl.Date})


@pytest.mark.parametrize(
    ("drop", "add", "message"),
    [
        ([], [], ""),
        ([4], [], "1 of 12 sessions are missing: 2023-05-31"),
        ([0], ["2023-01-30"], "1 of 12 sessions are missing: 2023-01-31"),
        ([], ["2023-12-28"], "1 dates are no sessions: 2023-12-28"),
        ([], ["2024-01-31"], "outside the partition"),
    ],
)
def test_monthly_stocks_are_dated_on_last_sessions(drop: list[int], add: list[str], message: str) -> None:
    days = LAST.trading_days_between(dt.date(2023, 1, 1), dt.date(2023, 12, 31))
    kept = [day for index, day in enumerate(days) if index not in drop]
    result, _ = _judged(find_table("crsp_monthly"), _months(sorted([*kept, *map(dt.date.fromisoformat, add)])), "2023")

    assert message in result.message
    assert (result.status is Status.PASSED) == (not message)


@pytest.mark.parametrize(("months", "status"), [(12, Status.PASSED), (11, Status.FAILED)])
def test_months_before_the_calendar_is_strict_are_counted(months: int, status: Status) -> None:
    days = [dt.date(1950, month, 28) for month in range(1, months + 1)]

    assert _judged(find_table("crsp_monthly"), _months(days), "1950")[0].status is status


@pytest.mark.parametrize(
    ("dates", "partition", "message"),
    [
        (["2023-01-31", "2023-06-30", "2023-12-31"], "2023", ""),
        (["2023-03-04"], "2023", ""),
        (["2023-03-04", "2024-01-01"], "2023", "1 dates lie outside the partition"),
        (["9999-12-31"], "2023", "1 dates lie outside the partition"),
        ([], "2023", "there are no dates"),
        (["1949-12-31"], "1949", "1 dates lie before the source begins"),
        (["2026-12-31"], "2026", "1 dates lie in the future"),
    ],
)
def test_fiscal_periods_may_end_on_any_day_of_their_year(dates: list[str], partition: str, message: str) -> None:
    table = find_table("compustat_annual")
    rows = pl.DataFrame(
        {"gvkey": [f"{n:06d}" for n in range(len(dates))], "datadate": [dt.date.fromisoformat(d) for d in dates]},
        schema={"gvkey": pl.String, "datadate": pl.Date},
    )
    result, _ = _judged(table, rows, partition)

    assert message in result.message
    assert (result.status is Status.PASSED) == (not message)


def test_rows_without_dates_have_nothing_to_continue() -> None:
    table = find_table("compustat_companies")
    result, unique = _judged(table, pl.DataFrame({"gvkey": ["001004", "001013"]}), "all")

    assert (result.status, result.actual, unique.status) == (Status.PASSED, "rows without dates", Status.PASSED)


QUARTERS = find_table("compustat_quarterly")
Q1, Q2 = dt.date(2023, 3, 31), dt.date(2023, 6, 30)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("001004", Q1, 2023, 1), ("001004", Q1, 2023, 2), ("001004", Q2, 2022, 4)], ""),
        ([("001004", Q1, 2023, 1), ("001004", Q1, 2023, None), ("001004", Q1, None, 1)], ""),
        ([("001004", Q1, None, None), ("001004", Q2, None, None), ("001013", Q1, 2023, 1)], ""),
        ([("001004", Q1, 2023, None), ("001004", Q1, 2023, None)], "1 rows repeat the key"),
        ([("001004", Q1, None, None), ("001004", Q1, None, None)], "1 rows repeat the key"),
        ([("001004", Q1, 2023, None), ("001004", Q1, 2023, 1)], "1 rows are out of the order"),
        ([("001004", Q1, None, 1), ("001004", Q1, 2023, 1)], "1 rows are out of the order"),
        ([("001013", Q1, 2023, 1), ("001004", Q2, 2023, 2)], "1 rows are out of the order"),
    ],
)
def test_a_missing_part_of_a_key_is_a_value_that_comes_last(
    rows: list[tuple[str, dt.date, int | None, int | None]], message: str
) -> None:
    kinds = {"gvkey": pl.String, "datadate": pl.Date, "fyearq": pl.Int32, "fqtr": pl.Int32}
    _, result = _judged(QUARTERS, pl.DataFrame(rows, schema=kinds, orient="row"), "2023")

    assert message in result.message
    assert (result.status is Status.PASSED) == (not message)


def test_a_table_whose_date_is_no_part_of_its_key_has_no_spans() -> None:
    table = replace(find_table("compustat_companies"), date_column="ipodate")
    rows = pl.DataFrame({"gvkey": ["001004", "001013"], "ipodate": [Q1, None]})
    profile = profile_frame(rows.lazy(), key=table.key, date_column="ipodate", null_counts={})

    assert (profile.dates, profile.spans, profile.rows) == ((Q1,), None, 2)
