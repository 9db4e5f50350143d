"""What Compustat repeats on every row of a company, as of today and not of the row's date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from data_platform.sources.demo.compustat.firms import Firms
from data_platform.sources.demo.market.eras import check_digit
from data_platform.sources.demo.market.roles import Role
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Flags, Ints

EXCHANGES: Final = {"N": 11, "A": 12, "Q": 14}
"""Compustat's exchange codes."""


@dataclass(frozen=True, slots=True)
class Headers:
    """One entry per company; `lead` is the security that stands for it, `active` whether it is still listed."""

    lead: Ints
    tic: list[str]
    cusip: list[str]
    conm: list[str]
    active: Flags
    exchg: Ints


def headers_of(market: Market, firms: Firms) -> Headers:
    """The present name, ticker and CUSIP (nine characters) of every company."""
    roles = market.universe.roles
    lead = np.array(
        [members[-1] if roles[members[-1]] == Role.SUCCESSOR else members[0] for members in firms.securities],
        dtype=np.int64,
    )
    era: list[int] = market.eras.last_of(len(roles))[lead].tolist()
    cusips = [market.eras.cusip[at] for at in era]
    return Headers(
        lead=lead,
        tic=[market.eras.ticker[at] for at in era],
        cusip=[text + check_digit(text) for text in cusips],
        conm=[market.eras.issuer[at] for at in era],
        active=market.universe.last[lead] == len(market.sessions) - 1,
        exchg=np.array([EXCHANGES[market.eras.exchange[at]] for at in era], dtype=np.int64),
    )
