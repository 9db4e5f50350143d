"""The synthetic library's months, years and industries agree with its own days and with the market."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from data_platform.sources.demo.library import library_files
from data_platform.sources.demo.library.industries import NAMES, industries
from data_platform.sources.demo.library.periods import compounded, periods
from data_platform.sources.demo.market import Market, simulate
from data_platform.sources.ken_french.captions import Measure, measure_of
from data_platform.sources.ken_french.parsing import Frequency, SourceTable, decode, parse_tables
from data_platform.sources.ken_french.unpacking import unpack

MONTHS = [dt.date(year, month, 1) for year in (2022, 2023) for month in range(1, 13)]
ROUNDED = 0.0051


@pytest.fixture(scope="module")
def market() -> Market:
    return simulate(5, 2022, 2023, 60)


@pytest.fixture(scope="module")
def tables(market: Market) -> dict[str, list[SourceTable]]:
    return {
        name.removesuffix("_CSV.zip"): parse_tables(decode(unpack(name, content, "test").data))
        for name, content in library_files(market).items()
    }


def _growth(table: SourceTable, column: str, of: str, plus: str | None = None) -> float:
    """What a column grew by over a month or year, in percent, from its daily figures."""
    values = table.columns[table.header.index(column)]
    others = table.columns[table.header.index(plus)] if plus else [0.0] * len(values)
    days = zip(table.keys, values, others, strict=True)
    moves = [1 + ((value or 0) + (other or 0)) / 100 for day, value, other in days if str(day).startswith(of)]
    return 100 * (math.prod(moves) - 1)


def test_months_and_years_of_the_factors_are_compounded_from_their_days(tables: dict[str, list[SourceTable]]) -> None:
    for stem in ("F-F_Research_Data_Factors", "F-F_Research_Data_5_Factors_2x3", "F-F_Momentum_Factor"):
        (daily,) = tables[f"{stem}_daily"]
        monthly, annual = tables[stem]
        assert (monthly.frequency, annual.frequency) == (Frequency.MONTHLY, Frequency.ANNUAL)
        assert [day.replace(day=1) for day in monthly.keys] == MONTHS
        assert [day.year for day in annual.keys] == [2022, 2023]
        assert monthly.header == annual.header == daily.header
        for table, length in ((monthly, 7), (annual, 4)):
            for index, key in enumerate(table.keys):
                for name, values in zip(table.header, table.columns, strict=True):
                    period = str(key)[:length]
                    expected = _growth(daily, name, period)
                    if name == "Mkt-RF":
                        expected = _growth(daily, name, period, "RF") - _growth(daily, "RF", period)
                    assert values[index] == pytest.approx(expected, abs=ROUNDED)


@pytest.mark.parametrize("count", [10, 30, 49])
def test_industry_files_hold_the_tables_of_the_real_ones(tables: dict[str, list[SourceTable]], count: int) -> None:
    daily, monthly = tables[f"{count}_Industry_Portfolios_daily"], tables[f"{count}_Industry_Portfolios"]

    assert [(measure_of(table.caption), table.frequency) for table in daily] == [
        (Measure.VALUE_WEIGHTED, "daily"),
        (Measure.EQUAL_WEIGHTED, "daily"),
    ]
    assert [(measure_of(table.caption), table.frequency) for table in monthly] == [
        (Measure.VALUE_WEIGHTED, "monthly"),
        (Measure.EQUAL_WEIGHTED, "monthly"),
        (None, "annual"),
        (None, "annual"),
        (Measure.FIRMS, "monthly"),
        (Measure.SIZE, "monthly"),
        (None, "annual"),
    ]
    assert all(tuple(table.header) == NAMES[count] for table in (*daily, *monthly))
    assert len(NAMES[count]) == len(set(NAMES[count])) == count


@pytest.mark.parametrize("weighting", [0, 1])
def test_months_of_industries_are_compounded_from_their_days(
    tables: dict[str, list[SourceTable]], weighting: int
) -> None:
    daily, monthly = (tables[f"10_Industry_Portfolios{suffix}"][weighting] for suffix in ("_daily", ""))
    for index, key in enumerate(monthly.keys):
        for name, values in zip(monthly.header, monthly.columns, strict=True):
            assert values[index] == pytest.approx(_growth(daily, name, str(key)[:7]), abs=ROUNDED)


def test_an_industry_without_firms_has_no_returns_and_no_size(tables: dict[str, list[SourceTable]]) -> None:
    value, equal, _, _, firms, size, _ = tables["49_Industry_Portfolios"]
    softw = value.header.index("Softw")
    assert None in value.columns[softw]
    assert any(value.columns[softw])
    for index in range(49):
        none = [count == 0 for count in firms.columns[index]]
        for table in (value, equal, size):
            assert [cell is None for cell in table.columns[index]] == none


def test_industries_are_the_market_dealt_out(market: Market) -> None:
    months = periods(market.sessions[market.opening :], "%Y%m")
    found = industries(market, 10, months.starts)
    january = slice(market.opening, market.opening + int(months.starts[1]))
    known = np.concatenate([np.full((60, 1), np.nan), (market.price * market.shares)[:, :-1]], axis=1)[:, january]
    usable = ~np.isnan(known) & ~np.isnan(market.ret[:, january])

    assert found.firms[:, 0].sum() == usable.any(axis=1).sum()
    everything = (found.firms[:, 0] * found.size[:, 0]).sum() * 1000
    first = [known[row, np.argmax(usable[row])] for row in range(60) if usable[row].any()]
    assert everything == pytest.approx(sum(first))


def test_a_period_without_figures_stays_missing() -> None:
    days = [dt.date(2024, 1, 30), dt.date(2024, 1, 31), dt.date(2024, 2, 1), dt.date(2024, 3, 1)]
    months = periods(days, "%Y%m")

    assert months.keys == ["202401", "202402", "202403"]
    values = compounded(np.array([[10.0, 10.0, np.nan, 1.0], [np.nan, 5.0, 2.0, 0.0]]), months.starts)
    np.testing.assert_allclose(values, [[21.0, np.nan, 1.0], [5.0, 2.0, 0.0]])
