"""The ratios in which shares are split or merged."""

from __future__ import annotations

from typing import Final

SPLIT_RATIOS: Final = (*(float(number) for number in range(2, 21)), 25.0, 30.0, 40.0, 50.0, 3 / 2, 4 / 3, 5 / 4, 5 / 3)
"""Greater than one: a merger of shares is the inverse. Smaller ones are stock dividends, no larger than many a move."""
