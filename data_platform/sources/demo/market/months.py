"""The months of the stored part, and sums and products over them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class Months:
    """`starts` are positions within the stored sessions; `last` is each month's last session, `yyyymm` its number."""

    starts: Ints
    last: list[dt.date]
    yyyymm: Ints

    def last_where(self, flags: Flags) -> Ints:
        """Along the last axis, the position of each month's last True; -1 where a month has none."""
        positions = np.where(flags, np.arange(flags.shape[-1], dtype=np.int64), -1)
        return np.maximum.reduceat(positions, self.starts, axis=-1)

    def total(self, values: Floats) -> Floats:
        """The sum of each month's numbers, NaN counting as nothing."""
        return np.add.reduceat(np.nan_to_num(values), self.starts, axis=-1)

    def compounded(self, returns: Floats) -> Floats:
        """Each month's decimal return from its days; NaN for a month without any."""
        growth = np.multiply.reduceat(1 + np.nan_to_num(returns), self.starts, axis=-1) - 1
        known = np.logical_or.reduceat(~np.isnan(returns), self.starts, axis=-1)
        return np.where(known, np.round(growth, 6), np.nan)


def months_of(stored: Sequence[dt.date]) -> Months:
    """The months that these sessions, in order, belong to."""
    numbers = np.array([day.year * 100 + day.month for day in stored], dtype=np.int64)
    yyyymm, starts = np.unique(numbers, return_index=True)
    ends = [*starts[1:].tolist(), len(stored)]
    return Months(starts.astype(np.int64), [stored[end - 1] for end in ends], yyyymm)


@dataclass(frozen=True, slots=True)
class MonthEnds:
    """One entry per security and month with a stored row, ordered by both.

    `inside` counts securities within the block, `month` months; `at` is the session (of all) that the month's price is
    from, `before` that of the month before, -1 where the security was not listed then.
    """

    inside: Ints
    who: Ints
    month: Ints
    at: Ints
    before: Ints


def month_ends(market: Market, months: Months, block: slice, listed: Flags | None = None) -> MonthEnds:
    """Where each security of the block stands at the end of each month, the last one it was listed in included.

    `listed` says which stored sessions count, if not all that the security was listed on.
    """
    ends = months.last_where(market.listed[block, market.opening :] if listed is None else listed)
    inside, month = np.nonzero(ends >= 0)
    at = ends[inside, month] + market.opening
    was_listed = np.where(market.listed[block, market.opening - 1], market.opening - 1, -1)
    same = np.concatenate([[False], inside[1:] == inside[:-1]])
    before = np.where(same, np.concatenate([[-1], at[:-1]]), np.where(month == 0, was_listed[inside], -1))
    return MonthEnds(inside, inside + block.start, month, at, before)
