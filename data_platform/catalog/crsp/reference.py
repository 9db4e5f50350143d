"""What CRSP's securities are called, what its codes mean, and which Compustat company a security belongs to."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.columns import day, text, whole
from data_platform.catalog.crsp.classification import CLASSIFICATION
from data_platform.catalog.crsp.conventions import CLASSES, IDENTIFIERS
from data_platform.catalog.model import Partitioning, Table, WrdsQuery
from data_platform.catalog.rules import NoOverlap, OnePerEntity, Severity
from data_platform.catalog.ruling import at_least, codes, form, in_order

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
    rules=(
        *IDENTIFIERS,
        *CLASSES,
        in_order("secinfostartdt", "secinfoenddt", reason="A range ends after it began.", severity=Severity.ERROR),
        NoOverlap(
            entity=("permno",),
            start="secinfostartdt",
            end="secinfoenddt",
            reason="CRSP's ranges of a security adjoin; with two names on a day every join by date doubles.",
        ),
        codes("securityactiveflg", "Y", "N", reason="A flag says yes or no."),
    ),
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
    rules=(
        form(
            "itemname",
            "(?i:primaryexch|exchangetier|conditionaltype|tradingstatusflg)",
            reason="These four columns are asked for.",
            severity=Severity.ERROR,
        ),
        OnePerEntity(
            column="flagtype",
            entity=("itemname",),
            reason="A column's codes are all of one kind.",
            severity=Severity.WARNING,
        ),
    ),
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
    rules=(
        form("gvkey", r"\d{6}", reason="Six digits, leading zeros included.", severity=Severity.ERROR),
        in_order("linkdt", "linkenddt", reason="A link ends after it began.", severity=Severity.ERROR),
        codes(
            "linktype",
            *("LC", "LU", "LS", "LX", "LD", "LN", "NR", "NU"),
            reason="CRSP's types of links, of which the last two have no security.",
        ),
        codes("linkprim", "P", "C", "J", "N", reason="Primary by Compustat or by CRSP, joiner, or overridden by CRSP."),
        *at_least(
            1, "lpermno", "lpermco", reason="A link without a security has no number, not 0.", severity=Severity.WARNING
        ),
        OnePerEntity(
            column="lpermco",
            entity=("lpermno",),
            reason="A security belongs to one company for ever.",
            severity=Severity.WARNING,
        ),
        NoOverlap(
            entity=("gvkey", "liid"),
            start="linkdt",
            end="linkenddt",
            among=(("linktype", ("LC", "LU", "LS")),),
            reason="CRSP has one link for each range of an issue.",
            severity=Severity.WARNING,
        ),
        NoOverlap(
            entity=("lpermno",),
            start="linkdt",
            end="linkenddt",
            among=(("linktype", ("LC", "LU")), ("linkprim", ("P", "C"))),
            reason="The usual filter gives a security one company at a time; two double every joined row.",
            severity=Severity.WARNING,
        ),
    ),
)
