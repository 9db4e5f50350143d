"""The market's factors as the data library prints them: percent, rounded, days and what is compounded from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from data_platform.sources.demo.library.factors import percent_factors
from data_platform.sources.demo.library.periods import Periods, compounded, periods
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Floats

DAILY_DIGITS: Final = {"RF": 3}
"""Digits of a daily figure where they are not two; longer periods have two."""


@dataclass(frozen=True, slots=True)
class PublishedFactors:
    """Percent by factor, one entry per stored session, month or year; NaN is missing."""

    daily: Mapping[str, Floats]
    monthly: Mapping[str, Floats]
    annual: Mapping[str, Floats]


def published_factors(market: Market) -> PublishedFactors:
    """Months and years are compounded from the days as they are printed, so that whoever does so gets the same."""
    months, years = (periods(market.stored, form) for form in ("%Y%m", "%Y"))
    daily = {
        name: _printed(values[market.opening :], DAILY_DIGITS.get(name, 2))
        for name, values in percent_factors(market).items()
    }
    return PublishedFactors(daily, _compounded(daily, months), _compounded(daily, years))


def _compounded(daily: Mapping[str, Floats], period: Periods) -> dict[str, Floats]:
    """The market is compounded together with the bill rate, and is in excess of it afterwards."""
    values = {name: compounded(percent, period.starts) for name, percent in daily.items()}
    total = compounded(daily["Mkt-RF"] + daily["RF"], period.starts)
    values["Mkt-RF"] = total - values["RF"]
    return {name: _printed(percent, 2) for name, percent in values.items()}


def _printed(values: Floats, digits: int) -> Floats:
    """What is left after printing with so many digits; numpy's own rounding differs in the last one at times."""
    return np.array([float(f"{value:.{digits}f}") for value in values.tolist()])
