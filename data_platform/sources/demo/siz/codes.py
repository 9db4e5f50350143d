"""How the SIZ format writes what the market knows: exchanges, share codes, missing returns, and its last day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Flags, Floats, Ints

LAST_DAY: Final = dt.date(2024, 12, 31)
"""Of the format; it was discontinued with the release of December 2024."""

EXCHANGES: Final = {"N": 1, "A": 2, "Q": 3}
SHARE_CODES: Final = {"ACOR": 10, "CORP": 11}
WHEN_ISSUED: Final = 30
"""Added to an exchange's number while a security trades when issued there."""

_NEW: Final = -66.0
_MISSING: Final = (-99.0, -44.0, -55.0, -66.0, -77.0, -88.0, np.nan)


def stored_days(market: Market) -> Flags:
    """Which of the stored sessions the format still covers."""
    return np.array([day <= LAST_DAY for day in market.stored], dtype=np.bool_)


def traded_rows(market: Market, block: slice) -> Flags:
    """Where the block has rows: the listed sessions, up to a security's last trade and the format's last day."""
    listed = market.listed[block, market.opening :] & stored_days(market)
    session = np.arange(len(market.stored)) + market.opening
    last = market.universe.last[block, None]
    return listed & ~((session == last) & (last < len(market.sessions) - 1))


def coded(returns: Floats, new: Flags, block: slice) -> Floats:
    """Missing returns as codes, which take turns; one in seven is null instead, which is NaN here.

    Arrays have one row per security of the block.
    """
    ordinal = np.cumsum(np.isnan(returns), axis=1)
    who: Ints = np.arange(block.start, block.stop, dtype=np.int64)
    turn = (ordinal + who[:, None]) % len(_MISSING)
    code = np.where(new, _NEW, np.array(_MISSING)[turn])
    return np.where(np.isnan(returns), code, returns)


def signed(price: Floats, traded: Flags) -> Floats:
    """Negative for a midpoint, 0 for no price."""
    return np.nan_to_num(np.where(traded, price, -price))


def exchange_codes(exchange: Sequence[str], index: Ints) -> pl.Series:
    """The exchange's number for each index into the names."""
    return pl.Series([EXCHANGES[name] for name in exchange]).gather(index)
