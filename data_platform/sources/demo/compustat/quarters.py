"""When companies' fiscal quarters end, how they are numbered, and where the market stood on those days.

Arrays have one row per company and one column per quarter, from the year before the stored ones to the last.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from data_platform.sources.demo.compustat.firms import Firms
from data_platform.sources.demo.market.roles import Role
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Flags, Floats, Ints

_YEAR_ENDS: Final = (12, 12, 12, 12, 12, 12, 12, 6, 9, 3, 1)
_CHANGES_FROM, _CHANGES_TO = 6, 12
_EARLY_ENDS: Final = 6
"""A fiscal year that ends before June bears the number of the calendar year before: Compustat's convention."""


@dataclass(frozen=True, slots=True)
class Quarters:
    """Fiscal quarters, and where the company stood in the market at their ends.

    `day` is the period's last calendar day as an ordinal; `year` and `quarter` are fiscal, `ends` the month in which
    the fiscal year ends. `session` is the last one up to `day`. `there` says which periods the relations have rows of:
    those of the stored years in which the company was listed. `cap` is in million USD, `price` in USD, `shares` in
    millions.
    """

    day: Ints
    calendar_year: Ints
    month: Ints
    year: Ints
    quarter: Ints
    ends: Ints
    session: Ints
    there: Flags
    cap: Floats
    price: Floats
    shares: Floats
    split_ahead: Floats

    def dates(self, company: Ints, number: Ints) -> list[dt.date]:
        """The last calendar day of each of these quarters."""
        return [dt.date.fromordinal(day) for day in self.day[company, number].tolist()]


def quarters_of(market: Market, firms: Firms) -> Quarters:
    """All quarters of all companies."""
    first, last = market.stored[0].year, market.stored[-1].year
    ends = np.random.Generator(np.random.PCG64([market.seed, 2])).choice(_YEAR_ENDS, size=len(firms))
    changing = market.universe.roles[firms.primary] == Role.CHANGES_FISCAL_YEAR
    ends[changing] = _CHANGES_FROM
    # Months are counted from year 0; a quarter ends in the same month of three as the fiscal year.
    months = (first - 1) * 12 + (ends[:, None] - 1) % 3 + 3 * np.arange(4 * (last - first + 2))
    ends = np.repeat(ends[:, None], months.shape[1], axis=1)
    change = (first + last) // 2 * 12 + _CHANGES_FROM - 1
    ends[changing] = np.where(months[changing] > change, _CHANGES_TO, _CHANGES_FROM)
    remaining = (ends - 1 - months) % 12
    closing = (months + remaining) // 12
    days = _month_ends(first - 1, last)[months - (first - 1) * 12]
    sessions = np.array([session.toordinal() for session in market.sessions])
    session = np.searchsorted(sessions, days, side="right") - 1
    cap, price, shares, ahead = _stands(market, firms, np.maximum(session, 0))
    listed = cap > 0
    # Who was listed on no such day at all is taken for what it was first.
    first_price = market.universe.price[firms.primary]
    first_shares = market.universe.shares[firms.primary] / 1000
    return Quarters(
        day=days,
        calendar_year=months // 12,
        month=months % 12 + 1,
        year=np.where(ends >= _EARLY_ENDS, closing, closing - 1),
        quarter=4 - remaining // 3,
        ends=ends,
        session=session,
        there=listed & (months // 12 >= first),
        cap=_filled(cap, first_price * first_shares),
        price=_filled(price, first_price),
        shares=_filled(shares, first_shares),
        split_ahead=_filled(ahead, np.ones(len(firms))),
    )


def _month_ends(first: int, last: int) -> Ints:
    following = [
        dt.date(year + month // 12, month % 12 + 1, 1) for year in range(first, last + 1) for month in range(1, 13)
    ]
    return np.array([day.toordinal() - 1 for day in following], dtype=np.int64)


def _stands(market: Market, firms: Firms, session: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    """Capitalisation, price, shares and the splits to come of each company at these sessions; 0 where not listed."""
    cap, price, shares, ahead = (np.zeros(session.shape) for _ in range(4))
    for company, members in enumerate(firms.securities):
        at = session[company]
        for security in members:
            listed = market.listed[security, at]
            values: Floats = market.price[security, at]
            previous: Ints = market.previous[security, at]
            values = np.where(np.isnan(values), market.price[security, np.maximum(previous, 0)], values)
            values = np.where(listed, np.nan_to_num(values), 0.0)
            issued = np.where(listed, market.shares[security, at] / 1000, 0.0)
            splits = np.cumprod(market.split[security, ::-1])[::-1] / market.split[security]
            cap[company] += values * issued
            shares[company] += issued
            lead = price[company] == 0
            price[company] = np.where(lead, values, price[company])
            ahead[company] = np.where(lead & listed, splits[at], ahead[company])
    return cap, price, shares, ahead


def _filled(values: Floats, otherwise: Floats) -> Floats:
    """Where a company was not listed: what it had at the end, or before its listing what it had first."""
    number: Ints = np.arange(len(values[0]), dtype=np.int64)
    positions = np.where(values > 0, number, -1)
    last = np.maximum.accumulate(positions, axis=1)
    first = np.argmax(values > 0, axis=1)[:, None]
    found = np.take_along_axis(values, np.where(last >= 0, last, first), axis=1)
    return np.where(found > 0, found, otherwise[:, None])
