"""How large a demo is: so many rows of `crsp.dsf_v2` are asked for, and so many securities have about as many."""

from __future__ import annotations

from typing import Final

from data_platform.errors import UsageError
from data_platform.sources.demo.market.roles import FEWEST

FEWEST_ROWS: Final = 5_000
MOST_ROWS: Final = 5_000_000
DEFAULT_ROWS: Final = 161_000

_SESSIONS: Final = 252
_LISTED: Final = 0.853
"""Share of the sessions that a security is listed on, on average: some come later, some leave."""


def securities_for(rows: int, years: tuple[int, int]) -> int:
    """The number of securities with about `rows` rows over these years, both inclusive; never less than 20.

    Raises:
        UsageError: when the number of rows is outside the range.
    """
    if not FEWEST_ROWS <= rows <= MOST_ROWS:
        raise UsageError(
            f"A demo of {rows:,} rows can't be made.", hint=f"Ask for {FEWEST_ROWS:,} to {MOST_ROWS:,} rows."
        )
    sessions = _SESSIONS * (years[1] - years[0] + 1)
    return max(round(rows / (sessions * _LISTED)), FEWEST)
