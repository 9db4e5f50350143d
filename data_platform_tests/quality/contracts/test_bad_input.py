"""Bad input ends in a finding or a clear refusal, never in a traceback, and never passes in silence."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from data_platform.catalog import Table, find_table
from data_platform.catalog.columns import day, number, whole
from data_platform.catalog.model import Column
from data_platform.errors import SchemaError
from data_platform.quality import CheckResult, Status, ValidationType
from data_platform.sync.validation import Known, judge
from data_platform.warehouse.staging import stage
from data_platform_tests.quality.contracts.breaking import DAY, frame_of, valid_row
from data_platform_tests.quality.contracts.judged import verdicts
from data_platform_tests.quality.contracts.lab import lab

NAMES, ANNUAL = find_table("crsp_names"), find_table("compustat_annual")
CONTRACT, SCHEMA = ValidationType.CONTRACT, ValidationType.SCHEMA


def _failed(results: dict[ValidationType, CheckResult]) -> set[str]:
    return {kind.value for kind, result in results.items() if result.status is Status.FAILED}


@pytest.mark.parametrize("table", [NAMES, ANNUAL], ids=lambda table: table.name)
def test_a_valid_row_passes_every_check(table: Table, tmp_path: Path) -> None:
    partition = "2023" if table is ANNUAL else "all"
    results = verdicts(table, frame_of(table, [valid_row(table)]), tmp_path / "rows.parquet", partition=partition)

    assert {result.status for result in results.values()} == {Status.PASSED}, results


def test_no_rows_fail(tmp_path: Path) -> None:
    assert _failed(verdicts(NAMES, frame_of(NAMES, []), tmp_path / "rows.parquet")) == {
        "row_count",
        "null_pct",
        "date_continuity",
    }


def test_columns_without_values_fail_where_they_are_required(tmp_path: Path) -> None:
    frame = frame_of(NAMES, [dict.fromkeys(valid_row(NAMES)) for _ in range(3)])
    results = verdicts(NAMES, frame, tmp_path / "rows.parquet")
    found = {(f.column, f.rule, f.count) for f in results[CONTRACT].findings}

    assert {"null_pct", "date_continuity", "contract"} <= _failed(results)
    assert {(name, "there", 3) for name in ("permno", "secinfostartdt", "secinfoenddt", "permco")} <= found


def test_a_column_without_values_is_said_where_it_may_be_empty(tmp_path: Path) -> None:
    results = verdicts(NAMES, frame_of(NAMES, [valid_row(NAMES) | {"naics": None}]), tmp_path / "rows.parquet")

    assert results[ValidationType.NULL_PCT].actual == "within the limits; nothing in naics"


def test_repeated_keys_fail_with_the_first_five_of_them(tmp_path: Path) -> None:
    rows = [valid_row(NAMES) | {"permno": 10_001 + n} for n in range(8) for _ in range(2)]
    result = verdicts(NAMES, frame_of(NAMES, rows), tmp_path / "rows.parquet")[CONTRACT]
    finding = next(f for f in result.findings if f.rule == "unique")

    assert result.status is Status.FAILED
    assert (finding.column, finding.count, finding.share) == ("permno, secinfostartdt", 8, 0.5)
    assert finding.keys == tuple(f"permno {10_001 + n}, secinfostartdt 2023-06-30" for n in range(5))
    assert result.message.startswith(
        "8 rows repeat the key (permno, secinfostartdt) of the row before, at permno 10001, secinfostartdt 2023-06-30;"
    )


def test_rows_out_of_order_fail_with_their_keys(tmp_path: Path) -> None:
    rows = [valid_row(NAMES) | {"permno": permno} for permno in (10_002, 10_001)]
    result = verdicts(NAMES, frame_of(NAMES, rows), tmp_path / "rows.parquet")[CONTRACT]

    assert result.status is Status.FAILED
    assert result.message == (
        "1 rows are out of the order of (permno, secinfostartdt), at permno 10001, secinfostartdt 2023-06-30"
    )


def test_dates_in_the_future_fail(tmp_path: Path) -> None:
    row = valid_row(NAMES)
    results = verdicts(NAMES, frame_of(NAMES, [row]), tmp_path / "rows.parquet", today=DAY - dt.timedelta(days=1))

    assert _failed(results) == {"date_continuity"}
    assert "1 dates lie in the future" in results[ValidationType.DATE_CONTINUITY].message


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_without_end_fail(value: float, tmp_path: Path) -> None:
    frame = frame_of(ANNUAL, [valid_row(ANNUAL) | {"ni": value}])
    results = verdicts(ANNUAL, frame, tmp_path / "rows.parquet", partition="2023")

    assert _failed(results) == {"contract"}
    assert results[CONTRACT].message == "ni: 1 row (100.0%) not finite, at gvkey 001004, datadate 2023-06-30"


def test_forty_other_columns_fail_in_a_message_that_stays_short(tmp_path: Path) -> None:
    frame = frame_of(ANNUAL, [valid_row(ANNUAL)])
    renamed = frame.rename({name: f"{name}_new" for name in frame.columns[20:60]})
    results = verdicts(ANNUAL, renamed, tmp_path / "rows.parquet", partition="2023")

    assert {"schema", "contract"} == _failed(results)
    assert len(results[CONTRACT].findings) == 80
    assert all(len(result.message) < 500 for result in results.values())
    assert "no rule was judged, as columns are not the declared ones" in results[CONTRACT].message


def test_a_column_of_the_key_that_is_gone_is_refused_like_any_other(tmp_path: Path) -> None:
    results = verdicts(NAMES, frame_of(NAMES, [valid_row(NAMES)]).drop("permno"), tmp_path / "rows.parquet")

    assert _failed(results) == {"schema", "contract"}
    assert results[CONTRACT].findings[0].column == "permno"


MOMENTS = lab(
    columns=(
        whole("id", "Entity.", required=True),
        day("begin", "First day.", required=True),
        Column("at", "datetime[us]", "at", "Moment, in UTC."),
        number("a", "A number.", "1"),
    )
)


@pytest.mark.parametrize(
    ("column", "kind", "declared"),
    [
        ("begin", pl.Datetime("us", "UTC"), "date"),
        ("begin", pl.Datetime("us"), "date"),
        ("at", pl.Datetime("us", "UTC"), "datetime[us]"),
        ("at", pl.Datetime("us", "America/New_York"), "datetime[us]"),
        ("at", pl.Datetime("ns"), "datetime[us]"),
        ("at", pl.Date, "datetime[us]"),
        ("a", pl.Float32, "float64"),
        ("id", pl.Int64, "int32"),
    ],
)
def test_another_time_zone_unit_or_type_than_declared_is_refused(
    column: str, kind: pl.DataType, declared: str, tmp_path: Path
) -> None:
    row = {"id": 1, "begin": DAY, "at": dt.datetime(2023, 6, 30, 16), "a": 1.0}
    valid = frame_of(MOMENTS, [row])
    changed = pl.DataFrame({n: pl.Series([None], dtype=kind) if n == column else valid[n] for n in valid.columns})
    results = verdicts(MOMENTS, changed, tmp_path / "rows.parquet")

    assert _failed(verdicts(MOMENTS, valid, tmp_path / "valid.parquet")) == set()
    assert _failed(results) == {"schema", "contract"}
    assert [str(finding) for finding in results[CONTRACT].findings] == [f"{column} is not of type {declared}"]


def test_batches_of_another_time_zone_are_refused_before_they_are_staged(tmp_path: Path) -> None:
    zoned = MOMENTS.arrow_schema.set(2, pa.field("at", pa.timestamp("us", "UTC")))

    def batches() -> Iterator[pa.RecordBatch]:
        for schema in (MOMENTS.arrow_schema, zoned):
            yield pa.RecordBatch.from_pylist([{"id": 1, "begin": DAY, "at": None, "a": 1.0}], schema)

    with pytest.raises(SchemaError, match=r"at is timestamp\[us, tz=UTC\], not timestamp\[us\]"):
        stage(batches(), MOMENTS.arrow_schema, "begin", tmp_path / "staged.parquet")


def test_a_file_that_changed_since_it_was_staged_is_judged_no_further(tmp_path: Path) -> None:
    batch = pa.RecordBatch.from_pylist([valid_row(NAMES)], NAMES.arrow_schema)
    staged = stage([batch], NAMES.arrow_schema, NAMES.date_column, tmp_path / "staged.parquet")
    before = staged.path.read_bytes()
    for changed, what in (
        (before[:-1], "another hash, another size, another number of rows"),
        (before[:40] + bytes([before[40] ^ 1]) + before[41:], "another hash"),
        (b"", "another hash, another size, another number of rows"),
    ):
        staged.path.write_bytes(changed)
        (result,) = judge(NAMES, "all", staged, Known(dt.date(2026, 6, 1))).results

        assert (result.validation_type, result.status) == (ValidationType.CHECKSUM, Status.FAILED)
        assert result.message == f"the staged file does not hold what was written: {what}"
