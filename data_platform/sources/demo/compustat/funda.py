"""The demo's `comp.funda`: annual statements, one row per company, fiscal year and way of presenting them.

The usual rows have `indfmt` INDL and `datafmt` STD. A financial company has a second row with `indfmt` FS. Some
companies have rows with `datafmt` SUMM_STD, which hold an earlier year's figures as they were restated since.
"""

from __future__ import annotations

from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import Values, in_order, number, picked
from data_platform.sources.demo.compustat.headers import headers_of
from data_platform.sources.demo.compustat.statements import (
    Statements,
    dates_of,
    is_restating,
    year_to_date,
    year_total,
)
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Floats, Ints

_AMOUNT: Final = "numeric(18,3)"
_STOCKS: Final = (
    *("at", "lt", "act", "lct", "che", "rect", "invt", "ppent", "ppegt", "intan", "dlc", "dltt", "seq", "ceq", "pstk"),
    *("pstkl", "pstkrv", "txditc", "txdb", "itcb", "re", "mib"),
)
_FLOWS: Final = (
    *("sale", "revt", "cogs", "gp", "xsga", "xrd", "xint", "pi", "txt", "ib", "ni", "dp", "oibdp", "oiadp", "ebit"),
    *("ebitda", "capx", "oancf", "dvc", "dvp", "sstk", "prstkc"),
)

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "gvkey": "varchar(6)",
    "datadate": "date",
    "fyear": "integer",
    "indfmt": "varchar(4)",
    "consol": "varchar(1)",
    "popsrc": "varchar(1)",
    "datafmt": "varchar(12)",
    "tic": "varchar(8)",
    "cusip": "varchar(9)",
    "conm": "varchar(60)",
    "curcd": "varchar(3)",
    "fyr": "smallint",
    **dict.fromkeys((*_STOCKS, *_FLOWS), _AMOUNT),
    "csho": _AMOUNT,
    "ajex": "numeric(12,6)",
    "prcc_f": "numeric(18,4)",
    "prcc_c": "numeric(18,4)",
    "mkvalt": "numeric(18,4)",
    "emp": _AMOUNT,
    "sich": "integer",
    "exchg": "smallint",
    "costat": "varchar(1)",
    "fic": "varchar(3)",
    "pdate": "date",
    "fdate": "date",
}

_INDUSTRIAL_ONLY: Final = ("cogs", "gp", "xsga", "invt")
_RESTATED: Final = ("sale", "revt", "gp", "oibdp", "oiadp", "ebit", "ebitda", "pi", "ib", "ni")
_RESTATED_BY: Final = 0.02
_SALES_PER_HEAD: Final = 300
"""Thousand USD a year; `emp` counts thousands of people."""


def relation_frame(market: Market, statements: Statements) -> pl.DataFrame:
    """All rows, ordered by gvkey, date and format."""
    company, at = np.nonzero(statements.annual)
    usual = _rows(market, statements, company, at)
    financial = pl.Series(statements.firms.financial[company])
    services = usual.filter(financial).with_columns(
        pl.lit("FS").alias("indfmt"), *(pl.lit(None).cast(pl.Float64).alias(name) for name in _INDUSTRIAL_ONLY)
    )
    # Whoever restates does so with the next year's statement.
    followed = pl.Series(np.append(company[1:] == company[:-1], [False]) & is_restating(statements.firms, company))
    change = (pl.col("sale") * _RESTATED_BY).round(3)
    restated = usual.filter(followed).with_columns(
        pl.lit("SUMM_STD").alias("datafmt"), *((pl.col(name) + change).round(3) for name in _RESTATED)
    )
    return pl.concat([usual, services, restated]).sort("gvkey", "datadate", "indfmt", "datafmt", nulls_last=True)


def _rows(market: Market, statements: Statements, company: Ints, at: Ints) -> pl.DataFrame:
    quarters, filings, headers = statements.quarters, statements.filings, headers_of(market, statements.firms)
    sale = year_total(statements.items["sale"])[company, at]
    columns: dict[str, Values] = {
        **identity(market, statements, company),
        "datadate": dates_of(quarters.day[company, at]),
        "fyear": quarters.year[company, at],
        "curcd": "USD",
        "fyr": quarters.ends[company, at],
        **{name: number(values[company, at]) for name, values in stocks(statements).items() if name in _STOCKS},
        **_flows(statements, company, at),
        "csho": np.round(quarters.shares[company, at], 3),
        "ajex": quarters.split_ahead[company, at],
        "prcc_f": quarters.price[company, at],
        "prcc_c": _calendar_close(market, headers.lead[company], quarters.calendar_year[company, at]),
        "mkvalt": np.round(quarters.cap[company, at], 4),
        "emp": np.round(sale / _SALES_PER_HEAD, 3),
        "sich": market.universe.siccd[headers.lead[company]],
        "pdate": dates_of(filings.reported[company, at]),
        "fdate": dates_of(filings.filed[company, at]),
    }
    return in_order(columns, COLUMN_TYPES)


def identity(market: Market, statements: Statements, company: Ints) -> dict[str, Values]:
    """What every row of a company says about it, and the usual format."""
    headers = headers_of(market, statements.firms)
    return {
        "gvkey": picked(statements.firms.gvkey, company),
        "indfmt": "INDL",
        "consol": "C",
        "popsrc": "D",
        "datafmt": "STD",
        "tic": picked(headers.tic, company),
        "cusip": picked(headers.cusip, company),
        "conm": picked(headers.conm, company),
        "exchg": headers.exchg[company],
        "costat": picked(("I", "A"), headers.active[company].astype(np.int64)),
        "fic": "USA",
    }


def stocks(statements: Statements) -> dict[str, Floats]:
    """The balance sheet of every quarter, with its sums; a financial company's has no current items."""
    items = statements.items
    seq = np.round(items["ceq"] + items["pstk"], 3)
    found = {
        **items,
        "seq": seq,
        "at": np.round(items["lt"] + seq + items["mib"], 3),
        "pstkl": items["pstk"],
        "pstkrv": items["pstk"],
        "txditc": np.round(items["txdb"] + items["itcb"], 3),
    }
    industrial = ~statements.firms.financial[:, None]
    return found | {name: np.where(industrial, items[name], np.nan) for name in ("act", "lct", "invt")}


def _flows(statements: Statements, company: Ints, at: Ints) -> dict[str, Values]:
    items, quarter = statements.items, statements.quarters.quarter
    sources = {"ebit": "oiadp", "ebitda": "oibdp"}
    found: dict[str, Values] = {}
    for name in _FLOWS:
        values = items[sources.get(name, name)]
        total = year_to_date(values, quarter) if name in {"capx", "oancf"} else year_total(values)
        found[name] = number(total[company, at])
    return found


def _calendar_close(market: Market, lead: Ints, year: Ints) -> pl.Series:
    """The price at the end of the calendar year; null where it was not listed then or the year is not over."""
    last = {session.year: index for index, session in enumerate(market.sessions)}
    at = np.array([last[one] for one in year.tolist()], dtype=np.int64)
    return number(np.where(market.listed[lead, at], market.price[lead, at], np.nan))
