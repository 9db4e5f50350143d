"""All that the relations are made from, so that they agree: one market, its companies' books, its printed factors."""

from __future__ import annotations

from dataclasses import dataclass

from data_platform.sources.demo.compustat.statements import Statements, statements_of
from data_platform.sources.demo.library.published import PublishedFactors, published_factors
from data_platform.sources.demo.market.simulation import Market, simulate


@dataclass(frozen=True, slots=True)
class World:
    """A market as one vintage of the source tells it."""

    market: Market
    vintage: int
    statements: Statements
    factors: PublishedFactors


def world_of(seed: int, years: tuple[int, int], securities: int, vintage: int = 1) -> World:
    """Generate everything; of two vintages the market is the same."""
    market = simulate(seed, *years, securities)
    return World(market, vintage, statements_of(market, vintage), published_factors(market))
