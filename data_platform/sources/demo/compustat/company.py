"""The demo's `comp.company` and `comp.security`: who the companies are, and which issues they have."""

from __future__ import annotations

import datetime as dt
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import in_order, picked
from data_platform.sources.demo.compustat.firms import Firms, firms_of, iid
from data_platform.sources.demo.compustat.headers import EXCHANGES, headers_of
from data_platform.sources.demo.compustat.quarters import Quarters
from data_platform.sources.demo.market.beginnings import beginnings
from data_platform.sources.demo.market.eras import check_digit
from data_platform.sources.demo.market.leaving import Reason
from data_platform.sources.demo.market.sectors import SECTORS
from data_platform.sources.demo.market.simulation import Market

COMPANY_COLUMNS: Final[dict[str, LiteralString]] = {
    "gvkey": "varchar(6)",
    "conm": "varchar(60)",
    "conml": "varchar(100)",
    "cik": "varchar(10)",
    "costat": "varchar(1)",
    "dldte": "date",
    "dlrsn": "varchar(2)",
    "fic": "varchar(3)",
    "loc": "varchar(3)",
    "state": "varchar(8)",
    "incorp": "varchar(8)",
    "sic": "varchar(4)",
    "naics": "varchar(6)",
    "gsector": "varchar(2)",
    "ggroup": "varchar(4)",
    "gind": "varchar(6)",
    "gsubind": "varchar(8)",
    "idbflag": "varchar(1)",
    "ipodate": "date",
    "fyrc": "smallint",
    "priusa": "varchar(8)",
    "prirow": "varchar(8)",
    "prican": "varchar(8)",
    "stko": "smallint",
}
SECURITY_COLUMNS: Final[dict[str, LiteralString]] = {
    "gvkey": "varchar(6)",
    "iid": "varchar(3)",
    "tic": "varchar(8)",
    "cusip": "varchar(9)",
    "isin": "varchar(12)",
    "sedol": "varchar(7)",
    "ibtic": "varchar(6)",
    "dsci": "varchar(28)",
    "excntry": "varchar(3)",
    "exchg": "smallint",
    "epf": "varchar(1)",
    "secstat": "varchar(1)",
    "dldtei": "date",
    "dlrsni": "varchar(8)",
    "tpci": "varchar(8)",
}

_FIRST_CIK: Final = 9_900_000_001
"""The register's own numbers end well below."""

_STATES: Final = ("CA", "NY", "TX", "IL", "MA", "WA")
_REASONS: Final = {Reason.MERGED: "01", Reason.EXCHANGED: "01", Reason.LIQUIDATED: "03", Reason.DROPPED: "02"}


def company_frame(market: Market, quarters: Quarters) -> pl.DataFrame:
    """One row per company, ordered by gvkey."""
    firms = firms_of(market)
    headers, since = headers_of(market, firms), beginnings(market)
    number = np.arange(len(firms))
    left, reasons = _left(market)
    sectors = [SECTORS[code] for code in market.universe.siccd[headers.lead].tolist()]
    lead = headers.lead.tolist()
    return in_order(
        {
            "gvkey": firms.gvkey,
            "conm": headers.conm,
            "conml": [name.title() for name in headers.conm],
            "cik": [str(_FIRST_CIK + at) for at in number.tolist()],
            "costat": picked(("I", "A"), headers.active.astype(np.int64)),
            "dldte": pl.Series([left[at] for at in lead], dtype=pl.Date),
            "dlrsn": pl.Series([reasons[at] for at in lead], dtype=pl.String),
            "fic": "USA",
            "loc": "USA",
            "state": picked(_STATES, number % len(_STATES)),
            "incorp": picked(("DE", "NV"), (number % 5 == 0).astype(np.int64)),
            "sic": [f"{code:04d}" for code in market.universe.siccd[headers.lead].tolist()],
            "naics": [sector.naics for sector in sectors],
            **{
                name: [sector.gics[:length] for sector in sectors]
                for name, length in {"gsector": 2, "ggroup": 4, "gind": 6, "gsubind": 8}.items()
            },
            "idbflag": "D",
            "ipodate": pl.Series([since[members[0]] for members in firms.securities], dtype=pl.Date),
            "fyrc": quarters.ends[:, -1],
            "priusa": [iid(firms, at, security) for at, security in enumerate(lead)],
            "prirow": None,
            "prican": None,
            "stko": 0,
        },
        COMPANY_COLUMNS,
    ).sort("gvkey")


def security_frame(market: Market) -> pl.DataFrame:
    """One row per issue, ordered by gvkey and iid."""
    firms = firms_of(market)
    left, reasons = _left(market)
    eras = market.eras
    who = np.arange(len(market.universe.permno))
    last: list[int] = eras.last_of(len(who)).tolist()
    cusips = [eras.cusip[at] + check_digit(eras.cusip[at]) for at in last]
    company = market.universe.company.tolist()
    return in_order(
        {
            "gvkey": [firms.gvkey[at] for at in company],
            "iid": [iid(firms, at, security) for security, at in enumerate(company)],
            "tic": [eras.ticker[at] for at in last],
            "cusip": cusips,
            "isin": [_isin(text) for text in cusips],
            # Numbers that begin with 9 are left to whoever wants to give some.
            "sedol": [f"9{security:06d}" for security in who.tolist()],
            "ibtic": [eras.ticker[at] for at in last],
            "dsci": [_description(firms, at, security) for security, at in enumerate(company)],
            "excntry": "USA",
            "exchg": [EXCHANGES[eras.exchange[at]] for at in last],
            "epf": "N",
            "secstat": pl.Series(["A" if day is None else "I" for day in left]),
            "dldtei": pl.Series(left, dtype=pl.Date),
            "dlrsni": pl.Series(reasons, dtype=pl.String),
            "tpci": "0",
        },
        SECURITY_COLUMNS,
    ).sort("gvkey", "iid")


def _left(market: Market) -> tuple[list[dt.date | None], list[str | None]]:
    """The day of each security's last trade and Compustat's reason, None for those still listed."""
    days: list[dt.date | None] = [None] * len(market.universe.permno)
    reasons: list[str | None] = [None] * len(days)
    for who, reason in zip(market.leaving.who.tolist(), market.leaving.reason.tolist(), strict=True):
        days[who] = market.sessions[int(market.universe.last[who]) - 1]
        reasons[who] = _REASONS[Reason(reason)]
    return days, reasons


def _description(firms: Firms, company: int, security: int) -> str:
    members = firms.securities[company]
    return "COM" if len(members) == 1 else f"COM {'AB'[members.index(security)]}"


def _isin(cusip: str) -> str:
    """The American ISIN of a CUSIP: its check digit is that of a card number, over digits that letters became."""
    body = f"US{cusip}"
    digits = "".join(str(int(letter, 36)) for letter in body)
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return f"{body}{-sum(value // 10 + value % 10 for value in doubled) % 10}"
