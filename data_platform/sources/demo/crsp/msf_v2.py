"""The demo's `crsp.msf_v2`: months of `crsp.dsf_v2`, as CRSP makes them from days.

Every row is dated by the month's last session; what the price is of stands in `mthprcdt`. `mthret` compounds the daily
returns, delisting returns included. Volume is in shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import Values, days, in_order, number, picked, when
from data_platform.sources.demo.crsp.dsf_v2 import factors_ahead, identity, leaving, price_flags
from data_platform.sources.demo.market.months import MonthEnds, Months, month_ends, months_of
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.trading import blocks, trading
from data_platform.sources.demo.market.universe import Flags

_PRICE: Final = "numeric(18,6)"
_RETURN: Final = "numeric(12,6)"
_FACTOR: Final = "numeric(14,6)"
_AMOUNT: Final = "numeric(20,2)"

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "permno": "integer",
    "hdrcusip": "varchar(8)",
    "permco": "integer",
    "siccd": "integer",
    "nasdissuno": "integer",
    "yyyymm": "integer",
    "sharetype": "varchar(4)",
    "securitytype": "varchar(4)",
    "securitysubtype": "varchar(4)",
    "usincflg": "varchar(1)",
    "issuertype": "varchar(4)",
    "primaryexch": "varchar(1)",
    "conditionaltype": "varchar(2)",
    "tradingstatusflg": "varchar(1)",
    "mthcaldt": "date",
    "mthcompflg": "varchar(2)",
    "mthcompsubflg": "varchar(2)",
    "mthprc": _PRICE,
    "mthprcflg": "varchar(2)",
    "mthprcdt": "date",
    "mthdtflg": "varchar(2)",
    "mthdelflg": "varchar(1)",
    "mthcap": _AMOUNT,
    "mthprevprc": _PRICE,
    "mthprevprcflg": "varchar(2)",
    "mthprevdt": "date",
    "mthprevdtflg": "varchar(2)",
    "mthprevcap": _AMOUNT,
    "mthret": _RETURN,
    "mthretx": _RETURN,
    "mthretflg": "varchar(2)",
    "mthdiscnt": "integer",
    "mthvol": "numeric(18,0)",
    "mthvolflg": "varchar(2)",
    "mthprcvol": _AMOUNT,
    "mthfacshrflg": "varchar(2)",
    "mthprcvolmisscnt": "integer",
    "mthcumfacpr": _FACTOR,
    "mthcumfacshr": _FACTOR,
    "cusip": "varchar(8)",
    "ticker": "varchar(8)",
    "issuernm": "varchar(60)",
    "exchangetier": "varchar(3)",
    "shrout": "integer",
    "mthfloatshrqty": "integer",
}

_FREE_FLOAT: Final = 0.85


def relation_frames(market: Market) -> Iterator[pl.DataFrame]:
    """One row per security and month with a day of it in `crsp.dsf_v2`, ordered by both."""
    months = months_of(market.stored)
    for block in blocks(market):
        ends = month_ends(market, months, block)
        columns = {**_identity(market, months, ends), **_prices(market, months, ends)}
        yield in_order({**columns, **_aggregates(market, months, block, ends)}, COLUMN_TYPES)


def _leaving(market: Market, ends: MonthEnds) -> Flags:
    return leaving(market, ends.who, ends.at)


def _identity(market: Market, months: Months, ends: MonthEnds) -> dict[str, Values]:
    shares = market.shares[ends.who, ends.at]
    return {
        **identity(market, ends.who, ends.at),
        "issuernm": picked(market.eras.issuer, market.eras.at(ends.who, ends.at)),
        "yyyymm": months.yyyymm[ends.month],
        "mthcaldt": days(months.last, ends.month),
        "mthdelflg": picked(("N", "Y"), _leaving(market, ends).astype(np.int64)),
        "shrout": shares,
        "mthfloatshrqty": np.round(shares * _FREE_FLOAT).astype(np.int64),
    }


def _prices(market: Market, months: Months, ends: MonthEnds) -> dict[str, Values]:
    who, at, has_before = ends.who, ends.at, ends.before >= 0
    before = np.maximum(ends.before, 0)
    price, prior = market.price[who, at], np.where(has_before, market.price[who, before], np.nan)
    prior_cap = np.round(prior * market.shares[who, before].astype(np.float64), 2)
    nothing = np.zeros(len(who), dtype=np.bool_)
    month_end = np.cumsum(np.diff([*months.starts, len(market.stored)])) - 1 + market.opening
    factor = factors_ahead(market, who, at)
    return {
        "mthprc": number(price),
        "mthprcflg": price_flags(price, market.traded[who, at], _leaving(market, ends)),
        "mthprcdt": days(market.sessions, at),
        "mthdtflg": picked(("ME", "LD"), (at != month_end[ends.month]).astype(np.int64)),
        "mthcap": number(np.round(price * market.shares[who, at], 2)),
        "mthprevprc": number(prior),
        "mthprevprcflg": when(has_before, price_flags(prior, market.traded[who, before], nothing)),
        "mthprevdt": days(market.sessions, ends.before),
        "mthprevdtflg": when(has_before, picked(("ME",), np.zeros(len(who), dtype=np.int64))),
        "mthprevcap": number(prior_cap),
        "mthcumfacpr": factor,
        "mthcumfacshr": factor,
    }


def _aggregates(market: Market, months: Months, block: slice, ends: MonthEnds) -> dict[str, Values]:
    stored = slice(market.opening, None)
    here = (ends.inside, ends.month)
    volume = trading(market, block).volume
    listed = market.listed[block, stored]
    counted = months.total((~np.isnan(volume)).astype(np.float64))[here].astype(np.int64)
    present = months.total(listed.astype(np.float64))[here].astype(np.int64)
    ret = months.compounded(market.ret[block, stored])[here]
    lasting = np.diff([*months.starts, len(market.stored)])
    partial = np.where(present == lasting[ends.month], 0, np.where(_leaving(market, ends), 2, 1))
    paid = (market.dividend[block, stored] > 0).astype(np.float64) + (market.special[block, stored] > 0)
    split = market.split[block, stored] > 1
    splits = months.total(split.astype(np.float64))[here].astype(np.int64)
    unknown = np.where(~np.isnan(ret), -1, np.where(ends.before < 0, 0, 1))
    total = months.total(volume)[here].astype(np.int64)
    return {
        "mthcompflg": picked(("C", "I"), np.minimum(partial, 1)),
        "mthcompsubflg": picked(("FM", "BM", "EM"), partial),
        "mthret": number(ret),
        "mthretx": number(months.compounded(market.retx[block, stored])[here]),
        "mthretflg": picked(("NS", "MP"), unknown),
        "mthdiscnt": months.total(paid + split)[here].astype(np.int64),
        "mthvol": when(counted > 0, pl.Series(total)),
        "mthvolflg": picked(("SM", "NV"), (counted == 0).astype(np.int64)),
        "mthprcvol": number(
            np.where(counted > 0, np.round(months.total(volume * market.price[block, stored])[here], 2), np.nan)
        ),
        "mthfacshrflg": picked(("N", "Y"), np.minimum(splits, 1)),
        "mthprcvolmisscnt": present - counted,
    }
