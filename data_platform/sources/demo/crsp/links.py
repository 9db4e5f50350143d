"""The demo's `crsp.ccmxpf_lnkhist`: which gvkey belongs to which permno, and when.

Most links are LC or LU and have been the same all the time. Others must be looked for: ranges without a security (NR,
NU), a company whose link moves to another permno the day after it ended at the first, a primary marker that changes
from P to C within one link, second share classes (J, liid 02), and a duplicate (LD) from another company's gvkey.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, LiteralString, NamedTuple

import polars as pl

from data_platform.sources.demo.compustat.firms import Firms, firms_of, iid
from data_platform.sources.demo.market.beginnings import beginnings
from data_platform.sources.demo.market.roles import Role
from data_platform.sources.demo.market.simulation import Market

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "gvkey": "varchar(6)",
    "linkprim": "varchar(1)",
    "liid": "varchar(3)",
    "linktype": "varchar(2)",
    "lpermno": "double precision",
    "lpermco": "double precision",
    "linkdt": "date",
    "linkenddt": "date",
}

_DAY: Final = dt.timedelta(days=1)
_UNLINKED: Final = dt.timedelta(days=730)
_OTHER_TYPES: Final = {9: "LS", 10: "LN", 11: "LU"}
_DUPLICATES, _CHANGES_PRIMARY = 12, 14
_NOT_YET: Final = {15: "NU", 16: "NR"}
_LU_OF, _C_OF = 7, 5
"""One in so many links is LU, and one in so many primary markers is CRSP's own."""


class _Link(NamedTuple):
    gvkey: str
    linkprim: str
    liid: str | None
    linktype: str
    lpermno: float | None
    lpermco: float | None
    linkdt: dt.date
    linkenddt: dt.date | None


def relation_frame(market: Market) -> pl.DataFrame:
    """One row per link, ordered by gvkey and time."""
    firms, since = firms_of(market), beginnings(market)
    links: list[_Link] = []
    for company in range(len(firms)):
        links += _of_company(market, firms, since, company)
    links.sort(key=lambda link: (link.gvkey, link.linkdt, link.liid or ""))
    schema = {name: _POLARS[kind] for name, kind in COLUMN_TYPES.items()}
    return pl.DataFrame(links, schema=schema, orient="row")


_POLARS: Final = {
    "varchar(6)": pl.String,
    "varchar(1)": pl.String,
    "varchar(3)": pl.String,
    "varchar(2)": pl.String,
    "double precision": pl.Float64,
    "date": pl.Date,
}


def _of_company(market: Market, firms: Firms, since: list[dt.date], company: int) -> list[_Link]:
    turn, gvkey = int(firms.turn[company]), firms.gvkey[company]
    kind = _OTHER_TYPES.get(turn, "LU" if company % _LU_OF == 2 else "LC")  # noqa: PLR2004 - any remainder
    marker = "C" if company % _C_OF == 3 else "P"  # noqa: PLR2004 - any remainder
    links: list[_Link] = []
    for security in firms.securities[company]:
        joiner = market.universe.roles[security] == Role.SECOND_CLASS
        begin, end = since[security], _end(market, security)
        permno, permco = float(market.universe.permno[security]), float(market.universe.permco[security])
        whole = _Link(gvkey, "J" if joiner else marker, iid(firms, company, security), kind, permno, permco, begin, end)
        change = market.stored[len(market.stored) // 2]
        if turn == _CHANGES_PRIMARY and not joiner and begin < change and (end is None or change <= end):
            links += [
                whole._replace(linkprim="P", linkenddt=change - _DAY),
                whole._replace(linkprim="C", linkdt=change),
            ]
        else:
            links.append(whole)
    first = links[0]
    if turn in _NOT_YET:
        links.append(
            first._replace(
                liid=None,
                linktype=_NOT_YET[turn],
                lpermno=None,
                lpermco=None,
                linkdt=first.linkdt - _UNLINKED,
                linkenddt=first.linkdt - _DAY,
            )
        )
    if turn == _DUPLICATES and company + 1 < len(firms):
        links.append(first._replace(gvkey=firms.gvkey[company + 1], linkprim="N", linktype="LD"))
    return links


def _end(market: Market, security: int) -> dt.date | None:
    """The last day of the last link: that of the last trade, or the day before a successor's first."""
    last = int(market.universe.last[security])
    if last == len(market.sessions) - 1:
        return None
    succeeded = market.universe.roles[security] == Role.PREDECESSOR
    return market.sessions[last] - _DAY if succeeded else market.sessions[last - 1]
