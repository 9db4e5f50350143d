"""Every validator in cases where it passes and cases where it bites."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pyarrow as pa
import pytest

from data_platform.catalog import find_table
from data_platform.quality import (
    Evidence,
    FileFacts,
    Status,
    ValidationType,
    profile_frame,
    trading_calendar,
    validate,
)
from data_platform.quality.profile import Profile
from data_platform.quality.results import CheckResult, worst
from data_platform.quality.validators import checksum, contract, null_pct, row_count, schema

CRSP = find_table("crsp_daily")
TODAY = dt.date(2026, 6, 1)
WRITTEN = FileFacts("ab" * 32, 4_096, 500)
ALL_COLUMNS = [column.name for column in CRSP.columns]


def _profile(frame: pl.DataFrame) -> Profile:
    nulls = {name: frame.get_column(name).null_count() for name in frame.columns}
    return profile_frame(frame.lazy(), key=("permno", "date"), date_column="date", null_counts=nulls)


def _frame(permnos: list[int], dates: list[dt.date]) -> pl.DataFrame:
    return pl.DataFrame(
        {"permno": permnos, "date": dates, "permco": permnos},
        schema={"permno": pl.Int32, "date": pl.Date, "permco": pl.Int32},
    )


def _year(year: int, permnos: int = 2) -> pl.DataFrame:
    days = trading_calendar("XNYS").trading_days_between(dt.date(year, 1, 1), dt.date(year, 12, 31))
    return _frame([p for p in range(permnos) for _ in days], days * permnos)


def _evidence(frame: pl.DataFrame, partition: str = "2023", **changes: object) -> Evidence:
    evidence = Evidence(
        table=CRSP,
        partition=partition,
        schema=CRSP.arrow_schema,
        profile=_profile(frame),
        calendar=trading_calendar("XNYS"),
        today=TODAY,
        registered=None,
        source_rows=None,
        previous_rows=None,
        neighbour_rows_per_session=None,
        reported=WRITTEN,
        read_back=WRITTEN,
    )
    return replace(evidence, **changes)  # type: ignore[arg-type]


def _verdict(evidence: Evidence, kind: ValidationType) -> CheckResult:
    return next(result for result in validate(evidence) if result.validation_type is kind)


def test_a_complete_year_passes_every_validator() -> None:
    results = validate(_evidence(_year(2023), source_rows=500))
    assert [(r.validation_type, r.status) for r in results] == [(kind, Status.PASSED) for kind in ValidationType]


@pytest.mark.parametrize(
    ("source", "previous", "neighbour", "status"),
    [
        (None, None, None, Status.PASSED),
        (500, None, None, Status.PASSED),
        (501, None, None, Status.WARNING),
        (526, None, None, Status.WARNING),
        (527, None, None, Status.FAILED),
        (475, None, None, Status.FAILED),
        (None, 555, None, Status.PASSED),
        (None, 556, None, Status.FAILED),
        (None, 100, None, Status.PASSED),
        (None, None, 2.6, Status.PASSED),
        (None, None, 2.7, Status.FAILED),
    ],
)
def test_row_count(source: int | None, previous: int | None, neighbour: float | None, status: Status) -> None:
    frame = _year(2023)
    assert frame.height == 500
    evidence = _evidence(frame, source_rows=source, previous_rows=previous, neighbour_rows_per_session=neighbour)
    assert row_count(evidence).status is status


def test_a_security_without_any_date_is_judged_without_an_error() -> None:
    frame = pl.concat([_year(2023), pl.DataFrame({"permno": [9], "date": [None], "permco": [9]}, _year(2023).schema)])
    assert _verdict(_evidence(frame), ValidationType.DATE_CONTINUITY).status is Status.PASSED


def test_no_rows_fail_instead_of_passing_silently() -> None:
    results = validate(_evidence(_frame([], [])))
    assert {r.validation_type for r in results if r.status is Status.FAILED} == {
        ValidationType.ROW_COUNT,
        ValidationType.NULL_PCT,
        ValidationType.DATE_CONTINUITY,
    }


@pytest.mark.parametrize(
    ("column", "nulls", "status"),
    [
        ("permno", 1, Status.FAILED),
        ("ret", 125, Status.PASSED),
        ("ret", 126, Status.FAILED),
        ("vol", 500, Status.PASSED),
    ],
)
def test_null_shares_against_the_catalogs_limits(column: str, nulls: int, status: Status) -> None:
    evidence = _evidence(_year(2023))
    counts = {**dict.fromkeys((c.name for c in CRSP.columns), 0), column: nulls}
    result = null_pct(replace(evidence, profile=replace(evidence.profile, null_counts=counts)))
    assert result.status is status
    assert (column in result.message) is (status is Status.FAILED)


def test_columns_over_their_limit_are_findings_with_count_and_share() -> None:
    evidence = _evidence(_year(2023))
    counts = {column.name: 0 for column in CRSP.columns} | {"permno": 1, "ret": 200, "retx": 300}
    result = null_pct(replace(evidence, profile=replace(evidence.profile, null_counts=counts)))

    assert [(f.column, f.count, f.share) for f in result.findings] == [
        ("retx", 300, 0.6),
        ("ret", 200, 0.4),
        ("permno", 1, 0.002),
    ]
    assert result.message == (
        "too many missing values: retx 60.0% (limit 25%), ret 40.0% (limit 25%), permno 0.2% (limit 0%)"
    )


def test_columns_without_any_value_are_named_though_they_may_be_empty() -> None:
    evidence = _evidence(_year(2023))
    counts = {column.name: 0 for column in CRSP.columns} | {"dlyprevprc": 500, "dlydelflg": 500}
    result = null_pct(replace(evidence, profile=replace(evidence.profile, null_counts=counts)))

    assert (result.status, result.actual) == (Status.PASSED, "within the limits; nothing in dlyprevprc, dlydelflg")


def test_a_partition_without_any_value_is_refused_and_its_message_stays_short() -> None:
    evidence = _evidence(_year(2023))
    result = null_pct(replace(evidence, profile=replace(evidence.profile, null_counts=dict.fromkeys(ALL_COLUMNS, 500))))

    assert result.status is Status.FAILED
    assert {f.column for f in result.findings} == {"permno", "date", "permco", "prc", "ret", "retx"}
    assert len(result.message) < 300
    assert len(result.actual) < 300


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        (WRITTEN, Status.PASSED, ""),
        (replace(WRITTEN, sha256="cd" * 32), Status.FAILED, "another hash"),
        (replace(WRITTEN, bytes=4_095), Status.FAILED, "another size"),
        (replace(WRITTEN, rows=499), Status.FAILED, "another number of rows"),
        (FileFacts("cd" * 32, 0, 0), Status.FAILED, "another hash, another size, another number of rows"),
        (None, Status.WARNING, "no file was read back"),
    ],
)
def test_the_staged_file_is_the_one_that_was_written(found: FileFacts | None, status: Status, words: str) -> None:
    result = checksum(_evidence(_year(2023), read_back=found))

    assert (result.status, result.message.removeprefix("the staged file does not hold what was written: ")) == (
        status,
        words,
    )


@pytest.mark.parametrize(
    "changed",
    [
        CRSP.arrow_schema.remove(3),
        CRSP.arrow_schema.append(pa.field("surprise", pa.int32())),
        CRSP.arrow_schema.set(0, pa.field("permno", pa.int64(), nullable=False)),
    ],
)
def test_schema_bites_on_missing_new_and_retyped_columns(changed: pa.Schema) -> None:
    assert schema(_evidence(_year(2023), schema=changed)).status is Status.FAILED


@pytest.mark.parametrize(
    ("before", "status", "message"),
    [
        ({}, Status.WARNING, "new columns since the last version: "),
        ({"gone": "string"}, Status.FAILED, "gone is gone"),
        ({"prc": "float"}, Status.FAILED, "prc was float and is double"),
    ],
)
def test_schema_bites_on_what_would_break_readers_of_the_last_version(
    before: dict[str, str], status: Status, message: str
) -> None:
    names = zip(CRSP.arrow_schema.names, map(str, CRSP.arrow_schema.types), strict=True)
    registered = {**dict(list(names)[:-1]), **before}
    result = schema(_evidence(_year(2023), registered=registered))
    assert result.status is status
    assert message in result.message


@pytest.mark.parametrize(
    ("keep", "status"),
    [
        (lambda day: day.year == 1960, Status.PASSED),
        (lambda day: day.month < 7, Status.FAILED),
        (lambda day: day.day % 2, Status.FAILED),
    ],
)
def test_before_1970_a_year_needs_the_fewest_sessions_it_ever_had(
    keep: Callable[[dt.date], bool], status: Status
) -> None:
    weekdays = [dt.date(1960, 1, 4) + dt.timedelta(days=n) for n in range(360) if n % 7 < 5]
    dates = [day for day in weekdays if keep(day)]
    result = _verdict(_evidence(_frame([1] * len(dates), dates), "1960"), ValidationType.DATE_CONTINUITY)
    assert result.status is status
    assert ("fewer than 220 dates in 1960" in result.message) is (status is Status.FAILED)


def test_the_profile_reads_the_keys_alone() -> None:
    unreadable = pl.LazyFrame({"permno": [1, 1], "date": [dt.date(2023, 1, 3), dt.date(2023, 1, 4)]}).with_columns(
        boom=pl.col("permno").map_elements(lambda _: 1 / 0, return_dtype=pl.Float64)
    )
    profile = profile_frame(unreadable, key=("permno", "date"), date_column="date", null_counts={})
    assert (profile.rows, profile.duplicate_keys, profile.disorder) == (2, 0, 0)


def _without(day: dt.date) -> pl.DataFrame:
    return _year(2023).filter(pl.col("date") != day)


def _with(day: dt.date, year: int = 2023) -> pl.DataFrame:
    return pl.concat([_year(year), _frame([1], [day])]).sort("permno", "date")


@pytest.mark.parametrize(
    ("frame", "partition", "message"),
    [
        (_without(dt.date(2023, 7, 5)), "2023", "1 of 250 sessions are missing: 2023-07-05"),
        (_without(dt.date(2023, 1, 3)), "2023", "1 of 250 sessions are missing"),
        (_without(dt.date(2023, 12, 29)), "2023", "1 of 250 sessions are missing"),
        (_year(2023).filter(pl.col("date") < dt.date(2023, 7, 1)), "2023", "sessions are missing"),
        (_with(dt.date(2023, 7, 4)), "2023", "1 dates are no sessions: 2023-07-04"),
        (_with(dt.date(2022, 12, 30)), "2023", "outside the partition"),
        (_with(dt.date(2026, 12, 1), 2026), "2026", "in the future"),
        (_year(2023).gather_every(2), "2023", "125 of 250 sessions are missing"),
        (_year(2023, permnos=20).sample(fraction=0.5, seed=1).sort("permno", "date"), "2023", "rows between each"),
    ],
)
def test_date_continuity_bites(frame: pl.DataFrame, partition: str, message: str) -> None:
    result = _verdict(_evidence(frame, partition), ValidationType.DATE_CONTINUITY)
    assert result.status is Status.FAILED
    assert message in result.message


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_recent_year_may_end_early_but_not_have_holes(year: int) -> None:
    until_may = _year(year).filter(pl.col("date") < dt.date(year, 5, 20))
    assert _verdict(_evidence(until_may, str(year)), ValidationType.DATE_CONTINUITY).status is Status.PASSED
    hole = until_may.filter(pl.col("date") != dt.date(year, 3, 3))
    assert _verdict(_evidence(hole, str(year)), ValidationType.DATE_CONTINUITY).status is Status.FAILED


def test_before_1970_only_a_long_gap_is_noticed() -> None:
    factors = find_table("ff_factors_daily")
    days = [dt.date(1933, 1, 2) + dt.timedelta(days=n) for n in range(364) if not 60 <= n < 76]
    frame = pl.DataFrame({"date": days})
    profile = profile_frame(frame.lazy(), key=("date",), date_column="date", null_counts={"date": 0})
    evidence = replace(_evidence(_year(2023)), table=factors, partition="all", profile=profile)
    result = _verdict(evidence, ValidationType.DATE_CONTINUITY)
    assert (result.status, result.actual) == (Status.WARNING, "1 gaps")


@pytest.mark.parametrize(
    ("keys", "status", "word"),
    [
        ([(1, 1), (1, 2), (2, 1)], Status.PASSED, ""),
        ([(1, 1), (1, 1), (2, 1)], Status.FAILED, "repeat"),
        ([(1, 2), (1, 1)], Status.FAILED, "order"),
        ([(2, 1), (1, 2)], Status.FAILED, "order"),
    ],
)
def test_the_key_is_unique_and_rows_are_in_its_order(keys: list[tuple[int, int]], status: Status, word: str) -> None:
    frame = _frame([k for k, _ in keys], [dt.date(2023, 1, 2 + d) for _, d in keys])
    result = contract(_evidence(frame))
    assert result.status is status
    assert word in result.message


def test_the_calendar_knows_holidays_and_sessions() -> None:
    calendar = trading_calendar("XNYS")
    assert calendar.is_trading_day(dt.date(2024, 7, 3))
    assert not calendar.is_trading_day(dt.date(2024, 7, 4))
    assert len(calendar.trading_days_between(dt.date(2024, 1, 1), dt.date(2024, 12, 31))) == 252
    assert calendar.trading_days_between(dt.date(1970, 1, 1), dt.date(1970, 1, 2)) == [dt.date(1970, 1, 2)]


def test_the_worst_status_wins() -> None:
    def result(status: Status) -> CheckResult:
        return CheckResult(ValidationType.SCHEMA, status, "", "")

    assert worst(()) is Status.PASSED
    assert worst((result(Status.PASSED), result(Status.WARNING))) is Status.WARNING
    assert worst((result(Status.FAILED), result(Status.WARNING))) is Status.FAILED
