"""The demo's `crsp.stkdistributions`: dividends and splits of the stored sessions, one row per event.

It agrees with the amounts and factors of `crsp.dsf_v2`: `dlyfacprc` is 1 + `disfacpr`. A split has no amount, which is
null and not 0. Where an ordinary and a special dividend share an ex-date, `disseqnbr` tells them apart.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import days, in_order, number, picked
from data_platform.sources.demo.market.simulation import Market

_PRICE: Final = "numeric(18,6)"
_FACTOR: Final = "numeric(14,6)"

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "permno": "integer",
    "disexdt": "date",
    "disseqnbr": "integer",
    "disordinaryflg": "varchar(1)",
    "distype": "varchar(4)",
    "disfreqtype": "varchar(2)",
    "dispaymenttype": "varchar(4)",
    "disdetailtype": "varchar(6)",
    "distaxtype": "varchar(4)",
    "disorigcurtype": "varchar(4)",
    "disdivamt": _PRICE,
    "disfacpr": _FACTOR,
    "disfacshr": _FACTOR,
    "disdeclaredt": "date",
    "disrecorddt": "date",
    "dispaydt": "date",
    "dispermno": "integer",
    "dispermco": "integer",
    "disamountsourcetype": "varchar(4)",
}


def relation_frame(market: Market) -> pl.DataFrame:
    """One row per distribution, ordered by security, ex-date and number; kinds: ordinary, special, split."""
    stored = slice(market.opening, None)
    found = [
        np.nonzero(happened)
        for happened in (market.dividend[:, stored] > 0, market.special[:, stored] > 0, market.split[:, stored] > 1)
    ]
    kind = np.repeat(np.arange(3), [len(who) for who, _ in found])
    who = np.concatenate([rows for rows, _ in found])
    at = np.concatenate([columns for _, columns in found]) + market.opening
    order = np.lexsort([kind, at, who])
    kind, who, at = kind[order], who[order], at[order]
    again = np.append([False], (who[1:] == who[:-1]) & (at[1:] == at[:-1]))
    amount = np.select([kind == 0, kind == 1], [market.dividend[who, at], market.special[who, at]], np.nan)
    factor = market.split[who, at] - 1
    split = kind == 2  # noqa: PLR2004 - the third kind
    ex_dates = days(market.sessions, at)
    return in_order(
        {
            "permno": market.universe.permno[who],
            "disexdt": ex_dates,
            "disseqnbr": 1 + again.astype(np.int64),
            "disordinaryflg": picked(("Y", "N", "N"), kind),
            "distype": picked(("CD", "SD", "FRS"), kind),
            "disfreqtype": picked(("Q", "X", "X"), kind),
            "dispaymenttype": picked(("USD", "USD", "SS"), kind),
            "disdetailtype": picked(("CDIV", "CDIV", "STKSPL"), kind),
            "distaxtype": picked(("D", "D", "N"), kind),
            "disorigcurtype": picked(("USD", "USD", None), kind),
            "disdivamt": number(amount),
            "disfacpr": np.where(split, factor, 0.0),
            "disfacshr": np.where(split, factor, 0.0),
            "disdeclaredt": ex_dates - dt.timedelta(days=21),
            "disrecorddt": ex_dates + dt.timedelta(days=1),
            "dispaydt": ex_dates + dt.timedelta(days=15),
            "dispermno": None,
            "dispermco": None,
            "disamountsourcetype": "SYN",
        },
        COLUMN_TYPES,
    )
