"""Who is in the synthetic market: invented securities with invented identities, listed and delisted on the way."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FIRST_PERMNO: Final = 97001
"""CRSP's own numbers end well below; nothing here can be mistaken for a real security."""

LISTED_LATER: Final = 0.18
DELISTED: Final = 0.18
MIN_LIFE: Final = 60
"""Sessions that a security lives at least, so that each has a history worth plotting."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_EXCHANGES: Final = ("N", "A", "Q")
_INDUSTRIES: Final = (1311, 2834, 2911, 3571, 3674, 3711, 4813, 4911, 5311, 6021, 6311, 7372, 8062)


@dataclass(frozen=True, slots=True)
class Universe:
    """Parallel arrays, one entry per security.

    `first` and `last` are session indices, inclusive; a security with `last` before the final session was delisted
    then. `loadings` has one row per security: market, size, value, momentum, profitability, investment.
    `volatility` is the daily standard deviation of what the factors leave unexplained. `shares` is in thousands.
    """

    permno: Ints
    permco: Ints
    ticker: list[str]
    cusip: list[str]
    siccd: Ints
    exchange: list[str]
    issuer_type: list[str]
    first: Ints
    last: Ints
    loadings: Floats
    volatility: Floats
    price: Floats
    shares: Ints
    pays_dividends: npt.NDArray[np.bool_]


def draw_universe(rng: np.random.Generator, count: int, sessions: int, opening: int) -> Universe:
    """Draw `count` securities over `sessions` sessions, of which those before `opening` are history only.

    Whoever is listed later or delisted is so inside the part that will be stored.
    """
    first = np.zeros(count, dtype=np.int64)
    last = np.full(count, sessions - 1, dtype=np.int64)
    order = rng.permutation(count)
    late = order[: round(count * LISTED_LATER)]
    first[late] = rng.integers(opening + 5, sessions - MIN_LIFE, size=len(late))
    leaving = rng.permutation(count)[: round(count * DELISTED)]
    earliest = np.maximum(first[leaving], opening) + MIN_LIFE // 2
    last[leaving] = np.minimum(earliest + rng.integers(1, sessions, size=len(leaving)), sessions - 4)
    index = np.arange(count, dtype=np.int64)
    characteristics = rng.normal(size=(count, 5))
    return Universe(
        permno=FIRST_PERMNO + 7 * index,
        # Every fiftieth security is a second share class of the company before it.
        permco=61001 + index - (index % 50 == 49),  # noqa: PLR2004 - the last of fifty
        ticker=_tickers(rng, count),
        # Issuer numbers from 990000 on are set aside for private use, so these belong to nobody.
        cusip=[f"99{number:04d}10" for number in range(count)],
        siccd=rng.choice(_INDUSTRIES, size=count).astype(np.int64),
        exchange=[str(name) for name in rng.choice(_EXCHANGES, size=count, p=(0.45, 0.05, 0.5))],
        issuer_type=[str(name) for name in rng.choice(("CORP", "ACOR"), size=count, p=(0.95, 0.05))],
        first=first,
        last=last,
        loadings=np.column_stack([rng.normal(1.0, 0.25, size=count), 0.5 * characteristics]),
        volatility=rng.uniform(0.010, 0.030, size=count),
        price=np.round(np.exp(rng.normal(3.6, 0.6, size=count)), 2).astype(np.float64),
        shares=np.round(np.exp(10.6 - 0.9 * characteristics[:, 0] + rng.normal(0, 0.3, size=count))).astype(np.int64),
        pays_dividends=rng.random(count) < 0.5,  # noqa: PLR2004 - half of them
    )


def _tickers(rng: np.random.Generator, count: int) -> list[str]:
    letters = string.ascii_uppercase[:23]
    numbers = rng.permutation(len(letters) ** 3)[:count]
    return [f"X{letters[n // 529]}{letters[n // 23 % 23]}{letters[n % 23]}" for n in (int(n) for n in numbers)]
