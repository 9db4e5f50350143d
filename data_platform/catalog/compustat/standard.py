"""What Compustat's tables share: the company key, the codes that the standard filter fixes, names, amounts of money."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.columns import number, text
from data_platform.catalog.model import Column

FIRST_DATE: Final = dt.date(1950, 1, 1)

GVKEY: Final = text("gvkey", "Compustat's company key: six characters, leading zeros count.", required=True)

STANDARD: Final = (
    text("indfmt", "Industry format: INDL throughout; rows in the format of financial firms (FS) are not kept."),
    text("consol", "Consolidation: C throughout."),
    text("popsrc", "Population: D, domestic, throughout."),
    text("datafmt", "Data format: STD throughout; SUMM_STD rows, which restate earlier years, are not kept."),
)
"""The standard filter: ``indfmt = 'INDL' and consol = 'C' and popsrc = 'D' and datafmt = 'STD'``."""


HEADER: Final = (
    text("tic", "Present ticker, not that of the time."),
    text("cusip", "Present nine-character CUSIP, not that of the time."),
    text("conm", "Present name, not that of the time."),
)
"""What a company is called today, which Compustat repeats on every row of its history."""


def money(name: str, description: str, *, max_null_share: float = 1.0) -> Column:
    """An amount in millions of the row's currency."""
    return number(name, description, "million of the row's currency", max_null_share=max_null_share)


def amounts(**descriptions: str) -> tuple[Column, ...]:
    """Amounts of money by name."""
    return tuple(money(name, description) for name, description in descriptions.items())
