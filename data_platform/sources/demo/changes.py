"""What the second vintage changed, counted: whoever syncs it must find so many rows, and no others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_platform.sources.demo.compustat.filings import filings_of
from data_platform.sources.demo.compustat.firms import firms_of
from data_platform.sources.demo.compustat.quarters import quarters_of
from data_platform.sources.demo.compustat.statements import complete_years, restated_years
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Flags
from data_platform.sources.demo.vintages import restated_days


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """So many rows of a relation with a date in this year are new or differ from the first vintage's."""

    relation: str
    year: int
    rows: int


def vintage_changes(market: Market) -> list[Change]:
    """Ordered by relation and year; the date is that of the relation's own date column."""
    firms = firms_of(market)
    quarters = quarters_of(market, firms)
    pending = filings_of(market, firms, quarters).pending
    restated = len(restated_years(market, firms, quarters)[0])
    first, last = market.stored[0].year, market.stored[-1].year
    # A financial company has each statement twice.
    copies = np.where(firms.financial, 2, 1)[:, None]

    def arrived(flags: Flags) -> int:
        return int((flags * copies).sum())

    found = [
        Change("crsp.dsf_v2", first, len(restated_days(market))),
        Change("comp.funda", first, restated),
        Change("comp.funda", last, arrived(pending & complete_years(quarters))),
        Change("comp.fundq", first, restated),
        Change("comp.fundq", last, arrived(pending)),
        Change("comp.co_filedate", last, int(pending.sum())),
    ]
    totals: dict[tuple[str, int], int] = {}
    for change in found:
        totals[change.relation, change.year] = totals.get((change.relation, change.year), 0) + change.rows
    return sorted(Change(relation, year, rows) for (relation, year), rows in totals.items() if rows)
