"""The demo's `crsp.msf`: the monthly stock file in the SIZ format, dated by the month's last session.

`vol` is in HUNDREDS of shares here, unlike in `crsp.dsf`. `ret` is without the delisting return. `prc` is that of the
last trading day, `altprc` the last one there was in the month, of the day `altprcdt`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import Values, days, in_order, number, when
from data_platform.sources.demo.market.months import MonthEnds, Months, month_ends, months_of
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.trading import blocks, trading
from data_platform.sources.demo.market.universe import Flags, Floats
from data_platform.sources.demo.siz.codes import coded, signed, traded_rows
from data_platform.sources.demo.siz.dsf import PRICE, RETURN, SHARED_TYPES, header, siz_factors

_LOT: Final = 100

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    **SHARED_TYPES,
    "altprc": PRICE,
    "spread": PRICE,
    "altprcdt": "date",
    "retx": RETURN,
}


def relation_frames(market: Market) -> Iterator[pl.DataFrame]:
    """One row per security and month with a trading day in `crsp.dsf`, ordered by both."""
    months = months_of(market.stored)
    for block in blocks(market):
        covered = traded_rows(market, block)
        ends = month_ends(market, months, block, covered)
        yield in_order({**header(market, ends.who), **_values(market, months, block, ends, covered)}, COLUMN_TYPES)


def _values(market: Market, months: Months, block: slice, ends: MonthEnds, covered: Flags) -> dict[str, Values]:
    stored, here = slice(market.opening, None), (ends.inside, ends.month)
    day, at, who = trading(market, block), ends.at, ends.who
    position = at - market.opening
    priced = months.last_where(covered & ~np.isnan(market.price[block, stored]))[here]
    known = np.maximum(priced, 0) + market.opening
    alternative = np.where(priced >= 0, signed(market.price[who, known], market.traded[who, known]), np.nan)
    bid, ask = day.bid[ends.inside, position], day.ask[ends.inside, position]
    counted = months.total((covered & ~np.isnan(day.volume)).astype(np.float64))[here]
    volume = np.round(months.total(np.where(covered, day.volume, 0.0))[here] / _LOT).astype(np.int64)
    factor = siz_factors(market, who, at)
    return {
        "date": days(months.last, ends.month),
        "bidlo": number(np.fmin.reduceat(np.where(covered, day.low, np.nan), months.starts, axis=1)[here]),
        "askhi": number(np.fmax.reduceat(np.where(covered, day.high, np.nan), months.starts, axis=1)[here]),
        "prc": signed(market.price[who, at], market.traded[who, at]),
        "vol": when(counted > 0, pl.Series(volume)),
        "ret": number(_returns(months, np.where(covered, market.ret[block, stored], np.nan), block, ends)),
        "bid": number(bid),
        "ask": number(ask),
        "shrout": market.shares[who, at],
        "cfacpr": factor,
        "cfacshr": factor,
        "altprc": number(alternative),
        "spread": number(np.round(ask - bid, 5)),
        "altprcdt": days(market.stored, priced),
        "retx": number(_returns(months, np.where(covered, market.retx[block, stored], np.nan), block, ends)),
    }


def _returns(months: Months, daily: Floats, block: slice, ends: MonthEnds) -> Floats:
    """Compounded within the months, with codes where there is nothing to compound."""
    monthly = months.compounded(daily)
    new = np.zeros(monthly.shape, dtype=np.bool_)
    new[ends.inside, ends.month] = ends.before < 0
    there = np.zeros(monthly.shape, dtype=np.bool_)
    there[ends.inside, ends.month] = True
    return coded(np.where(there, monthly, 0.0), new, block)[ends.inside, ends.month]
