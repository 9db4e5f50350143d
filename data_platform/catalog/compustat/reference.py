"""Compustat's companies and their securities, as they are today: no history, no dates of their own."""

from __future__ import annotations

from typing import Final

from data_platform.catalog.columns import day, text, whole
from data_platform.catalog.compustat.standard import FIRST_DATE, GVKEY, IS_GVKEY, STATUS
from data_platform.catalog.model import Partitioning, Table, WrdsQuery
from data_platform.catalog.rules import Severity
from data_platform.catalog.ruling import between, codes, form, length

COMPUSTAT_COMPANIES: Final = Table(
    name="compustat_companies",
    dataset="compustat",
    title="Compustat companies",
    description=(
        "One row per company with its present name, industry and place. It is today's state: used for the past, it "
        "looks ahead."
    ),
    columns=(
        GVKEY,
        text("conm", "Name in capitals."),
        text("conml", "Name in full."),
        text("cik", "Key at the SEC: ten characters, leading zeros count."),
        text("costat", "A active, I inactive."),
        day("dldte", "Day on which the company left the database."),
        text("dlrsn", "Why it left, a two-digit code."),
        text("fic", "Country of incorporation, ISO code."),
        text("loc", "Country of headquarters, ISO code."),
        text("state", "State or province of headquarters."),
        text("incorp", "State of incorporation."),
        text("sic", "Present SIC code: four characters."),
        text("naics", "Present NAICS code."),
        text("gsector", "GICS sector."),
        text("ggroup", "GICS group."),
        text("gind", "GICS industry."),
        text("gsubind", "GICS sub-industry."),
        text("idbflag", "International, domestic or both."),
        day("ipodate", "Day of the initial public offering."),
        whole("fyrc", "Month in which the present fiscal year ends."),
        text("priusa", "Primary issue in the US."),
        text("prirow", "Primary issue in the rest of the world."),
        text("prican", "Primary issue in Canada."),
        whole("stko", "Kind of ownership of the stock."),
    ),
    key=("gvkey",),
    date_column=None,
    partitioning=Partitioning.WHOLE,
    origin=WrdsQuery(relation="comp.company", sql="compustat/compustat_companies.sql"),
    calendar=None,
    first_date=FIRST_DATE,
    rules=(
        IS_GVKEY,
        STATUS,
        form("cik", r"\d{10}", reason="The SEC's key has ten digits, leading zeros included."),
        form("sic", r"\d{4}", reason="SIC codes have four digits."),
        *(
            form(name, rf"\d{{{digits}}}", reason="A GICS code has two digits more at every level.")
            for name, digits in (("gsector", 2), ("ggroup", 4), ("gind", 6), ("gsubind", 8))
        ),
        *length(3, 3, "fic", "loc", reason="Countries are ISO's three letters."),
        *between(1, 12, "fyrc", reason="It is a month.", severity=Severity.WARNING),
    ),
)

COMPUSTAT_SECURITIES: Final = Table(
    name="compustat_securities",
    dataset="compustat",
    title="Compustat securities",
    description="One row per company and issue with its present identifiers. It is today's state.",
    columns=(
        GVKEY,
        text("iid", "Issue: two digits, with a letter for issues outside the US.", required=True),
        text("tic", "Present ticker."),
        text("cusip", "Nine-character CUSIP."),
        text("isin", "ISIN."),
        text("sedol", "SEDOL."),
        text("ibtic", "Ticker at IBES."),
        text("dsci", "What the issue is."),
        text("excntry", "Country of the exchange, ISO code."),
        whole("exchg", "Stock exchange code."),
        text("epf", "Flag of earnings participation."),
        text("secstat", "A active, I inactive."),
        day("dldtei", "Day on which the issue left the database."),
        text("dlrsni", "Why it left, a code."),
        text("tpci", "Kind of issue: 0 common, 1 preferred, and others."),
    ),
    key=("gvkey", "iid"),
    date_column=None,
    partitioning=Partitioning.WHOLE,
    origin=WrdsQuery(relation="comp.security", sql="compustat/compustat_securities.sql"),
    calendar=None,
    first_date=FIRST_DATE,
    rules=(
        IS_GVKEY,
        form("iid", r"\d{2}[CWX]?", reason="Two digits, with a letter for issues outside the US and for dummies."),
        *length(9, 9, "cusip", reason="Compustat's CUSIP has nine characters, the check digit included."),
        form("isin", r"[A-Z]{2}[A-Z0-9]{9}\d", reason="ISO 6166: a country, nine characters, a check digit."),
        *length(7, 7, "sedol", reason="A SEDOL has seven characters."),
        *length(3, 3, "excntry", reason="Countries are ISO's three letters."),
        codes("secstat", "A", "I", reason="An issue is active or inactive."),
    ),
)
