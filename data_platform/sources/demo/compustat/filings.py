"""When statements became known: reports and filings, of which some are late, and some only the second vintage has.

Most companies report within two months and file some days later. Every eighteenth reports more than 90 days late, every
other eighteenth has no report date at all now and then, and files later still. The last quarter of every ninth company
was not filed yet when the first vintage was taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from data_platform.sources.demo.compustat.firms import Firms
from data_platform.sources.demo.compustat.quarters import Quarters
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Flags, Ints

_REPORTS_LATE, _NO_REPORT = 13, 4
_PENDING_EVERY, _PENDING = 9, 6
_SOMETIMES: Final = 3
"""A company without report dates has none in one of so many quarters."""


@dataclass(frozen=True, slots=True)
class Filings:
    """`reported` and `filed` are ordinals of days, 0 for unknown; `pending` is what the first vintage lacks."""

    reported: Ints
    filed: Ints
    pending: Flags


def filings_of(market: Market, firms: Firms, quarters: Quarters) -> Filings:
    """The days of every quarter, one row per company."""
    rng = np.random.Generator(np.random.PCG64([market.seed, 4]))
    shape = quarters.day.shape
    annual = quarters.quarter == 4  # noqa: PLR2004 - the last one
    report = np.where(annual, rng.integers(30, 60, shape), rng.integers(20, 40, shape))
    filing = report + rng.integers(1, 15, shape)
    late = (firms.turn == _REPORTS_LATE)[:, None]
    report = np.where(late, rng.integers(95, 140, shape), report)
    filing = np.where(late, report + rng.integers(5, 30, shape), filing)
    number: Ints = np.arange(len(quarters.day[0]), dtype=np.int64)
    silent: Flags = (firms.turn == _NO_REPORT)[:, None] & (number % _SOMETIMES == 0)
    filing = np.where(silent, rng.integers(130, 170, shape), filing)
    last = np.zeros(shape, dtype=np.bool_)
    final = quarters.there & (quarters.calendar_year == market.stored[-1].year)
    closing = shape[1] - 1 - np.argmax(final[:, ::-1], axis=1)
    last[np.arange(len(firms)), closing] = final[np.arange(len(firms)), closing]
    pending = last & (np.arange(len(firms)) % _PENDING_EVERY == _PENDING)[:, None]
    return Filings(reported=np.where(silent, 0, quarters.day + report), filed=quarters.day + filing, pending=pending)
