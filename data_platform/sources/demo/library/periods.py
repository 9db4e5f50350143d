"""From daily percent figures to monthly and annual ones, as whoever compounds the published figures gets them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data_platform.sources.demo.market.universe import Floats, Ints


@dataclass(frozen=True, slots=True)
class Periods:
    """Months or years: the data library's key of each, and the position at which each begins."""

    keys: list[str]
    starts: Ints


def periods(days: Sequence[dt.date], form: str) -> Periods:
    """The periods that these days, in order, belong to; `form` is a key's date format."""
    keys, starts = np.unique([day.strftime(form) for day in days], return_index=True)
    return Periods(keys.tolist(), starts)


def compounded(percent: Floats, starts: Ints) -> Floats:
    """Compound along the last axis within each period; NaN for a period without any figure."""
    growth = np.multiply.reduceat(1 + np.nan_to_num(percent) / 100, starts, axis=-1)
    known = np.logical_or.reduceat(~np.isnan(percent), starts, axis=-1)
    return np.where(known, 100 * (growth - 1), np.nan)
