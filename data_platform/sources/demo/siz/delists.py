"""The demo's `crsp.dsedelist`: delistings in the SIZ format, where active securities have a row with `dlstcd` 100.

`dlstdt` is the day of the last trade and `dlpdt` that of the payment or price after it. `dlret` is null where nobody
could establish it, which happens to securities dropped for poor performance only.
"""

from __future__ import annotations

from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import days, in_order, number, when
from data_platform.sources.demo.market.leaving import Reason
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.siz.codes import stored_days

_PRICE: Final = "numeric(11,5)"
_RETURN: Final = "numeric(11,6)"

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "permno": "integer",
    "dlstdt": "date",
    "dlstcd": "smallint",
    "nwperm": "integer",
    "nwcomp": "integer",
    "nextdt": "date",
    "dlamt": _PRICE,
    "dlretx": _RETURN,
    "dlprc": _PRICE,
    "dlpdt": "date",
    "dlret": _RETURN,
    "permco": "integer",
}

_ACTIVE: Final = 100
_CODES: Final = {Reason.MERGED: 233, Reason.EXCHANGED: 331, Reason.LIQUIDATED: 470}
_DROPPED: Final = (574, 560, 584, 500)
"""Bankrupt; too little capital; against the exchange's rules; reason unavailable."""


def relation_frame(market: Market) -> pl.DataFrame:
    """One row per security that was listed while the format lasted."""
    universe, leaving = market.universe, market.leaving
    final = market.opening + int(stored_days(market).sum()) - 1
    who = np.flatnonzero(universe.first <= final)
    reason, heir = np.full(len(universe.permno), -1), np.full(len(universe.permno), -1)
    reason[leaving.who], heir[leaving.who] = leaving.reason, leaving.successor
    last = universe.last[who]
    gone = (reason[who] >= 0) & (last - 1 <= final)
    dropped = np.array(_DROPPED)[who % len(_DROPPED)]
    known = [reason[who] == kind for kind in _CODES]
    code = np.where(gone, np.select(known, list(_CODES.values()), dropped), _ACTIVE)
    received = gone & (heir[who] >= 0)
    successor = np.maximum(heir[who], 0)
    ret = np.where(gone, market.ret[who, last], np.nan)
    amount = np.where(gone, market.price[who, last], np.nan)
    return in_order(
        {
            "permno": universe.permno[who],
            "dlstdt": days(market.sessions, np.where(gone, last - 1, np.minimum(last, final))),
            "dlstcd": code,
            "nwperm": np.where(received, universe.permno[successor], 0),
            "nwcomp": np.where(received, universe.permco[successor], 0),
            "nextdt": when(np.zeros(len(who), dtype=np.bool_), days(market.sessions, last)),
            "dlamt": number(amount),
            "dlretx": number(ret),
            "dlprc": number(amount),
            "dlpdt": when(gone & ~np.isnan(amount), days(market.sessions, last)),
            "dlret": number(ret),
            "permco": universe.permco[who],
        },
        COLUMN_TYPES,
    )
