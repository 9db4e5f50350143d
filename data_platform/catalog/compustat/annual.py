"""Compustat's annual fundamentals."""

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
from data_platform.catalog.rules import Severity
from data_platform.catalog.ruling import between

COMPUSTAT_ANNUAL: Final = Table(
    name="compustat_annual",
    dataset="compustat",
    title="Compustat annual fundamentals",
    description=(
        "One row per company and fiscal year end, standard rows only. Known to the public from `rdq` or the filing "
        "dates on, never from `datadate`. The currency is `curcd`: filter on USD before comparing amounts."
    ),
    columns=(
        GVKEY,
        day("datadate", "Last day of the fiscal year.", required=True),
        whole("fyear", "Fiscal year; one that ends in January to May bears the number of the year before."),
        whole("fyr", "Month in which the fiscal year ends."),
        *STANDARD,
        *HEADER,
        text("curcd", "Currency of the amounts: USD or CAD."),
        money("at", "Total assets.", max_null_share=0.5),
        *amounts(
            act="Current assets.",
            che="Cash and short-term investments.",
            rect="Receivables.",
            invt="Inventories.",
            ppent="Property, plant and equipment, net.",
            ppegt="Property, plant and equipment, gross.",
            intan="Intangible assets.",
            lt="Total liabilities.",
            lct="Current liabilities.",
            dlc="Debt in current liabilities.",
            dltt="Long-term debt.",
            seq="Stockholders' equity.",
            ceq="Common equity.",
            pstk="Preferred stock, carrying value.",
            pstkl="Preferred stock, liquidating value.",
            pstkrv="Preferred stock, redemption value.",
            txditc="Deferred taxes and investment tax credit.",
            txdb="Deferred taxes on the balance sheet.",
            itcb="Investment tax credit on the balance sheet.",
            re="Retained earnings.",
            mib="Noncontrolling interest.",
            sale="Sales, net.",
            revt="Total revenue.",
            cogs="Cost of goods sold.",
            gp="Gross profit.",
            xsga="Selling, general and administrative expense.",
            xrd="Research and development expense; null is mostly none reported.",
            xint="Interest expense.",
            pi="Pretax income.",
            txt="Income taxes.",
            ib="Income before extraordinary items.",
            ni="Net income.",
            dp="Depreciation and amortisation.",
            oibdp="Operating income before depreciation.",
            oiadp="Operating income after depreciation.",
            ebit="Earnings before interest and taxes.",
            ebitda="Earnings before interest, taxes, depreciation and amortisation.",
            capx="Capital expenditures.",
            oancf="Cash flow from operations.",
            dvc="Common dividends.",
            dvp="Preferred dividends.",
            sstk="Sale of stock.",
            prstkc="Purchase of stock.",
        ),
        number("csho", "Common shares outstanding.", "million shares"),
        number("ajex", "Cumulative adjustment factor by ex-date; adjusted price = price / ajex.", "factor"),
        number("prcc_f", "Closing price at the end of the fiscal year.", "row's currency"),
        number("prcc_c", "Closing price at the end of the calendar year.", "row's currency"),
        money("mkvalt", "Market value at the end of the fiscal year."),
        number("emp", "Employees.", "thousand"),
        whole("sich", "SIC code of that year; null before about 1987."),
        whole("exchg", "Stock exchange code."),
        text("costat", "A active, I inactive, today."),
        text("fic", "Country of incorporation, ISO code."),
        day("pdate", "Day on which preliminary figures were published."),
        day("fdate", "Day on which final figures were published."),
        day("rdq", "Day on which earnings of the quarter that ends the year were announced.", source="comp.fundq: rdq"),
        day(
            "filedate",
            "Day of the first 10-K for this year end.",
            source="comp.co_filedate: filedate",
        ),
    ),
    key=("gvkey", "datadate"),
    date_column="datadate",
    partitioning=Partitioning.YEAR,
    origin=WrdsQuery(relation="comp.funda", sql="compustat/compustat_annual.sql", date_column="datadate"),
    calendar=None,
    first_date=FIRST_DATE,
    rules=(
        *statement_rules(currency="curcd", not_negative=("at", "csho", "ajex", "prcc_f", "prcc_c", "mkvalt", "emp")),
        *known_after("rdq", "pdate", "fdate", "filedate"),
        *between(0, 9999, "sich", reason="SIC codes have four digits.", severity=Severity.WARNING),
    ),
)
