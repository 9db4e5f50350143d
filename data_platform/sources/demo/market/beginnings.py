"""Since when a security was listed: for those that the simulation finds listed, a day of the years before it."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.sources.demo.market.simulation import Market

_LONGEST: Final = 8000
"""Days before the first session, about twenty years."""


def beginnings(market: Market) -> list[dt.date]:
    """The first day of each security's listing, by its place in the universe; both classes of a share on one day."""
    universe, opened = market.universe, market.sessions[0]
    found: list[dt.date] = []
    firsts: list[int] = universe.first.tolist()
    for first, primary in zip(firsts, universe.primary.tolist(), strict=True):
        before = dt.timedelta(days=30 + primary * 7919 % _LONGEST)
        found.append(market.sessions[first] if first else opened - before)
    return found
