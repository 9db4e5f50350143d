"""What Compustat's tables share: the company key, the codes that the standard filter fixes, names, amounts of money."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.columns import number, text
from data_platform.catalog.model import Column
from data_platform.catalog.rules import InOrder, Matches, Rule, Severity
from data_platform.catalog.ruling import at_least, between, codes, form, in_order, length

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


IS_GVKEY: Final[Matches] = form(
    "gvkey", r"\d{6}", reason="Six digits, leading zeros included.", severity=Severity.ERROR
)

STATUS: Final = codes("costat", "A", "I", reason="A company is active or inactive.")

IS_STANDARD: Final = tuple(
    codes(column, value, reason="The standard filter, by which rows are fetched.", severity=Severity.ERROR)
    for column, value in (("indfmt", "INDL"), ("consol", "C"), ("popsrc", "D"), ("datafmt", "STD"))
)


def statement_rules(*, currency: str, not_negative: tuple[str, ...]) -> tuple[Rule, ...]:
    """What annual and quarterly statements have in common, under their own names of columns."""
    return (
        IS_GVKEY,
        *IS_STANDARD,
        STATUS,
        *between(1, 12, "fyr", reason="It is a month."),
        codes(currency, "USD", "CAD", reason="Compustat North America reports in two currencies."),
        *length(9, 9, "cusip", reason="Compustat's CUSIP has nine characters, the check digit included."),
        *length(3, 3, "fic", reason="Countries are ISO's three letters."),
        *at_least(
            0,
            *not_negative,
            reason="It cannot be negative: a sign or a scale is wrong at the source.",
            severity=Severity.WARNING,
        ),
    )


def known_after(*columns: str) -> tuple[InOrder, ...]:
    """Each of these dates is on or after the end of the period: nobody knows a figure before."""
    return tuple(
        in_order("datadate", column, reason="A figure is known after its period has ended, or using it looks ahead.")
        for column in columns
    )
