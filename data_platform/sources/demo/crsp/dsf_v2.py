"""The demo's `crsp.dsf_v2`: WRDS's column names, order and Postgres types, filled from the market.

The last row of a delisted security (`dlydelflg` Y) is the session after its last trade: `dlyprc` is what holders got
per share, `dlyret` is the delisting return, nothing traded and there is no ticker any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import Values, days, in_order, number, picked, when
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.trading import blocks, trading
from data_platform.sources.demo.market.universe import Flags, Floats, Ints
from data_platform.sources.demo.vintages import restated_days

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
    "dlycapflg": "varchar(2)",
    "dlyprevprc": _PRICE,
    "dlyprevprcflg": "varchar(2)",
    "dlyprevdt": "date",
    "dlyprevcap": _AMOUNT,
    "dlyprevcapflg": "varchar(2)",
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
    "dlycumfacpr": _FACTOR,
    "dlycumfacshr": _FACTOR,
    "cusip": "varchar(8)",
    "ticker": "varchar(8)",
    "exchangetier": "varchar(3)",
    "shrout": "integer",
}

COMMON: Final = {
    "sharetype": "NS",
    "securitytype": "EQTY",
    "securitysubtype": "COM",
    "usincflg": "Y",
}
"""Every security of the market is common stock of a company incorporated in the United States."""

TIERS: Final = ("GS", "GM", "SC")
"""NASDAQ's, from the highest down."""


def relation_frames(market: Market, vintage: int = 1) -> Iterator[pl.DataFrame]:
    """One row per security and stored session, ordered by both, some hundred thousand at a time."""
    for block in blocks(market):
        frame = _block_frame(market, block)
        yield _restated(market, block, frame) if vintage > 1 else frame


def relation_frame(market: Market) -> pl.DataFrame:
    """All rows at once, for a market that is small enough."""
    return pl.concat(relation_frames(market))


def rows(market: Market) -> int:
    """How many there are."""
    return int(market.listed[:, market.opening :].sum())


def _block_frame(market: Market, block: slice) -> pl.DataFrame:
    inside, at = np.nonzero(market.listed[block, market.opening :])
    who, when_ = inside + block.start, at + market.opening
    columns: dict[str, Values] = {**_identity(market, who, when_), **_prices(market, who, when_)}
    return in_order(columns | _trading(market, block, inside, at), COLUMN_TYPES)


def _identity(market: Market, who: Ints, session: Ints) -> dict[str, Values]:
    dates = days(market.sessions, session)
    return {
        **identity(market, who, session),
        "dlymmcnt": when(on_nasdaq(market, who, session), pl.Series(5 + who % 30)),
        "dlycaldt": dates,
        "yyyymmdd": dates.dt.strftime("%Y%m%d").cast(pl.Int64),
        "dlydelflg": picked(("N", "Y"), leaving(market, who, session).astype(np.int64)),
    }


def identity(market: Market, who: Ints, session: Ints) -> dict[str, Values]:
    """What daily and monthly rows say alike of a security on a session: what it is and where it trades."""
    universe, eras = market.universe, market.eras
    era = eras.at(who, session)
    header = eras.last_of(len(universe.permno))
    nasdaq = on_nasdaq(market, who, session)
    gone = leaving(market, who, session)
    return {
        **COMMON,
        "permno": universe.permno[who],
        "permco": universe.permco[who],
        "siccd": universe.siccd[who],
        "cusip": picked(eras.cusip, era),
        "hdrcusip": picked(eras.cusip, header[who]),
        "ticker": when(~gone, picked(eras.ticker, era)),
        "issuertype": picked(universe.issuer_type, who),
        "primaryexch": picked(eras.exchange, era),
        "conditionaltype": picked(eras.conditional, era),
        "tradingstatusflg": picked(("A", "D"), gone.astype(np.int64)),
        "exchangetier": when(nasdaq, picked(TIERS, who % len(TIERS))),
        "nasdissuno": when(nasdaq, pl.Series(70001 + who)),
    }


def on_nasdaq(market: Market, who: Ints, session: Ints) -> pl.Series:
    """Whether the security trades there on that session."""
    return picked(market.eras.exchange, market.eras.at(who, session)) == "Q"


def leaving(market: Market, who: Ints, session: Ints) -> Flags:
    """Whether the row is the one of a delisting: the security's last, and not the market's."""
    return (session == market.universe.last[who]) & (session < len(market.sessions) - 1)


def _prices(market: Market, who: Ints, session: Ints) -> dict[str, Values]:
    previous = market.previous[who, session]
    before = np.maximum(previous, 0)
    has_previous = previous >= 0
    price, prior = market.price[who, session], np.where(has_previous, market.price[who, before], np.nan)
    prior_cap = np.round(prior * market.shares[who, before].astype(np.float64), 2)
    gone = leaving(market, who, session)
    flag = price_flags(price, market.traded[who, session], gone)
    prior_flag = when(has_previous, price_flags(prior, market.traded[who, before], np.zeros(len(who), dtype=np.bool_)))
    ret, retx = market.ret[who, session], market.retx[who, session]
    dividend, special = market.dividend[who, session], market.special[who, session]
    split = market.split[who, session]
    reason = np.select([~has_previous, np.isnan(ret) & gone, np.isnan(ret)], [0, 1, 2], -1)
    factor = factors_ahead(market, who, session)
    return {
        "dlyprc": number(price),
        "dlyprcflg": flag,
        "dlycap": number(np.round(price * market.shares[who, session], 2)),
        "dlycapflg": flag,
        "dlyprevprc": number(prior),
        "dlyprevprcflg": prior_flag,
        "dlyprevdt": days(market.sessions, previous),
        "dlyprevcap": number(prior_cap),
        "dlyprevcapflg": prior_flag,
        "dlyret": number(ret),
        "dlyretx": number(retx),
        "dlyreti": number(np.round(ret - retx, 6)),
        "dlyretmissflg": picked(("NS", "DM", "MP"), reason),
        "dlyretdurflg": when(has_previous, "D" + pl.Series(session - previous).cast(pl.String)),
        "dlyorddivamt": dividend,
        "dlynonorddivamt": special,
        "dlyfacprc": split,
        "dlydistretflg": picked(
            ("NO", "C1", "C2", "S1"), np.select([special > 0, dividend > 0, split > 1], [2, 1, 3], 0)
        ),
        "dlycumfacpr": factor,
        "dlycumfacshr": factor,
        "shrout": market.shares[who, session],
    }


def price_flags(price: Floats, traded: Flags, gone: Flags) -> pl.Series:
    """TR a trade, BA a bid/ask midpoint, DA a delisting amount, MP none."""
    return picked(("MP", "DA", "TR", "BA"), np.select([np.isnan(price), gone, traded], [0, 1, 2], 3))


def factors_ahead(market: Market, who: Ints, session: Ints) -> Floats:
    """What turns a price into one of the last session's shares: the splits still to come."""
    rows_of, position = np.unique(who, return_inverse=True)
    split = market.split[rows_of]
    ahead = np.cumprod(split[:, ::-1], axis=1)[:, ::-1] / split
    return ahead[position, session]


def _trading(market: Market, block: slice, inside: Ints, at: Ints) -> dict[str, Values]:
    day = trading(market, block)
    price = market.price[block, market.opening :][inside, at]
    happened = market.traded[block, market.opening :][inside, at]
    volume = day.volume[inside, at]
    priced = ~np.isnan(volume)
    return {
        "dlyvol": when(priced, pl.Series(np.nan_to_num(volume).astype(np.int64))),
        "dlyprcvol": number(np.round(price * volume, 2)),
        "dlynumtrd": when(priced, pl.Series(day.trades[inside, at])),
        "dlyclose": number(np.where(happened, price, np.nan)),
        "dlyopen": number(day.opened[inside, at]),
        "dlyhigh": number(day.high[inside, at]),
        "dlylow": number(day.low[inside, at]),
        "dlybid": number(day.bid[inside, at]),
        "dlyask": number(day.ask[inside, at]),
    }


def _restated(market: Market, block: slice, frame: pl.DataFrame) -> pl.DataFrame:
    """The second vintage's rows: some days have another high, and trades that the first one had missed."""
    for who, session in restated_days(market):
        if block.start <= who < block.stop:
            here = (pl.col("permno") == int(market.universe.permno[who])) & (
                pl.col("dlycaldt") == market.sessions[session]
            )
            frame = frame.with_columns(
                pl.when(here).then((pl.col("dlyhigh") + 0.25).round(2)).otherwise("dlyhigh").alias("dlyhigh"),
                pl.when(here).then(pl.col("dlynumtrd") + 7).otherwise("dlynumtrd").alias("dlynumtrd"),
            )
    return frame
