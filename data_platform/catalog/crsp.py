"""CRSP US stock data in the CIZ (version 2) format, as WRDS serves it.

Columns carry the classic CRSP name where there is one (permno, date, prc, ret, ...) and the WRDS name otherwise.
Nothing is adjusted, signed or imputed when storing: delisting returns are already inside `ret` in this format.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.model import Column, Dataset, Partitioning, Table, WrdsQuery


def _flag(name: str, description: str) -> Column:
    return Column(name, "str", name, description)


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
            "Price; see dlyprcflg for trade or bid/ask.",
            "USD",
            max_null_share=0.25,
        ),
        _flag("dlyprcflg", "What prc is: TR trade, BA bid/ask midpoint, MP missing."),
        Column(
            "ret",
            "float64",
            "dlyret",
            "Total return, delisting return included.",
            "decimal",
            max_null_share=0.25,
        ),
        Column("retx", "float64", "dlyretx", "Return without dividends.", "decimal", max_null_share=0.25),
        _flag("dlyretmissflg", "Why ret is missing."),
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
        _flag("dlydelflg", "Y on a delisting day."),
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
        _flag("sharetype", "NS: no special share type."),
        _flag("securitytype", "EQTY: equity."),
        _flag("securitysubtype", "COM: common."),
        _flag("usincflg", "Y: incorporated in the US."),
        _flag("issuertype", "ACOR or CORP: corporation."),
        _flag("primaryexch", "N NYSE, A American, Q NASDAQ."),
        _flag("conditionaltype", "RW regular way, NW when issued turned regular."),
        _flag("tradingstatusflg", "A: active."),
    ),
    key=("permno", "date"),
    date_column="date",
    partitioning=Partitioning.YEAR,
    origin=WrdsQuery(relation="crsp.dsf_v2", sql="crsp/crsp_daily.sql", date_column="dlycaldt"),
    calendar="XNYS",
    first_date=dt.date(1925, 12, 31),
)

CRSP: Final = Dataset(
    name="crsp",
    title="CRSP US stock database",
    licence="Licensed through WRDS for the subscriber's own research; redistribution is not permitted.",
    tables=(CRSP_DAILY,),
)
