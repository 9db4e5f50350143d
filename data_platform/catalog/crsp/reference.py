"""What CRSP's securities are called, what its codes mean, and which Compustat company a security belongs to."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.columns import day, text, whole
from data_platform.catalog.crsp.classification import CLASSIFICATION
from data_platform.catalog.model import Partitioning, Table, WrdsQuery

CRSP_NAMES: Final = Table(
    name="crsp_names",
    dataset="crsp",
    title="CRSP name history",
    description=(
        "One row per security and range of days in which its name, ticker, CUSIP and classification stayed the same. "
        "A ticker names a security only together with a date between secinfostartdt and secinfoenddt, both inclusive."
    ),
    columns=(
        whole("permno", "CRSP's permanent security number.", required=True),
        day("secinfostartdt", "First day of the range.", required=True),
        day("secinfoenddt", "Last day of the range.", required=True),
        whole("permco", "CRSP's permanent company number.", required=True),
        text("ticker", "Ticker in the range; others may have had it before or after."),
        text("tradingsymbol", "Ticker with its suffix."),
        text("cusip", "Eight-character CUSIP in the range."),
        text("issuernm", "Name of the company."),
        text("securitynm", "Name of the security; null from SIZ."),
        text("shareclass", "Share class."),
        whole("siccd", "Standard Industrial Classification code."),
        text("naics", "North American Industry Classification code."),
        *CLASSIFICATION,
        text("exchangetier", "Tier within the exchange; null from SIZ."),
        text("securityactiveflg", "Y: still listed; null from SIZ."),
    ),
    key=("permno", "secinfostartdt"),
    date_column="secinfostartdt",
    partitioning=Partitioning.WHOLE,
    origin=WrdsQuery(
        relation="crsp.stksecurityinfohist",
        sql="crsp/crsp_names.sql",
        siz=WrdsQuery(relation="crsp.dsenames", sql="crsp/crsp_names_siz.sql"),
    ),
    calendar=None,
    first_date=dt.date(1925, 12, 31),
)

CRSP_EXCHANGE_CODES: Final = Table(
    name="crsp_exchange_codes",
    dataset="crsp",
    title="CRSP exchange and trading codes",
    description=(
        "What the values of primaryexch, exchangetier, conditionaltype and tradingstatusflg mean, in CRSP's own words. "
        "Together these four replace the exchange code (exchcd) of the older format."
    ),
    columns=(
        text("itemname", "The column that holds the code, as CRSP spells it.", required=True),
        text("flagvalue", "The code.", required=True),
        text("flagtype", "CRSP's name for the kind of code."),
        text("flagdesc", "What the code means, in short."),
        text("flagdef", "What the code means, at length."),
    ),
    key=("itemname", "flagvalue"),
    date_column=None,
    partitioning=Partitioning.WHOLE,
    origin=WrdsQuery(relation="crsp.metaflaginfo", sql="crsp/crsp_exchange_codes.sql"),
    calendar=None,
    first_date=dt.date(1925, 12, 31),
)

CCM_LINKS: Final = Table(
    name="ccm_links",
    dataset="crsp",
    title="CRSP/Compustat link history",
    description=(
        "Which CRSP security a Compustat company was, and when. Usual filter: linktype LC, LU (or LS) and linkprim P "
        "or C, with the date between linkdt and linkenddt; a missing linkenddt means that the link still holds. "
        "Every link is kept here, also those that the filter drops."
    ),
    columns=(
        text("gvkey", "Compustat's company key: six characters, leading zeros count.", required=True),
        day("linkdt", "First day of the link.", required=True),
        day("linkenddt", "Last day of the link; null while it still holds."),
        text("liid", "Compustat's issue of the company, such as 01."),
        text("linkprim", "Whether the issue is the primary one: P or C; J and N are not."),
        text("linktype", "How sure the link is: LC, LU, LS and others; NR and NU have no security."),
        whole("lpermno", "CRSP security; null where there is none."),
        whole("lpermco", "CRSP company; null where there is none."),
    ),
    key=("gvkey", "linkdt", "liid", "linkprim", "linktype", "lpermno"),
    date_column="linkdt",
    partitioning=Partitioning.WHOLE,
    origin=WrdsQuery(relation="crsp.ccmxpf_lnkhist", sql="crsp/ccm_links.sql"),
    calendar=None,
    first_date=dt.date(1900, 1, 1),
)
