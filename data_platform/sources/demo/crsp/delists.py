"""The demo's `crsp.stkdelists`: why and with which return securities left; active ones are not in it.

`delistingdt` is the day of the last trade, `deldlydt` the session after it, on which `crsp.dsf_v2` holds the delisting
return. `delret` is null with a `delretmisstype` where it could not be established.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import days, in_order, number, picked, when
from data_platform.sources.demo.crsp.dsf_v2 import price_flags
from data_platform.sources.demo.market.leaving import Reason
from data_platform.sources.demo.market.simulation import Market

_PRICE: Final = "numeric(18,6)"

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "permno": "integer",
    "delistingdt": "date",
    "deldtprc": _PRICE,
    "deldtprcflg": "varchar(2)",
    "delactiontype": "varchar(4)",
    "delstatustype": "varchar(4)",
    "delreasontype": "varchar(4)",
    "delpaymenttype": "varchar(4)",
    "delpermno": "integer",
    "delpermco": "integer",
    "delret": "numeric(12,6)",
    "delretmisstype": "varchar(2)",
    "delnextdt": "date",
    "delnextprc": _PRICE,
    "delnextprcflg": "varchar(2)",
    "delamtdt": "date",
    "deldivamt": _PRICE,
    "deldistype": "varchar(4)",
    "deldlydt": "date",
}


@dataclass(frozen=True, slots=True)
class Codes:
    """CRSP's codes for each `Reason`, in its order."""

    action: tuple[str, ...] = ("MER", "GEX", "GLI", "GDR")
    status: tuple[str, ...] = ("VCL", "VCL", "VCL", "UNAV")
    reason: tuple[str, ...] = ("UNAV", "CORQ", "CORQ", "BKPY")
    payment: tuple[str, ...] = ("CASH", "OS", "CASH", "UNAV")


CODES: Final = Codes()


def relation_frame(market: Market) -> pl.DataFrame:
    """One row per delisted security."""
    universe, leaving = market.universe, market.leaving
    who, last = leaving.who, universe.last[leaving.who]
    price, amount = market.price[who, last - 1], market.price[who, last]
    nothing = np.zeros(len(who), dtype=np.bool_)
    received = leaving.successor >= 0
    heir = np.maximum(leaving.successor, 0)
    paid = np.isin(leaving.reason, (Reason.MERGED, Reason.LIQUIDATED))
    # Who was dropped went on trading over the counter; a price was found there where the return is known.
    over_the_counter = (leaving.reason == Reason.DROPPED) & leaving.known
    return in_order(
        {
            "permno": universe.permno[who],
            "delistingdt": days(market.sessions, last - 1),
            "deldtprc": number(price),
            "deldtprcflg": price_flags(price, market.traded[who, last - 1], nothing),
            "delactiontype": picked(CODES.action, leaving.reason),
            "delstatustype": picked(CODES.status, leaving.reason),
            "delreasontype": picked(CODES.reason, leaving.reason),
            "delpaymenttype": picked(CODES.payment, leaving.reason),
            "delpermno": when(received, pl.Series(universe.permno[heir])),
            "delpermco": when(received, pl.Series(universe.permco[heir])),
            "delret": number(market.ret[who, last]),
            "delretmisstype": picked(("DM",), np.where(leaving.known, -1, 0)),
            "delnextdt": when(over_the_counter, days(market.sessions, last)),
            "delnextprc": number(np.where(over_the_counter, amount, np.nan)),
            "delnextprcflg": picked(("BA",), np.where(over_the_counter, 0, -1)),
            "delamtdt": when(~np.isnan(amount), days(market.sessions, last)),
            "deldivamt": number(np.where(paid, amount, np.nan)),
            "deldistype": picked(("CP",), np.where(paid, 0, -1)),
            "deldlydt": days(market.sessions, last),
        },
        COLUMN_TYPES,
    )
