"""The CRSP daily stock file."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.columns import text
from data_platform.catalog.crsp.classification import CLASSIFICATION
from data_platform.catalog.crsp.conventions import CLASSES, IDENTIFIERS, RETURNS, capitalisation, paid_on_leaving
from data_platform.catalog.model import Column, Partitioning, Table, WrdsQuery
from data_platform.catalog.rules import Severity
from data_platform.catalog.ruling import at_least, codes, in_order
from data_platform.catalog.series import Series

CRSP_DAILY: Final = Table(
    name="crsp_daily",
    dataset="crsp",
    title="CRSP daily stock file",
    description="One row per security and trading day: prices, returns, volume, shares and classification.",
    columns=(
        Column("permno", "int32", "permno", "CRSP's permanent security number; never reassigned.", nullable=False),
        Column("date", "date", "dlycaldt", "Trading day.", nullable=False),
        Column("permco", "int32", "permco", "CRSP's permanent company number.", nullable=False),
        Column("ticker", "str", "ticker", "Ticker on that day; tickers are reused, identify by permno."),
        Column("cusip", "str", "cusip", "Eight-character CUSIP on that day."),
        Column("siccd", "int32", "siccd", "Standard Industrial Classification code."),
        Column(
            "prc",
            "float64",
            "dlyprc",
            "Price; dlyprcflg says whether of a trade, a midpoint or a delisting.",
            "USD",
            max_null_share=0.25,
        ),
        text("dlyprcflg", "What prc is: TR trade, BA bid/ask midpoint, MP missing; CIZ has further ones."),
        Column(
            "ret",
            "float64",
            "dlyret",
            "Total return; from CIZ with the delisting return, from SIZ without.",
            "decimal",
            max_null_share=0.25,
        ),
        Column("retx", "float64", "dlyretx", "Return without dividends.", "decimal", max_null_share=0.25),
        text("dlyretmissflg", "Why ret is missing: a CIZ flag, or from SIZ its special code, such as -66."),
        Column("vol", "float64", "dlyvol", "Shares traded.", "shares"),
        Column("bid", "float64", "dlybid", "Closing bid.", "USD"),
        Column("ask", "float64", "dlyask", "Closing ask.", "USD"),
        Column("openprc", "float64", "dlyopen", "Opening price.", "USD"),
        Column("dlyclose", "float64", "dlyclose", "Closing trade price.", "USD"),
        Column("bidlo", "float64", "dlylow", "Lowest trade (or bid) of the day.", "USD"),
        Column("askhi", "float64", "dlyhigh", "Highest trade (or ask) of the day.", "USD"),
        Column("numtrd", "int64", "dlynumtrd", "Number of trades.", "trades"),
        Column("dlycap", "float64", "dlycap", "Market capitalisation.", "thousand USD"),
        Column("dlyprevprc", "float64", "dlyprevprc", "Previous price.", "USD"),
        text("dlydelflg", "Y on a delisting day."),
        Column("dlyorddivamt", "float64", "dlyorddivamt", "Ordinary dividends with this ex-date.", "USD"),
        Column("dlynonorddivamt", "float64", "dlynonorddivamt", "Other distributions with this ex-date.", "USD"),
        Column("dlyfacprc", "float64", "dlyfacprc", "Price factor of the day.", "factor"),
        Column(
            "cfacpr",
            "float64",
            "dlycumfacpr",
            "Cumulative price factor; adjusted price = prc / cfacpr.",
            "factor",
        ),
        Column("cfacshr", "float64", "dlycumfacshr", "Cumulative share factor.", "factor"),
        Column("shrout", "int64", "shrout", "Shares outstanding.", "thousand shares"),
        *CLASSIFICATION,
    ),
    key=("permno", "date"),
    date_column="date",
    partitioning=Partitioning.YEAR,
    origin=WrdsQuery(
        relation="crsp.dsf_v2",
        sql="crsp/crsp_daily.sql",
        date_column="dlycaldt",
        siz=WrdsQuery(relation="crsp.dsf", sql="crsp/crsp_daily_siz.sql", date_column="date"),
    ),
    calendar="XNYS",
    first_date=dt.date(1925, 12, 31),
    rules=(
        *IDENTIFIERS,
        *CLASSES,
        *RETURNS,
        paid_on_leaving("dlydelflg"),
        *at_least(0, "vol", "numtrd", "shrout", "dlycap", reason="Counts and amounts are not negative."),
        *at_least(0, "cfacpr", "cfacshr", reason="A factor of 0 means that there is none; none is negative."),
        *at_least(
            0,
            *("bid", "ask", "openprc", "dlyclose", "bidlo", "askhi", "dlyprevprc", "dlyorddivamt"),
            reason="A quote, price or dividend below 0 is a mistake at the source.",
            severity=Severity.WARNING,
        ),
        in_order("bid", "ask", reason="Quotes that cross are seldom more than an error of timing."),
        in_order("bidlo", "dlyclose", "askhi", reason="The close is one of the day's prices."),
        in_order("bidlo", "openprc", "askhi", reason="So is the opening price."),
        capitalisation("dlycap", "dlydelflg"),
        codes("dlydelflg", "Y", "N", reason="A flag says yes or no."),
    ),
    series=Series(
        entity="permno",
        date="date",
        price="prc",
        total_return="ret",
        price_return="retx",
        previous_price="dlyprevprc",
        dividend="dlyorddivamt",
        distribution="dlynonorddivamt",
        factor="dlyfacprc",
        cumulative_factor="cfacpr",
        volume="vol",
        high="askhi",
        low="bidlo",
        opening="openprc",
        closing="dlyclose",
        bid="bid",
        ask="ask",
        shares="shrout",
        market_cap="dlycap",
        leaving="dlydelflg",
    ),
)
