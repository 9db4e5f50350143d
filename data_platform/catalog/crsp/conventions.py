"""What CRSP's tables have in common: how securities are numbered and classified, and what prices and returns can be.

Sources: CRSP's data descriptions, and its dictionaries of flags and of the classes of columns.
"""

from __future__ import annotations

from typing import Final

from data_platform.catalog.rules import HasLength, IsProduct, OneOf, OnePerEntity, Severity, Within
from data_platform.catalog.ruling import at_least, between, codes, length

IDENTIFIERS: Final = (
    *at_least(1, "permno", "permco", reason="CRSP numbers securities and companies from 1 on."),
    OnePerEntity(
        column="permco",
        entity=("permno",),
        reason="A security belongs to one company for ever.",
        severity=Severity.WARNING,
    ),
    *length(8, 8, "cusip", reason="CRSP's CUSIP has eight characters, without the check digit."),
    *between(
        0,
        9999,
        "siccd",
        reason="SIC codes have four digits; 0 and 9999 stand for unknown.",
        severity=Severity.WARNING,
    ),
)

CLASSES: Final[tuple[HasLength | OneOf, ...]] = (
    *length(2, 2, "sharetype", "conditionaltype", reason="CRSP's codes for it have two characters."),
    *length(2, 4, "securitytype", "securitysubtype", "issuertype", reason="CRSP's codes for it have up to four."),
    codes("usincflg", "Y", "N", reason="A flag says yes or no."),
    codes(
        "primaryexch", "N", "A", "Q", "R", "B", "I", "X", reason="NYSE, American, NASDAQ, Arca, Bats, IEX, or unknown."
    ),
    codes(
        "tradingstatusflg", "A", "H", "S", "X", "D", reason="Active, halted, suspended, unknown, or already delisted."
    ),
)

RETURNS: Final[tuple[Within, ...]] = at_least(
    -1, "ret", "retx", reason="Nobody loses more than everything; SIZ's codes for missing returns lie below -1."
)


def paid_on_leaving(flag: str) -> Within:
    """A price is above 0, except on the row of a delisting (`flag` Y): there it is what holders got, maybe nothing."""
    return Within(
        column="prc",
        low=0,
        open_low=True,
        exempt=(flag, "Y"),
        reason="Prices are stored without SIZ's sign, which marks a midpoint there, and its 0, which means none.",
    )


def capitalisation(column: str, flag: str) -> IsProduct:
    """Thousand USD are a price times thousands of shares; a delisting's row (`flag` Y) holds a payment, no price."""
    return IsProduct(
        column=column,
        factors=("prc", "shrout"),
        tolerance=0.001,
        exempt=(flag, "Y"),
        reason="CRSP defines it as price times shares outstanding; another unit of either shows here.",
        severity=Severity.WARNING,
    )
