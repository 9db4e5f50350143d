"""Price drift as a function of two frames: what differs by more than a percent, and what explains it."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from data_platform.catalog import TABLES, find_table
from data_platform.catalog.series import Series
from data_platform.quality.price_drift import PAIRS, Drift, drift_between

DAY = dt.date(2024, 1, 31)
SERIES = Series("permno", "date", "prc", cumulative_factor="cfacpr", leaving="flag")
BARE = Series("id", "on", "close")


def rows(*prices: float | None, factor: float | None = 1.0, flag: str | None = "N") -> pl.LazyFrame:
    """One security a price, all on a day."""
    return pl.LazyFrame(
        {
            "permno": list(range(len(prices))),
            "date": [DAY] * len(prices),
            "prc": list(prices),
            "cfacpr": [factor] * len(prices),
            "flag": [flag] * len(prices),
        },
        schema={"permno": pl.Int32, "date": pl.Date, "prc": pl.Float64, "cfacpr": pl.Float64, "flag": pl.String},
    )


def test_more_than_a_percent_is_drift_and_a_percent_is_none() -> None:
    found = drift_between(rows(101.0, 101.1, 98.0, 100.0), rows(100.0, 100.0, 100.0, 100.0), SERIES, SERIES)
    assert (found.compared, found.drifted, found.entities, found.first, found.last) == (4, 2, 2, DAY, DAY)
    assert found.worst_pct == pytest.approx(2.0)


def test_what_is_not_there_twice_or_is_no_price_is_not_compared() -> None:
    found = drift_between(rows(None, 0.0, 5.0, float(7), -10.0), rows(1.0, 1.0, None, 0.0, 10.0), SERIES, SERIES)
    # A midpoint with its sign, and the same without.
    assert found == Drift(compared=1)
    assert drift_between(rows(), rows(1.0), SERIES, SERIES) == Drift(compared=0)


@pytest.mark.parametrize(
    ("factor", "drifted"),
    [(2.0, 0), (1.0, 1), (4.0, 1), (0.0, 1), (None, 1)],
)
def test_a_difference_that_the_factors_explain_is_none(factor: float | None, drifted: int) -> None:
    # Half the shares at twice the price: one place has adjusted, the other has not.
    assert drift_between(rows(50.0), rows(100.0, factor=factor), SERIES, SERIES).drifted == drifted


def test_a_price_of_a_delisting_is_left_out() -> None:
    assert drift_between(rows(1.0, flag="Y"), rows(2.0), SERIES, SERIES).compared == 0
    assert drift_between(rows(1.0, flag=None), rows(2.0), SERIES, SERIES).drifted == 1


def test_tables_may_name_their_columns_as_they_like_and_have_no_factor() -> None:
    other = rows(100.0).select(id="permno", on="date", close="prc")
    assert drift_between(rows(103.0), other, SERIES, BARE).drifted == 1


def test_every_pair_names_tables_of_prices() -> None:
    assert {pair.name for pair in PAIRS} >= {"crsp_daily|crsp_daily", "crsp_monthly|crsp_daily"}
    for pair in PAIRS:
        assert find_table(pair.table).series is not None
        assert find_table(pair.against).series is not None
        assert TABLES[pair.table].partitioning is TABLES[pair.against].partitioning
