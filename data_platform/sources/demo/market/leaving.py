"""How securities leave the market: why, with which return, and what their holders got."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from data_platform.sources.demo.market.roles import Role
from data_platform.sources.demo.market.universe import Flags, Floats, Ints, Universe

_FAILURES: Final = 0.4
"""Share of delistings that are for poor performance: the last return is a heavy loss."""

_RETURN_UNKNOWN: Final = 0.25
"""Share of those failures whose delisting return nobody could establish."""


class Reason(IntEnum):
    """Why a security left."""

    MERGED = 0
    EXCHANGED = 1
    LIQUIDATED = 2
    DROPPED = 3


@dataclass(frozen=True, slots=True)
class Leaving:
    """One entry per delisted security, ordered as in the universe.

    `who` indexes the universe; `ret` is the delisting return, a decimal, and `known` says whether it was established.
    `successor` is the index of the security that holders received, -1 for none.
    """

    who: Ints
    reason: Ints
    ret: Floats
    known: Flags
    successor: Ints


def draw_leaving(rng: np.random.Generator, universe: Universe, sessions: int) -> Leaving:
    """Decide how those leave whose last session is not the market's."""
    who = np.flatnonzero(universe.last < sessions - 1)
    roles = universe.roles[who]
    failed = rng.random(len(who)) < _FAILURES
    liquidated = rng.random(len(who)) < 0.1  # noqa: PLR2004 - a tenth of the rest
    reason = np.where(failed, Reason.DROPPED, np.where(liquidated, Reason.LIQUIDATED, Reason.MERGED))
    reason[roles == Role.PREDECESSOR] = Reason.EXCHANGED
    reason[roles == Role.TICKER_DONOR] = Reason.DROPPED
    gained, lost = rng.uniform(0.0, 0.1, size=len(who)), rng.uniform(-0.6, -0.2, size=len(who))
    known = (reason != Reason.DROPPED) | (rng.random(len(who)) >= _RETURN_UNKNOWN)
    known[roles == Role.TICKER_DONOR] = False
    ret = np.where(reason == Reason.DROPPED, lost, gained)
    ret[reason == Reason.EXCHANGED] = 0.0
    successor = np.where(reason == Reason.EXCHANGED, who + 1, -1)
    return Leaving(who, reason.astype(np.int64), ret, known, successor.astype(np.int64))
