"""Compustat's quarterly fundamentals."""

from __future__ import annotations

from typing import Final

from data_platform.catalog.columns import day, number, text, whole
from data_platform.catalog.compustat.standard import (
    FIRST_DATE,
    GVKEY,
    HEADER,
    STANDARD,
    amounts,
    known_after,
    money,
    statement_rules,
)
from data_platform.catalog.model import Partitioning, Table, WrdsQuery
from data_platform.catalog.ruling import between, form

COMPUSTAT_QUARTERLY: Final = Table(
    name="compustat_quarterly",
    dataset="compustat",
    title="Compustat quarterly fundamentals",
    description=(
        "One row per company and fiscal quarter, standard rows only. When a company changes its fiscal year, two rows "
        "may have the same fiscal year and quarter and other dates: both are kept. Known to the public from `rdq` or "
        "the filing dates on, never from `datadate`."
    ),
    columns=(
        GVKEY,
        day("datadate", "Last day of the fiscal quarter.", required=True),
        whole("fyearq", "Fiscal year."),
        whole("fqtr", "Fiscal quarter, 1 to 4."),
        whole("fyr", "Month in which the fiscal year ends."),
        *STANDARD,
        *HEADER,
        text("curcdq", "Currency of the amounts: USD or CAD."),
        text("datacqtr", "Calendar quarter, such as 2024Q1."),
        text("datafqtr", "Fiscal quarter, such as 2024Q1."),
        day("rdq", "Day on which earnings were announced."),
        money("atq", "Total assets.", max_null_share=0.5),
        *amounts(
            actq="Current assets.",
            cheq="Cash and short-term investments.",
            rectq="Receivables.",
            invtq="Inventories.",
            ppentq="Property, plant and equipment, net.",
            intanq="Intangible assets.",
            ltq="Total liabilities.",
            lctq="Current liabilities.",
            dlcq="Debt in current liabilities.",
            dlttq="Long-term debt.",
            seqq="Stockholders' equity.",
            ceqq="Common equity.",
            pstkq="Preferred stock.",
            txditcq="Deferred taxes and investment tax credit.",
            req="Retained earnings.",
            mibq="Noncontrolling interest.",
            saleq="Sales of the quarter, net.",
            revtq="Total revenue of the quarter.",
            cogsq="Cost of goods sold in the quarter.",
            xsgaq="Selling, general and administrative expense of the quarter.",
            xrdq="Research and development expense of the quarter.",
            xintq="Interest expense of the quarter.",
            piq="Pretax income of the quarter.",
            txtq="Income taxes of the quarter.",
            ibq="Income before extraordinary items of the quarter.",
            niq="Net income of the quarter.",
            dpq="Depreciation and amortisation of the quarter.",
            oibdpq="Operating income before depreciation of the quarter.",
            oiadpq="Operating income after depreciation of the quarter.",
        ),
        number("epspxq", "Earnings per share of the quarter, basic, excluding extraordinary items.", "row's currency"),
        number("epsfxq", "Earnings per share of the quarter, diluted.", "row's currency"),
        number("cshoq", "Common shares outstanding.", "million shares"),
        number("ajexq", "Cumulative adjustment factor by ex-date.", "factor"),
        number("prccq", "Closing price at the end of the quarter.", "row's currency"),
        money("mkvaltq", "Market value at the end of the quarter."),
        money("capxy", "Capital expenditures since the fiscal year began."),
        money("oancfy", "Cash flow from operations since the fiscal year began."),
        whole("exchg", "Stock exchange code."),
        text("costat", "A active, I inactive, today."),
        text("fic", "Country of incorporation, ISO code."),
        day("pdateq", "Day on which preliminary figures were published."),
        day("fdateq", "Day on which final figures were published."),
        day("filedate", "Day of the first 10-Q or 10-K for this date.", source="comp.co_filedate: filedate"),
    ),
    key=("gvkey", "datadate", "fyearq", "fqtr"),
    date_column="datadate",
    partitioning=Partitioning.YEAR,
    origin=WrdsQuery(relation="comp.fundq", sql="compustat/compustat_quarterly.sql", date_column="datadate"),
    calendar=None,
    first_date=FIRST_DATE,
    rules=(
        *statement_rules(currency="curcdq", not_negative=("atq", "cshoq", "ajexq", "prccq", "mkvaltq")),
        *between(1, 4, "fqtr", reason="A fiscal year has four quarters."),
        *known_after("rdq", "pdateq", "fdateq", "filedate"),
        *(form(name, r"\d{4}Q[1-4]", reason="Compustat writes 2024Q1.") for name in ("datacqtr", "datafqtr")),
    ),
)
