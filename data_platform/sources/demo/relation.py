"""The demo's `crsp.dsf_v2`: WRDS's column names and Postgres types, filled from the market.

Besides what we extract it has further columns of the real table, because a query that names its columns must not
care about the others.
"""

from __future__ import annotations

from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.market import Market
from data_platform.sources.demo.universe import Floats, Ints

SCHEMA: Final = "crsp"
TABLE: Final = "dsf_v2"

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
    "yyyymmdd": "integer",
    "sharetype": "varchar(4)",
    "securitytype": "varchar(4)",
    "securitysubtype": "varchar(4)",
    "usincflg": "varchar(1)",
    "issuertype": "varchar(4)",
    "primaryexch": "varchar(1)",
    "conditionaltype": "varchar(2)",
    "tradingstatusflg": "varchar(1)",
    "dlycaldt": "date",
    "dlydelflg": "varchar(1)",
    "dlyprc": _PRICE,
    "dlyprcflg": "varchar(2)",
    "dlycap": _AMOUNT,
    "dlyprevprc": _PRICE,
    "dlyprevprcflg": "varchar(2)",
    "dlyprevdt": "date",
    "dlyprevcap": _AMOUNT,
    "dlyret": _RETURN,
    "dlyretx": _RETURN,
    "dlyreti": _RETURN,
    "dlyretmissflg": "varchar(2)",
    "dlyretdurflg": "varchar(4)",
    "dlyorddivamt": _PRICE,
    "dlynonorddivamt": _PRICE,
    "dlyfacprc": _FACTOR,
    "dlydistretflg": "varchar(2)",
    "dlyvol": "numeric(18,0)",
    "dlyclose": _PRICE,
    "dlylow": _PRICE,
    "dlyhigh": _PRICE,
    "dlybid": _PRICE,
    "dlyask": _PRICE,
    "dlyopen": _PRICE,
    "dlynumtrd": "integer",
    "dlymmcnt": "integer",
    "dlyprcvol": _AMOUNT,
    "shrout": "integer",
    "dlycumfacpr": _FACTOR,
    "dlycumfacshr": _FACTOR,
    "cusip": "varchar(8)",
    "ticker": "varchar(8)",
    "exchangetier": "varchar(3)",
}


def relation_frame(market: Market, seed: int) -> pl.DataFrame:
    """One row per security and stored session, ordered by both, with exactly the columns of `COLUMN_TYPES`.

    Missing is null. Quotes and volume have their own stream of random numbers, drawn from the same seed.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    stored = market.listed & (np.arange(len(market.sessions)) >= market.opening)
    who, when = np.nonzero(stored)
    columns = _identity(market, who, when) | _prices(market, who, when) | _trading(market, rng, who, when)
    return pl.DataFrame([columns[name].alias(name) for name in COLUMN_TYPES])


def _identity(market: Market, who: Ints, when: Ints) -> dict[str, pl.Series]:
    universe = market.universe
    dates = pl.Series(market.sessions, dtype=pl.Date)[when]
    exchange = pl.Series(universe.exchange)[who]
    cusip = pl.Series(universe.cusip)[who]
    nasdaq = exchange == "Q"
    constants = {
        "sharetype": "NS",
        "securitytype": "EQTY",
        "securitysubtype": "COM",
        "usincflg": "Y",
        "conditionaltype": "RW",
        "tradingstatusflg": "A",
    }
    delisted = (when == universe.last[who]) & (when < len(market.sessions) - 1)
    return {
        "permno": pl.Series(universe.permno[who]),
        "permco": pl.Series(universe.permco[who]),
        "siccd": pl.Series(universe.siccd[who]),
        "cusip": cusip,
        "hdrcusip": cusip,
        "ticker": pl.Series(universe.ticker)[who],
        "issuertype": pl.Series(universe.issuer_type)[who],
        "primaryexch": exchange,
        "exchangetier": _when(nasdaq, pl.Series(["SC"] * len(who))),
        "nasdissuno": _when(nasdaq, pl.Series(70001 + who)),
        "dlymmcnt": _when(nasdaq, pl.Series(5 + who % 30)),
        "dlycaldt": dates,
        "yyyymmdd": dates.dt.strftime("%Y%m%d").cast(pl.Int64),
        "dlydelflg": pl.Series(np.where(delisted, "Y", "N").tolist()),
        **{name: pl.Series([value] * len(who)) for name, value in constants.items()},
    }


def _prices(market: Market, who: Ints, when: Ints) -> dict[str, pl.Series]:
    previous = market.previous[who, when]
    has_previous = pl.Series(previous >= 0)
    before = np.maximum(previous, 0)
    flags = np.where(np.isnan(market.price), "MP", np.where(market.traded, "TR", "BA"))
    cap = np.round(market.price * market.shares, 2)
    ret, retx = market.ret[who, when], market.retx[who, when]
    dividend, split = market.dividend[who, when], market.split[who, when]
    # The factor that turns a price into one of the last session's shares: the splits still to come.
    ahead = np.cumprod(market.split[:, ::-1], axis=1)[:, ::-1] / market.split
    missing = np.where(~has_previous.to_numpy(), "NS", np.where(np.isnan(ret), "MP", ""))
    gap = pl.Series([f"D{days}" for days in (when - previous).tolist()])
    factor = pl.Series(ahead[who, when])
    return {
        "dlyprc": _number(market.price[who, when]),
        "dlyprcflg": pl.Series(flags[who, when].tolist()),
        "dlycap": _number(cap[who, when]),
        "dlyprevprc": _when(has_previous, _number(market.price[who, before])),
        "dlyprevprcflg": _when(has_previous, pl.Series(flags[who, before].tolist())),
        "dlyprevdt": _when(has_previous, pl.Series(market.sessions, dtype=pl.Date)[before]),
        "dlyprevcap": _when(has_previous, _number(cap[who, before])),
        "dlyret": _number(ret),
        "dlyretx": _number(retx),
        "dlyreti": _number(np.round(ret - retx, 6)),
        "dlyretmissflg": _when(pl.Series(missing != ""), pl.Series(missing.tolist())),
        "dlyretdurflg": _when(has_previous, gap),
        "dlyorddivamt": _number(dividend),
        "dlynonorddivamt": _number(np.zeros(len(who))),
        "dlyfacprc": _number(split),
        "dlydistretflg": pl.Series(np.where(dividend > 0, "C1", np.where(split > 1, "S1", "NO")).tolist()),
        "dlycumfacpr": factor,
        "dlycumfacshr": factor,
        "shrout": pl.Series(market.shares[who, when]),
    }


def _trading(market: Market, rng: np.random.Generator, who: Ints, when: Ints) -> dict[str, pl.Series]:
    price = market.price[who, when]
    traded = market.traded[who, when] & ~np.isnan(price)
    opening = np.maximum(np.round(price * (1 + rng.normal(0, 0.006, len(who))), 2), 0.01)
    high = np.round(np.maximum(opening, price) * (1 + np.abs(rng.normal(0, 0.004, len(who)))), 2)
    low = np.maximum(np.round(np.minimum(opening, price) * (1 - np.abs(rng.normal(0, 0.004, len(who)))), 2), 0.01)
    spread = np.maximum(np.round(price * 0.0005, 2), 0.01)
    bid, ask = np.round(price - spread, 2), np.round(price + spread, 2)
    turnover = np.exp(rng.normal(-5.3, 0.6, len(who)))
    volume = np.where(traded, np.maximum(np.round(market.shares[who, when] * 1000 * turnover), 100), 0)
    trades = pl.Series((volume // 180).astype(np.int64) + traded)
    priced = pl.Series(~np.isnan(price))
    return {
        "dlyvol": _when(priced, pl.Series(volume.astype(np.int64))),
        "dlyprcvol": _number(np.round(price * volume, 2)),
        "dlynumtrd": _when(priced, trades),
        "dlyclose": _number(np.where(traded, price, np.nan)),
        "dlyopen": _number(np.where(traded, opening, np.nan)),
        "dlyhigh": _number(np.where(traded, high, ask)),
        "dlylow": _number(np.where(traded, low, bid)),
        "dlybid": _number(bid),
        "dlyask": _number(ask),
    }


def _number(values: Floats) -> pl.Series:
    return pl.Series(values, nan_to_null=True)


def _when(condition: pl.Series, values: pl.Series) -> pl.Series:
    """The values where the condition holds, else null."""
    return pl.select(pl.when(condition).then(values)).to_series()
