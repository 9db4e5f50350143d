"""CRSP US stock data, as WRDS serves it: prices, delistings, distributions, names, codes, links to Compustat.

Columns carry the classic CRSP name where there is one (permno, date, prc, ret, ...) and the WRDS name otherwise.
Nothing is adjusted, signed or imputed when storing: in the CIZ format (version 2) delisting returns are already inside
`ret`. Where a table also comes from the older SIZ format, its query there says the same thing in the same columns: a
negative price becomes a price and the flag ``BA``, a special code in place of a return becomes a missing return and
that code as its flag. Delisting returns are not inside `ret` then.
"""

from __future__ import annotations

from typing import Final

from data_platform.catalog.crsp.daily import CRSP_DAILY
from data_platform.catalog.crsp.events import CRSP_DELISTINGS, CRSP_DISTRIBUTIONS
from data_platform.catalog.crsp.monthly import CRSP_MONTHLY
from data_platform.catalog.crsp.reference import CCM_LINKS, CRSP_EXCHANGE_CODES, CRSP_NAMES
from data_platform.catalog.model import Dataset

CRSP: Final = Dataset(
    name="crsp",
    title="CRSP US stock database",
    licence="Licensed through WRDS for the subscriber's own research; redistribution is not permitted.",
    tables=(
        CRSP_DAILY,
        CRSP_MONTHLY,
        CRSP_DELISTINGS,
        CRSP_DISTRIBUTIONS,
        CRSP_NAMES,
        CRSP_EXCHANGE_CODES,
        CCM_LINKS,
    ),
)
