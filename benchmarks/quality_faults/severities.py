"""How large each fault is, fixed before the detectors were tuned. A change here makes earlier figures incomparable.

Each is the smallest that a careful data engineer would not want to publish, not the smallest that can be found.
"""

from __future__ import annotations

from typing import Final

ROW_DROP_SHARE: Final = 0.12
"""Rows missing: at random, or those of consecutive securities."""

NULL_SPIKE_SHARE: Final = 0.06
"""Further rows in which one column is missing: at random, or consecutive ones."""

GAP_SESSIONS: Final = 1
"""Sessions missing for every security."""

SHIFT_FACTORS: Final = ((0.60, 0.90), (1.10, 1.40))
"""All prices of one security, from one day to the year's end, times a number from one of these ranges.

Returns are as delivered; or (where there is a market capitalisation) computed from the wrong prices, and it is not.
"""

HUNDREDFOLD_DAYS: Final = 3
"""Days of securities with all prices times or divided by 100; returns as delivered, or computed from those prices."""

DOUBLED_DIVIDENDS: Final = 1
"""Dividends of one security counted twice: in its amount, or in the total return."""

SPLIT_RATIOS: Final = (2.0, 3.0, 1.5, 4.0, 0.1)
"""One security's split without a factor: prices divided, shares and volume multiplied from one day on.

Returns are as delivered, or computed from the prices as if nothing had happened.
"""

STALE_SESSIONS: Final = 15
"""Sessions for which one security's prices repeat, with returns of zero and its own volume."""

REPEATED_SHARE: Final = 0.6
"""Share of the securities for which one day repeats the day before in everything; or all of them."""

SWAPPED_SESSIONS: Final = 20
"""Sessions of one security with low and high, bid and ask, or high and close exchanged; or of all with both returns."""

FLIPPED_SESSIONS: Final = 20
"""Sessions of one security with the sign of both returns changed; or so many rows with that of the price changed."""

TRUNCATED_SHARE: Final = 0.20
TRUNCATED_SESSIONS: Final = 10
"""The last securities, in the order of the key, are missing on so many consecutive sessions."""

TUNING_SEEDS: Final = range(1_000, 1_100)
"""Markets that the detectors were looked at with."""

EVALUATION_SEEDS: Final = range(600_000, 601_000)
"""Markets that figures are measured on. Those from 500,000 on were, once, and have been looked at since."""

WARNINGS: Final = frozenset({"stale_price"})
"""The faults that deserve a warning; all others corrupt research and are errors."""
