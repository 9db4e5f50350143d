"""The demo's `crsp.stksecurityinfohist`: under which names, tickers and exchanges a security traded, and when.

The spans of a security adjoin. A delisted one ends with a row of one day, that of its delisting return, with
`tradingstatusflg` D and no ticker.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import in_order, picked, when
from data_platform.sources.demo.crsp.delists import CODES
from data_platform.sources.demo.crsp.dsf_v2 import COMMON, TIERS
from data_platform.sources.demo.market.beginnings import beginnings
from data_platform.sources.demo.market.eras import check_digit
from data_platform.sources.demo.market.roles import Role
from data_platform.sources.demo.market.sectors import SECTORS
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Ints

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "permno": "integer",
    "secinfostartdt": "date",
    "secinfoenddt": "date",
    "securitybegdt": "date",
    "securityenddt": "date",
    "securityhdrflg": "varchar(1)",
    "hdrcusip": "varchar(8)",
    "hdrcusip9": "varchar(9)",
    "cusip": "varchar(8)",
    "cusip9": "varchar(9)",
    "primaryexch": "varchar(1)",
    "conditionaltype": "varchar(2)",
    "exchangetier": "varchar(3)",
    "tradingstatusflg": "varchar(1)",
    "securitynm": "varchar(80)",
    "shareclass": "varchar(4)",
    "usincflg": "varchar(1)",
    "issuertype": "varchar(4)",
    "securitytype": "varchar(4)",
    "securitysubtype": "varchar(4)",
    "sharetype": "varchar(4)",
    "securityactiveflg": "varchar(1)",
    "delactiontype": "varchar(4)",
    "delstatustype": "varchar(4)",
    "delreasontype": "varchar(4)",
    "delpaymenttype": "varchar(4)",
    "ticker": "varchar(8)",
    "tradingsymbol": "varchar(10)",
    "permco": "integer",
    "siccd": "integer",
    "naics": "varchar(6)",
    "icbindustry": "varchar(8)",
    "uesindustry": "varchar(8)",
    "nasdcompno": "integer",
    "nasdissuno": "integer",
    "issuernm": "varchar(60)",
}


def relation_frame(market: Market) -> pl.DataFrame:
    """One row per span, ordered by security and time."""
    universe, eras, leaving = market.universe, market.eras, market.leaving
    # The delisting day is a span more, after the last one of the security.
    era = np.concatenate([np.arange(len(eras.who)), eras.last_of(len(universe.permno))[leaving.who]])
    begins = np.concatenate([eras.start, universe.last[leaving.who]])
    order = np.lexsort([begins, eras.who[era]])
    era, begins = era[order], begins[order]
    who = eras.who[era]
    gone = (begins == universe.last[who]) & (begins < len(market.sessions) - 1)
    starts, ends = _spans(market, who, begins)
    header = np.append(who[1:] != who[:-1], True)
    shares_class = _share_class(market, who)
    exchange = picked(eras.exchange, era)
    nasdaq = exchange == "Q"
    final = eras.last_of(len(universe.permno))
    which = np.full(len(universe.permno), -1)
    which[leaving.who] = leaving.reason
    name = picked(eras.issuer, era)
    sic = universe.siccd[who].tolist()
    ticker = when(~gone, picked(eras.ticker, era))
    listed_since = beginnings(market)
    cusips, headers = picked(eras.cusip, era).to_list(), picked(eras.cusip, final[who]).to_list()
    return in_order(
        {
            **COMMON,
            "permno": universe.permno[who],
            "secinfostartdt": starts,
            "secinfoenddt": ends,
            "securitybegdt": [listed_since[at] for at in who.tolist()],
            "securityenddt": [market.sessions[at] for at in universe.last[who].tolist()],
            "securityhdrflg": picked(("N", "Y"), header.astype(np.int64)),
            "hdrcusip": headers,
            "hdrcusip9": [text + check_digit(text) for text in headers],
            "cusip": cusips,
            "cusip9": [text + check_digit(text) for text in cusips],
            "primaryexch": exchange,
            "conditionaltype": picked(eras.conditional, era),
            "exchangetier": when(nasdaq, picked(TIERS, who % len(TIERS))),
            "tradingstatusflg": picked(("A", "D"), gone.astype(np.int64)),
            "securitynm": name + "; COM" + (" " + shares_class).fill_null("") + "; CONS",
            "shareclass": shares_class,
            "issuertype": picked(universe.issuer_type, who),
            "securityactiveflg": picked(("Y", "N"), (which[who] >= 0).astype(np.int64)),
            "delactiontype": picked(CODES.action, which[who]),
            "delstatustype": picked(CODES.status, which[who]),
            "delreasontype": picked(CODES.reason, which[who]),
            "delpaymenttype": picked(CODES.payment, which[who]),
            "ticker": ticker,
            "tradingsymbol": ticker,
            "permco": universe.permco[who],
            "siccd": universe.siccd[who],
            "naics": [SECTORS[code].naics for code in sic],
            "icbindustry": [SECTORS[code].icb for code in sic],
            "uesindustry": None,
            "nasdcompno": when(nasdaq, pl.Series(60001 + universe.company[who])),
            "nasdissuno": when(nasdaq, pl.Series(70001 + who)),
            "issuernm": name,
        },
        COLUMN_TYPES,
    )


def _spans(market: Market, who: Ints, begins: Ints) -> tuple[list[dt.date], list[dt.date]]:
    """First and last day of each span; the first begins with the listing, the last ends with the security."""
    listed_since = beginnings(market)
    day = dt.timedelta(days=1)
    starts: list[dt.date] = [market.sessions[at] for at in begins.tolist()]
    ends: list[dt.date] = []
    for row, security in enumerate(who.tolist()):
        if row == 0 or who[row - 1] != security:
            starts[row] = listed_since[security]
    for row, security in enumerate(who.tolist()):
        following = row + 1 < len(who) and who[row + 1] == security
        ends.append(starts[row + 1] - day if following else market.sessions[int(market.universe.last[security])])
    return starts, ends


def _share_class(market: Market, who: Ints) -> pl.Series:
    roles = market.universe.roles[who]
    return picked(("A", "B"), np.select([roles == Role.FIRST_CLASS, roles == Role.SECOND_CLASS], [0, 1], -1))
