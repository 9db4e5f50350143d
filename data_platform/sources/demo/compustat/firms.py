"""The companies behind the market's securities, each under one gvkey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from data_platform.sources.demo.market.sectors import FINANCIAL
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Flags, Ints

ROUND: Final = 18
"""Companies in the smallest market: whatever depends on a company's number recurs after so many."""

_LOW, _HIGH, _LOW_ENDS = 101, 900_001, 800


@dataclass(frozen=True, slots=True)
class Firms:
    """Parallel lists, one entry per company in the order of `permco`.

    `primary` is the index of the company's first security, `securities` holds all of them; `gvkey` is text of six
    characters; `turn` is the company's number within its round.
    """

    gvkey: list[str]
    primary: Ints
    securities: list[list[int]]
    financial: Flags
    turn: Ints

    def __len__(self) -> int:
        return len(self.gvkey)


def firms_of(market: Market) -> Firms:
    """The companies of a market."""
    company: list[int] = market.universe.company.tolist()
    securities: list[list[int]] = [[] for _ in range(company[-1] + 1)]
    for index, number in enumerate(company):
        securities[number].append(index)
    primary = np.array([members[0] for members in securities], dtype=np.int64)
    return Firms(
        gvkey=[_gvkey(number) for number in range(len(securities))],
        primary=primary,
        securities=securities,
        financial=np.isin(market.universe.siccd[primary], FINANCIAL),
        turn=np.arange(len(securities), dtype=np.int64) % ROUND,
    )


def iid(firms: Firms, company: int, security: int) -> str:
    """Compustat's number of an issue within its company."""
    return f"{firms.securities[company].index(security) + 1:02d}"


def _gvkey(number: int) -> str:
    """Numbers below 1,000 and from 900,000 on, which Compustat does not use; every other one of the first is low."""
    half = number // 2
    return f"{_LOW + half if number % 2 == 0 and half < _LOW_ENDS else _HIGH + number:06d}"
