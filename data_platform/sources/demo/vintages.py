"""What the source changed between its first vintage and its second, of the same seed.

In vintage 2 a few rows of the first year have been restated (a day's high and number of trades in `crsp.dsf_v2`; sales
and profit in `comp.funda` and `comp.fundq`), and filings of the last year that were outstanding have arrived.
Everything else is bit-equal. The discontinued `crsp.dsf` keeps what it had.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from data_platform.errors import UsageError
from data_platform.sources.demo.market.simulation import Market

VINTAGES: Final = (1, 2)
RESTATED_DAYS: Final = 5
RESTATED_FIRMS: Final = 3


def check_vintage(vintage: int) -> None:
    """Raise unless there is such a vintage.

    Raises:
        UsageError: for any number but 1 and 2.
    """
    if vintage not in VINTAGES:
        raise UsageError(f"There is no vintage {vintage} of the demo.", hint="It has the vintages 1 and 2.")


def restated_days(market: Market) -> list[tuple[int, int]]:
    """Security and session of the restated rows of `crsp.dsf_v2`, all in the first stored year."""
    found: list[tuple[int, int]] = []
    for number in range(RESTATED_DAYS):
        session = market.opening + 20 + 7 * number
        trading = np.flatnonzero(market.traded[:, session] & ~np.isnan(market.price[:, session]))
        found.append((int(trading[3 * number % len(trading)]), session))
    return found
