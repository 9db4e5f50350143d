"""The demo's `crsp.dsf`: the daily stock file in the SIZ format. Volume is in shares, `shrout` in thousands.

`ret` is without the delisting return; a missing one is -44, -55, -66, -77, -88, -99 or null. `cusip`, `hexcd` and
`hsiccd` are the last ones ("header"), whatever they were on the day.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import Values, days, in_order, number, picked, when
from data_platform.sources.demo.crsp.dsf_v2 import factors_ahead
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.trading import blocks, trading
from data_platform.sources.demo.market.universe import Floats, Ints
from data_platform.sources.demo.siz.codes import coded, exchange_codes, signed, stored_days, traded_rows

PRICE: Final = "numeric(11,5)"
RETURN: Final = "numeric(11,6)"

SHARED_TYPES: Final[dict[str, LiteralString]] = {
    "cusip": "varchar(8)",
    "permno": "integer",
    "permco": "integer",
    "issuno": "integer",
    "hexcd": "smallint",
    "hsiccd": "integer",
    "date": "date",
    "bidlo": PRICE,
    "askhi": PRICE,
    "prc": PRICE,
    "vol": "numeric(12,0)",
    "ret": RETURN,
    "bid": PRICE,
    "ask": PRICE,
    "shrout": "numeric(12,0)",
    "cfacpr": "numeric(12,6)",
    "cfacshr": "numeric(12,6)",
}
"""The columns with which both stock files begin."""

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    **SHARED_TYPES,
    "openprc": PRICE,
    "numtrd": "integer",
    "retx": RETURN,
}


def relation_frames(market: Market) -> Iterator[pl.DataFrame]:
    """One row per security and trading day, ordered by both, some hundred thousand at a time."""
    stored = slice(market.opening, None)
    for block in blocks(market):
        covered = traded_rows(market, block)
        inside, at = np.nonzero(covered)
        who, session = inside + block.start, at + market.opening
        day = trading(market, block)
        new = market.previous[block, stored] < 0
        # Codes take turns among the rows there are.
        ret, retx = (np.where(covered, values[block, stored], 0.0) for values in (market.ret, market.retx))
        volume = day.volume[inside, at]
        priced = ~np.isnan(volume)
        factor = siz_factors(market, who, session)
        columns: dict[str, Values] = {
            **header(market, who),
            "date": days(market.sessions, session),
            "bidlo": number(day.low[inside, at]),
            "askhi": number(day.high[inside, at]),
            "prc": signed(market.price[who, session], market.traded[who, session]),
            "vol": when(priced, pl.Series(np.nan_to_num(volume).astype(np.int64))),
            "ret": number(coded(ret, new, block)[inside, at]),
            "bid": number(day.bid[inside, at]),
            "ask": number(day.ask[inside, at]),
            "shrout": market.shares[who, session],
            "cfacpr": factor,
            "cfacshr": factor,
            "openprc": number(day.opened[inside, at]),
            "numtrd": when(priced, pl.Series(day.trades[inside, at])),
            "retx": number(coded(retx, new, block)[inside, at]),
        }
        yield in_order(columns, COLUMN_TYPES)


def rows(market: Market) -> int:
    """How many there are."""
    return int(traded_rows(market, slice(0, len(market.universe.permno))).sum())


def header(market: Market, who: Ints) -> dict[str, Values]:
    """The columns that say which security it is, with what it was called last."""
    universe, eras = market.universe, market.eras
    last = eras.last_of(len(universe.permno))[who]
    return {
        "cusip": picked(eras.cusip, last),
        "permno": universe.permno[who],
        "permco": universe.permco[who],
        "issuno": 70001 + who,
        "hexcd": exchange_codes(eras.exchange, last),
        "hsiccd": universe.siccd[who],
    }


def siz_factors(market: Market, who: Ints, session: Ints) -> Floats:
    """Adjustment factors to the shares of the format's last day: splits after it are unknown to it."""
    final = market.opening + int(stored_days(market).sum()) - 1
    return factors_ahead(market, who, session) / factors_ahead(market, who, np.full(len(who), final))
