"""Compustat North America fundamentals, as WRDS serves them.

Names are Compustat's own. The annual and quarterly tables hold the standard rows alone: industrial format, standardised
data, domestic population, consolidated. A row's `datadate` is when a fiscal period ended, not when anybody knew of it:
for that there are `rdq` and the filing dates.
"""

from __future__ import annotations

from typing import Final

from data_platform.catalog.compustat.annual import COMPUSTAT_ANNUAL
from data_platform.catalog.compustat.quarterly import COMPUSTAT_QUARTERLY
from data_platform.catalog.compustat.reference import COMPUSTAT_COMPANIES, COMPUSTAT_SECURITIES
from data_platform.catalog.model import Dataset

COMPUSTAT: Final = Dataset(
    name="compustat",
    title="Compustat North America",
    licence="Licensed through WRDS for the subscriber's own research; redistribution is not permitted.",
    tables=(COMPUSTAT_ANNUAL, COMPUSTAT_QUARTERLY, COMPUSTAT_COMPANIES, COMPUSTAT_SECURITIES),
)
