"""Compustat's companies and their securities, as they are today: no history, no dates of their own."""

from __future__ import annotations

from typing import Final

from data_platform.catalog.columns import day, text, whole
from data_platform.catalog.compustat.standard import FIRST_DATE, GVKEY
from data_platform.catalog.model import Partitioning, Table, WrdsQuery

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
)
