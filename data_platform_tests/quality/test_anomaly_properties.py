"""Whatever a staged file holds, detectors give findings and never fail; and the robust rule keeps its promises."""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_platform.catalog import TABLES, Partitioning, find_table
from data_platform.quality.anomalies import History, Statistics, detect, statistics_of
from data_platform.quality.anomalies.history import unusual

CRSP = find_table("crsp_daily")
PARTITIONED = sorted(name for name, table in TABLES.items() if table.date_column is not None)
STEADY = settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])

ODD = st.one_of(
    st.none(),
    st.sampled_from([0.0, -0.0, -1.0, 1.0, 1e-300, 1e300, math.inf, -math.inf, math.nan]),
    st.floats(-1000, 1000),
)


def _file(frame: pl.DataFrame) -> Path:
    with tempfile.NamedTemporaryFile(suffix=".parquet", delete=False) as file:
        frame.write_parquet(file.name)
    return Path(file.name)


def _values(dtype: pl.DataType, size: int, draw: st.DrawFn) -> pl.Series:
    if dtype.is_float():
        return pl.Series(draw(st.lists(ODD, min_size=size, max_size=size)), dtype=dtype)
    if dtype.is_integer():
        return pl.Series(draw(st.lists(st.integers(-5, 5) | st.none(), min_size=size, max_size=size)), dtype=dtype)
    if dtype == pl.Date:
        days = st.dates(dt.date(1990, 1, 1), dt.date(1990, 2, 1))
        return pl.Series(draw(st.lists(days | st.none(), min_size=size, max_size=size)), dtype=dtype)
    return pl.Series(draw(st.lists(st.sampled_from(["Y", "N", "", None]), min_size=size, max_size=size)), dtype=dtype)


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    size = draw(st.integers(0, 24))
    schema = pl.DataFrame(CRSP.arrow_schema.empty_table()).schema
    frame = pl.DataFrame({name: _values(dtype, size, draw) for name, dtype in schema.items()})
    return frame.with_columns(pl.col("permno").fill_null(0)).sort(CRSP.key, nulls_last=True)


@STEADY
@given(frame=frames(), earlier=frames())
def test_any_frame_of_the_table_is_judged_without_an_error(frame: pl.DataFrame, earlier: pl.DataFrame) -> None:
    now, before = _file(frame), _file(earlier)
    try:
        past = statistics_of(CRSP, before)
        history = History((past,), (past, past, past))
        for anomaly in detect(CRSP, "1990", now, statistics_of(CRSP, now), history):
            assert anomaly.message
            assert len(anomaly.keys) <= 5
            for value in (anomaly.current_value, anomaly.expected_value, anomaly.deviation_pct):
                assert value is None or math.isfinite(value)
    finally:
        now.unlink()
        before.unlink()


@pytest.mark.parametrize("name", PARTITIONED)
def test_an_empty_file_of_any_table_is_judged_without_an_error(name: str, tmp_path: Path) -> None:
    table = find_table(name)
    path = tmp_path / "empty.parquet"
    pl.DataFrame(table.arrow_schema.empty_table()).write_parquet(path)
    statistics = statistics_of(table, path)
    assert statistics.rows == 0
    partition = "2020" if table.partitioning is Partitioning.YEAR else "all"
    assert detect(table, partition, path, statistics) == ()


@STEADY
@given(frame=frames())
def test_statistics_survive_being_kept_as_a_flat_mapping(frame: pl.DataFrame) -> None:
    path = _file(frame)
    try:
        statistics = statistics_of(CRSP, path)
    finally:
        path.unlink()
    metrics = statistics.to_metrics()
    assert all(math.isfinite(value) for value in metrics.values())
    assert Statistics.from_metrics(metrics) == statistics


NUMBERS = st.floats(-1e6, 1e6)
PAST = st.lists(NUMBERS, min_size=1, max_size=9)


@STEADY
@given(past=PAST, floor=st.floats(0, 100), value=NUMBERS, farther=st.floats(1, 10))
def test_what_lies_farther_out_than_something_unusual_is_unusual(
    past: list[float], floor: float, value: float, farther: float
) -> None:
    expected = unusual(value, past, floor=floor)
    if expected is not None:
        assert unusual(expected + farther * (value - expected) * (1 + 1e-9), past, floor=floor) == expected


@STEADY
@given(past=PAST, floor=st.floats(0.001, 100))
def test_the_usual_value_itself_is_never_unusual_and_nothing_is_without_a_past(past: list[float], floor: float) -> None:
    middle = sorted(past)[len(past) // 2] if len(past) % 2 else None
    assert middle is None or unusual(middle, past, floor=floor) is None
    assert unusual(1e9, (), floor=floor) is None


@STEADY
@given(past=st.lists(st.integers(-1000, 1000), min_size=1, max_size=9), value=st.integers(-1000, 1000))
def test_shifting_everything_changes_no_verdict(past: list[int], value: int) -> None:
    moved = unusual(value + 512.0, [each + 512.0 for each in past], floor=1.0)
    assert (unusual(float(value), [float(each) for each in past], floor=1.0) is None) == (moved is None)


@STEADY
@given(steady=NUMBERS, size=st.integers(3, 9), wild=st.floats(1e7, 1e9))
def test_one_wild_value_of_the_past_hides_nothing(steady: float, size: int, wild: float) -> None:
    past = [steady] * (size - 1) + [wild]
    assert unusual(steady + 5.0, past, floor=1.0) == steady
