"""What the statement relations share: books, quarters and filings of all companies, in a vintage."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from data_platform.sources.demo.compustat.books import Items, earnings, keep_books
from data_platform.sources.demo.compustat.filings import Filings, filings_of
from data_platform.sources.demo.compustat.firms import Firms, firms_of
from data_platform.sources.demo.compustat.quarters import Quarters, quarters_of
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Flags, Floats, Ints
from data_platform.sources.demo.vintages import RESTATED_FIRMS

RESTATES = (2, 11)
"""Companies, by their number in a round, whose annual figures were restated later: they have SUMM_STD rows."""

_RESTATED_BY = 0.01


@dataclass(frozen=True, slots=True)
class Statements:
    """Arrays with one row per company and one column per quarter; `there` and `annual` say which have rows."""

    firms: Firms
    quarters: Quarters
    filings: Filings
    items: Items
    there: Flags
    annual: Flags


def statements_of(market: Market, vintage: int = 1) -> Statements:
    """Everything that is known about the companies in this vintage."""
    firms = firms_of(market)
    quarters = quarters_of(market, firms)
    filings, items = filings_of(market, firms, quarters), keep_books(market, firms, quarters)
    if vintage > 1:
        rows, columns = restated_years(market, firms, quarters)
        items["sale"][rows, columns] = np.round(items["sale"][rows, columns] * (1 + _RESTATED_BY), 3)
    items |= earnings(items)
    there = quarters.there if vintage > 1 else quarters.there & ~filings.pending
    return Statements(firms, quarters, filings, items, there, there & complete_years(quarters))


def complete_years(quarters: Quarters) -> Flags:
    """Which quarters end a fiscal year of four quarters; one that was cut short by a change is none."""
    same = np.zeros(quarters.day.shape, dtype=np.bool_)
    same[:, 3:] = quarters.ends[:, 3:] == quarters.ends[:, :-3]
    return same & (quarters.quarter == 4)  # noqa: PLR2004 - the last one


def restated_years(market: Market, firms: Firms, quarters: Quarters) -> tuple[Ints, Ints]:
    """Company and last quarter of the fiscal years of the first stored year that the second vintage restates."""
    ended = complete_years(quarters) & quarters.there & (quarters.calendar_year == market.stored[0].year)
    ended[firms.financial | np.isin(firms.turn, RESTATES)] = False
    rows, columns = np.nonzero(ended)
    return rows[:RESTATED_FIRMS], columns[:RESTATED_FIRMS]


def year_total(values: Floats) -> Floats:
    """Each quarter's sum with the three before it; NaN where there are not so many."""
    total = np.full(values.shape, np.nan)
    total[:, 3:] = np.round(values[:, 3:] + values[:, 2:-1] + values[:, 1:-2] + values[:, :-3], 3)
    return total


def year_to_date(values: Floats, quarter: Ints) -> Floats:
    """The sum since the fiscal year began, as the cash flow statement has it."""
    total = values.copy()
    for number in range(1, values.shape[1]):
        running = quarter[:, number] == quarter[:, number - 1] + 1
        total[:, number] += np.where(running, total[:, number - 1], 0.0)
    return np.round(total, 3)


def dates_of(ordinals: Ints) -> pl.Series:
    """Days from ordinals, null for 0."""
    return pl.Series([dt.date.fromordinal(day) if day else None for day in ordinals.tolist()], dtype=pl.Date)


def is_restating(firms: Firms, company: Ints) -> Flags:
    """Whether a company has restated years."""
    return np.isin(firms.turn[company], RESTATES) & ~firms.financial[company]
