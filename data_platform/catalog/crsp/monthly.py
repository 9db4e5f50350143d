"""The CRSP monthly stock file."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.columns import day, number, text, whole
from data_platform.catalog.crsp.classification import CLASSIFICATION
from data_platform.catalog.crsp.conventions import CLASSES, IDENTIFIERS, RETURNS, capitalisation, paid_on_leaving
from data_platform.catalog.model import Column, Partitioning, Table, WrdsQuery
from data_platform.catalog.rules import Severity
from data_platform.catalog.ruling import at_least, codes, in_order
from data_platform.catalog.series import Series

CRSP_MONTHLY: Final = Table(
    name="crsp_monthly",
    dataset="crsp",
    title="CRSP monthly stock file",
    description=(
        "One row per security and month, dated on the month's last session: price, return, volume, shares and "
        "classification. Join other monthly tables on `yyyymm` or on the month, since theirs may be dated on its last "
        "calendar day."
    ),
    columns=(
        whole("permno", "CRSP's permanent security number; never reassigned.", required=True),
        day("date", "Last session of the month.", source="mthcaldt", required=True),
        whole("yyyymm", "Year and month as one number, such as 202412.", required=True),
        whole("permco", "CRSP's permanent company number.", required=True),
        text("ticker", "Ticker at the price's date; tickers are reused, identify by permno."),
        text("cusip", "Eight-character CUSIP at the price's date."),
        whole("siccd", "Standard Industrial Classification code."),
        number("prc", "Last price of the month.", "USD", source="mthprc", max_null_share=0.25),
        text("mthprcflg", "What prc is: TR trade, BA bid/ask midpoint, MP missing; CIZ has further ones."),
        day("mthprcdt", "Day of the price; null from SIZ."),
        number(
            "ret",
            "Total return of the month; from CIZ with the delisting return, from SIZ without.",
            "decimal",
            source="mthret",
            max_null_share=0.25,
        ),
        number("retx", "Return without dividends.", "decimal", source="mthretx", max_null_share=0.25),
        text("mthretflg", "What kind of return, or why it is missing: a CIZ flag, or from SIZ its special code."),
        number("vol", "Shares traded in the month.", "shares", source="mthvol"),
        number("mthcap", "Market capitalisation.", "thousand USD"),
        number("mthprevprc", "Previous price; null from SIZ.", "USD"),
        text("mthdelflg", "Whether the month holds a delisting; null from SIZ."),
        number("cfacpr", "Cumulative price factor; adjusted price = prc / cfacpr.", "factor", source="mthcumfacpr"),
        number("cfacshr", "Cumulative share factor.", "factor", source="mthcumfacshr"),
        Column("shrout", "int64", "shrout", "Shares outstanding.", "thousand shares"),
        *CLASSIFICATION,
    ),
    key=("permno", "date"),
    date_column="date",
    partitioning=Partitioning.YEAR,
    origin=WrdsQuery(
        relation="crsp.msf_v2",
        sql="crsp/crsp_monthly.sql",
        date_column="mthcaldt",
        siz=WrdsQuery(relation="crsp.msf", sql="crsp/crsp_monthly_siz.sql", date_column="date"),
    ),
    calendar="last_session:XNYS",
    first_date=dt.date(1925, 12, 31),
    rules=(
        *IDENTIFIERS,
        *CLASSES,
        *RETURNS,
        paid_on_leaving("mthdelflg"),
        *at_least(0, "vol", "shrout", "mthcap", reason="Counts and amounts are not negative."),
        *at_least(0, "cfacpr", "cfacshr", reason="A factor of 0 means that there is none; none is negative."),
        *at_least(0, "mthprevprc", reason="A price below 0 is a mistake at the source.", severity=Severity.WARNING),
        *at_least(192512, "yyyymm", reason="CRSP begins in December 1925; the number is the year times 100 and month."),
        in_order("mthprcdt", "date", reason="A month's price is of its last session or of an earlier day."),
        capitalisation("mthcap", "mthdelflg"),
        codes("mthdelflg", "Y", "N", reason="A flag says yes or no."),
    ),
    series=Series(
        entity="permno",
        date="date",
        price="prc",
        total_return="ret",
        price_return="retx",
        previous_price="mthprevprc",
        cumulative_factor="cfacpr",
        volume="vol",
        shares="shrout",
        market_cap="mthcap",
        leaving="mthdelflg",
    ),
)
