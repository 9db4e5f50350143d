"""Quotes, ranges and volume of a block of securities, the same whichever relation asks and in whichever block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Flags, Floats, Ints

_CELLS: Final = 250_000
"""Securities times sessions in one block: what is in memory at a time."""


@dataclass(frozen=True, slots=True)
class Trading:
    """One row per security of the block, one column per stored session; NaN where there is no price.

    `volume` is in shares, 0 without a trade; `low` and `high` are the quotes on a day without one.
    """

    opened: Floats
    high: Floats
    low: Floats
    bid: Floats
    ask: Floats
    volume: Floats
    trades: Ints


def blocks(market: Market) -> Iterator[slice]:
    """Consecutive securities, as many as a frame of some hundred thousand rows has room for."""
    size = max(_CELLS // len(market.stored), 1)
    for start in range(0, len(market.universe.permno), size):
        yield slice(start, min(start + size, len(market.universe.permno)))


def trading(market: Market, block: slice) -> Trading:
    """Draw what happened within the days; each security has a stream of random numbers of its own."""
    days = slice(market.opening, None)
    price: Floats = market.price[block, days]
    start, above, below, busy = _draws(market, block)
    happened = market.traded[block, days] & ~np.isnan(price)
    opened: Floats = np.maximum(np.round(price * (1 + 0.006 * start), 2), 0.01)
    high: Floats = np.round(np.maximum(opened, price) * (1 + 0.004 * np.abs(above)), 2)
    low = np.maximum(np.round(np.minimum(opened, price) * (1 - 0.004 * np.abs(below)), 2), 0.01)
    spread = np.maximum(np.round(price * 0.0005, 2), 0.01)
    bid, ask = np.round(price - spread, 2), np.round(price + spread, 2)
    turnover = np.exp(-5.3 + 0.6 * busy)
    volume = np.where(happened, np.maximum(np.round(market.shares[block, days] * 1000 * turnover), 100), 0.0)
    session: Ints = np.arange(len(market.stored), dtype=np.int64) + market.opening
    gone: Flags = ~market.traded[block, days] & (session == market.universe.last[block, None])
    absent: Flags = np.isnan(price) | gone
    return Trading(
        opened=np.where(happened, opened, np.nan),
        high=np.where(absent, np.nan, np.where(happened, high, ask)),
        low=np.where(absent, np.nan, np.where(happened, low, bid)),
        bid=np.where(absent, np.nan, bid),
        ask=np.where(absent, np.nan, ask),
        volume=np.where(absent, np.nan, volume),
        trades=(volume // 180).astype(np.int64) + happened,
    )


def _draws(market: Market, block: slice) -> tuple[Floats, Floats, Floats, Floats]:
    """Four standard normal numbers per security and stored session."""
    size = (4, len(market.stored))
    streams = [np.random.Generator(np.random.PCG64([market.seed, 1, who])) for who in range(block.start, block.stop)]
    drawn = np.stack([stream.normal(size=size) for stream in streams], axis=1)
    return drawn[0], drawn[1], drawn[2], drawn[3]
