"""Who is in the synthetic market: invented securities with invented identities, listed and delisted on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from data_platform.sources.demo.market.roles import FEWEST, Role, roles_of
from data_platform.sources.demo.market.sectors import FINANCIAL, SECTORS

FIRST_PERMNO: Final = 97001
"""CRSP's own numbers end well below; nothing here can be mistaken for a real security."""

LISTED_LATER: Final = 0.18
DELISTED: Final = 0.18
MIN_LIFE: Final = 60
"""Sessions that a security lives at least, so that each has a history worth plotting."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_EXCHANGES: Final = ("N", "A", "Q")
_DONOR_LEAVES: Final = 0.35
_PREDECESSOR_LEAVES: Final = 0.5
_SECOND_CLASS_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Universe:
    """Parallel arrays, one entry per security.

    `first` and `last` are session indices, inclusive. A security with `last` before the final session was delisted:
    it traded until the session before, and `last` is the day of its delisting return. `company` counts companies from
    0, `primary` is the index of the company's first security. `loadings` has one row per security: market, size,
    value, momentum, profitability, investment. `volatility` is the daily standard deviation of what the factors leave
    unexplained. `shares` is in thousands.
    """

    permno: Ints
    company: Ints
    primary: Ints
    siccd: Ints
    exchange: list[str]
    issuer_type: list[str]
    first: Ints
    last: Ints
    loadings: Floats
    volatility: Floats
    price: Floats
    shares: Ints
    pays_dividends: Flags
    roles: npt.NDArray[np.int64]

    @property
    def permco(self) -> Ints:
        """CRSP's number of each security's company."""
        return 61001 + self.company

    def having(self, role: Role) -> Ints:
        """Indices of the securities that play this role, ascending."""
        return np.flatnonzero(self.roles == role)


def draw_universe(rng: np.random.Generator, count: int, sessions: int, opening: int) -> Universe:
    """Draw `count` securities over `sessions` sessions, of which those before `opening` are history only.

    Whoever is listed later or delisted is so inside the part that will be stored.
    """
    if count < FEWEST:
        raise ValueError(f"a market has at least {FEWEST} securities, so that every special case has a place in it")
    roles = roles_of(count)
    first, last = _lives(rng, roles, sessions, opening)
    shadows = np.isin(roles, (Role.SECOND_CLASS, Role.SUCCESSOR))
    index = np.arange(count, dtype=np.int64)
    # A second class or a successor is the security before it in another form: company and characteristics are its.
    primary = index - shadows
    characteristics = rng.normal(size=(count, 5))
    market_beta = rng.normal(1.0, 0.25, size=count)
    sic = rng.choice(list(SECTORS), size=count).astype(np.int64)
    sic[roles == Role.FINANCIAL] = rng.choice(FINANCIAL, size=int((roles == Role.FINANCIAL).sum()))
    exchange = rng.choice(_EXCHANGES, size=count, p=(0.45, 0.05, 0.5))
    exchange[roles == Role.CHANGES_EXCHANGE] = "Q"
    issuer = rng.choice(("CORP", "ACOR"), size=count, p=(0.95, 0.05))
    price = np.round(np.exp(rng.normal(3.6, 0.6, size=count)), 2).astype(np.float64)
    shares = np.round(np.exp(10.6 - 0.9 * characteristics[:, 0] + rng.normal(0, 0.3, size=count)))
    shares = shares[primary] * np.where(roles == Role.SECOND_CLASS, _SECOND_CLASS_SHARE, 1.0)
    pays = (rng.random(count) < 0.5) | (roles == Role.SPECIAL_DIVIDENDS)  # noqa: PLR2004 - half of them
    return Universe(
        permno=FIRST_PERMNO + 7 * index,
        company=np.cumsum(~shadows) - 1,
        primary=primary,
        siccd=sic[primary],
        exchange=[str(name) for name in exchange[primary]],
        issuer_type=[str(name) for name in issuer[primary]],
        first=first,
        last=last,
        loadings=np.column_stack([market_beta, 0.5 * characteristics])[primary],
        volatility=rng.uniform(0.010, 0.030, size=count),
        price=price[primary],
        shares=np.round(shares).astype(np.int64),
        pays_dividends=pays,
        roles=roles,
    )


def _lives(rng: np.random.Generator, roles: Ints, sessions: int, opening: int) -> tuple[Ints, Ints]:
    """First and last session of each; who has a role lives as it needs, of the others some come late or leave."""
    count, stored = len(roles), sessions - opening
    first = np.zeros(count, dtype=np.int64)
    last = np.full(count, sessions - 1, dtype=np.int64)
    donors, predecessors = roles == Role.TICKER_DONOR, roles == Role.PREDECESSOR
    last[donors] = opening + int(_DONOR_LEAVES * stored)
    last[predecessors] = opening + int(_PREDECESSOR_LEAVES * stored)
    first[roles == Role.SUCCESSOR] = opening + int(_PREDECESSOR_LEAVES * stored)
    free = np.flatnonzero(np.isin(roles, (Role.NONE, Role.FINANCIAL)))
    late = rng.permutation(free)[: round(count * LISTED_LATER)]
    first[late] = rng.integers(opening + 5, sessions - MIN_LIFE, size=len(late))
    leaving = rng.permutation(free)[: round(count * DELISTED) - int((donors | predecessors).sum())]
    earliest = np.maximum(first[leaving], opening) + MIN_LIFE // 2
    last[leaving] = np.minimum(earliest + rng.integers(1, sessions, size=len(leaving)), sessions - 4)
    return first, last
