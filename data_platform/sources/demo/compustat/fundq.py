"""The demo's `comp.fundq`: quarterly statements. Amounts of the cash flow statement run from the fiscal year's start.

A company that changed its fiscal year has two rows with the same `fyearq` and `fqtr` and different dates. `rdq` is null
for who never announced, and late for some. Financial companies have a second row with `indfmt` FS.
"""

from __future__ import annotations

from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import Values, in_order, number
from data_platform.sources.demo.compustat.funda import identity, stocks
from data_platform.sources.demo.compustat.statements import Statements, dates_of, year_to_date
from data_platform.sources.demo.market.simulation import Market

_AMOUNT: Final = "numeric(18,3)"
_STOCKS: Final = (
    *("at", "lt", "act", "lct", "che", "rect", "invt", "ppent", "intan", "dlc", "dltt", "seq", "ceq", "pstk"),
    *("txditc", "re", "mib"),
)
_FLOWS: Final = (*("sale", "revt", "cogs", "xsga", "xrd", "xint", "pi", "txt", "ib", "ni", "dp", "oibdp", "oiadp"),)

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "gvkey": "varchar(6)",
    "datadate": "date",
    "fyearq": "integer",
    "fqtr": "smallint",
    "fyr": "smallint",
    "indfmt": "varchar(4)",
    "consol": "varchar(1)",
    "popsrc": "varchar(1)",
    "datafmt": "varchar(12)",
    "tic": "varchar(8)",
    "cusip": "varchar(9)",
    "conm": "varchar(60)",
    "curcdq": "varchar(3)",
    "datacqtr": "varchar(6)",
    "datafqtr": "varchar(6)",
    "rdq": "date",
    **dict.fromkeys((f"{name}q" for name in (*_STOCKS, *_FLOWS)), _AMOUNT),
    "epspxq": "numeric(18,4)",
    "epsfxq": "numeric(18,4)",
    "cshoq": _AMOUNT,
    "ajexq": "numeric(12,6)",
    "prccq": "numeric(18,4)",
    "mkvaltq": "numeric(18,4)",
    "capxy": _AMOUNT,
    "oancfy": _AMOUNT,
    "exchg": "smallint",
    "costat": "varchar(1)",
    "fic": "varchar(3)",
    "pdateq": "date",
    "fdateq": "date",
}

_INDUSTRIAL_ONLY: Final = ("cogsq", "xsgaq", "invtq")
_DILUTION: Final = 0.98


def relation_frame(market: Market, statements: Statements) -> pl.DataFrame:
    """All rows, ordered by gvkey, date and format."""
    company, at = np.nonzero(statements.there)
    quarters, filings, items = statements.quarters, statements.filings, statements.items
    balance = stocks(statements)
    shares = np.round(quarters.shares[company, at], 3)
    per_share = items["ib"][company, at] / shares
    reported = dates_of(filings.reported[company, at])
    columns: dict[str, Values] = {
        **identity(market, statements, company),
        "datadate": dates_of(quarters.day[company, at]),
        "fyearq": quarters.year[company, at],
        "fqtr": quarters.quarter[company, at],
        "fyr": quarters.ends[company, at],
        "curcdq": "USD",
        "datacqtr": _calendar_quarters(statements)[company, at].tolist(),
        "datafqtr": [
            f"{year}Q{number_}"
            for year, number_ in zip(
                quarters.year[company, at].tolist(), quarters.quarter[company, at].tolist(), strict=True
            )
        ],
        "rdq": reported,
        **{f"{name}q": number(balance[name][company, at]) for name in _STOCKS},
        **{f"{name}q": number(items[name][company, at]) for name in _FLOWS},
        "epspxq": np.round(per_share, 4),
        "epsfxq": np.round(per_share * np.where(per_share > 0, _DILUTION, 1.0), 4),
        "cshoq": shares,
        "ajexq": quarters.split_ahead[company, at],
        "prccq": quarters.price[company, at],
        "mkvaltq": np.round(quarters.cap[company, at], 4),
        "capxy": year_to_date(items["capx"], quarters.quarter)[company, at],
        "oancfy": year_to_date(items["oancf"], quarters.quarter)[company, at],
        "pdateq": reported,
        "fdateq": dates_of(filings.filed[company, at]),
    }
    usual = in_order(columns, COLUMN_TYPES)
    services = usual.filter(pl.Series(statements.firms.financial[company])).with_columns(
        pl.lit("FS").alias("indfmt"), *(pl.lit(None).cast(pl.Float64).alias(name) for name in _INDUSTRIAL_ONLY)
    )
    return pl.concat([usual, services]).sort("gvkey", "datadate", "indfmt", nulls_last=True)


def _calendar_quarters(statements: Statements) -> np.ndarray[tuple[int, ...], np.dtype[np.str_]]:
    """The calendar quarter that most of the period lies in: one that ends in January is the last of the year before."""
    quarters = statements.quarters
    months = quarters.calendar_year * 12 + quarters.month - 2
    year, quarter = months // 12, months % 12 // 3 + 1
    return np.char.add(np.char.add(year.astype(np.str_), "Q"), quarter.astype(np.str_))
