"""Which security carries which special case, by its place alone, so that every market of 20 has each of them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

FEWEST: Final = 20
"""Securities in one round of roles, and so in the smallest market."""

_SELDOM: Final = 5
"""Roles that are rare in the world occur in every fifth round only."""


class Role(IntEnum):
    """What must happen to a security for its special case to occur; who has a role is listed all the time."""

    NONE = 0
    SPLITS = 1
    TICKER_DONOR = 2
    TICKER_HEIR = 3
    FIRST_CLASS = 4
    SECOND_CLASS = 5
    PREDECESSOR = 6
    SUCCESSOR = 7
    FINANCIAL = 8
    CHANGES_FISCAL_YEAR = 9
    SPECIAL_DIVIDENDS = 10
    CHANGES_EXCHANGE = 11
    RENAMED = 12


_EVERY_ROUND: Final = {
    0: Role.SPLITS,
    3: Role.FIRST_CLASS,
    4: Role.SECOND_CLASS,
    7: Role.FINANCIAL,
    16: Role.SPECIAL_DIVIDENDS,
    17: Role.CHANGES_EXCHANGE,
    18: Role.RENAMED,
}
_EVERY_FIFTH_ROUND: Final = {
    1: Role.TICKER_DONOR,
    2: Role.TICKER_HEIR,
    5: Role.PREDECESSOR,
    6: Role.SUCCESSOR,
    8: Role.CHANGES_FISCAL_YEAR,
}
_PAIRS: Final = ((Role.FIRST_CLASS, Role.SECOND_CLASS), (Role.PREDECESSOR, Role.SUCCESSOR))


def roles_of(count: int) -> npt.NDArray[np.int64]:
    """The role of each of `count` securities; half a pair at the end of the list has none."""
    place, turn = np.arange(count) % FEWEST, np.arange(count) // FEWEST
    roles = np.zeros(count, dtype=np.int64)
    for at, role in _EVERY_ROUND.items():
        roles[place == at] = role
    for at, role in _EVERY_FIFTH_ROUND.items():
        roles[(place == at) & (turn % _SELDOM == 0)] = role
    if roles[-1] in {before for before, _ in _PAIRS}:
        roles[-1] = Role.NONE
    return roles
