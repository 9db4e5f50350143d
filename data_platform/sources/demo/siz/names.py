"""The demo's `crsp.dsenames`: the name history in the SIZ format. There is no row for a delisting."""

from __future__ import annotations

import datetime as dt
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import in_order, picked
from data_platform.sources.demo.market.beginnings import beginnings
from data_platform.sources.demo.market.roles import Role
from data_platform.sources.demo.market.sectors import SECTORS
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.siz.codes import LAST_DAY, SHARE_CODES, WHEN_ISSUED, exchange_codes

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "permno": "integer",
    "namedt": "date",
    "nameendt": "date",
    "shrcd": "smallint",
    "exchcd": "smallint",
    "siccd": "integer",
    "ncusip": "varchar(8)",
    "ticker": "varchar(8)",
    "comnam": "varchar(40)",
    "shrcls": "varchar(1)",
    "tsymbol": "varchar(10)",
    "naics": "varchar(7)",
    "primexch": "varchar(1)",
    "trdstat": "varchar(1)",
    "secstat": "varchar(1)",
    "permco": "integer",
}


def relation_frame(market: Market) -> pl.DataFrame:
    """One row per span of a security that began on the format's last day or before, ordered by security and time."""
    universe, eras = market.universe, market.eras
    since, day = beginnings(market), dt.timedelta(days=1)
    starts: list[dt.date] = []
    ends: list[dt.date] = []
    whose: list[int] = eras.who.tolist()
    begins: list[int] = eras.start.tolist()
    for row, (security, start) in enumerate(zip(whose, begins, strict=True)):
        first = row == 0 or eras.who[row - 1] != security
        starts.append(since[security] if first else market.sessions[start])
        last = row + 1 == len(eras.who) or eras.who[row + 1] != security
        final = int(universe.last[security])
        gone = final - (final < len(market.sessions) - 1)
        end = market.sessions[gone] if last else market.sessions[int(eras.start[row + 1])] - day
        ends.append(min(end, LAST_DAY))
    era = np.flatnonzero(np.array([start <= LAST_DAY for start in starts]))
    who = eras.who[era]
    issued = picked(eras.conditional, era) == "NW"
    share_code = pl.Series([SHARE_CODES[kind] for kind in universe.issuer_type])
    ticker = picked(eras.ticker, era)
    roles = universe.roles[who]
    return in_order(
        {
            "permno": universe.permno[who],
            "namedt": [starts[at] for at in era.tolist()],
            "nameendt": [ends[at] for at in era.tolist()],
            "shrcd": share_code.gather(who),
            "exchcd": exchange_codes(eras.exchange, era) + issued.cast(pl.Int64) * WHEN_ISSUED,
            "siccd": universe.siccd[who],
            "ncusip": picked(eras.cusip, era),
            "ticker": ticker,
            "comnam": picked(eras.issuer, era),
            "shrcls": picked(
                ("A", "B"), np.select([roles == Role.FIRST_CLASS, roles == Role.SECOND_CLASS], [0, 1], -1)
            ),
            "tsymbol": ticker,
            "naics": [SECTORS[code].naics for code in universe.siccd[who].tolist()],
            "primexch": picked(eras.exchange, era),
            "trdstat": "A",
            "secstat": picked(("R", "W"), issued.cast(pl.Int64).to_numpy()),
            "permco": universe.permco[who],
        },
        COLUMN_TYPES,
    )
