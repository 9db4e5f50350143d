"""What the synthetic market's factors were: long-short returns of its own securities, sorted on what was known."""

from __future__ import annotations

from typing import Final

import numpy as np

from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Floats, Ints

_MOMENTUM_WINDOW: Final = (250, 21)
_MISSING_CELLS: Final = 4


def investable(market: Market) -> tuple[Floats, Floats]:
    """Each security's return and its capitalisation of the day before, in thousand USD; NaN unless there are both."""
    cap = market.price * market.shares
    known = np.concatenate([np.full((len(cap), 1), np.nan), cap[:, :-1]], axis=1)
    usable = ~np.isnan(market.ret) & ~np.isnan(known)
    return np.where(usable, market.ret, np.nan), np.where(usable, known, np.nan)


def percent_factors(market: Market) -> dict[str, Floats]:
    """Daily factor returns in percent over all sessions; sorts use what was known the day before."""
    returns, known = investable(market)
    usable = ~np.isnan(known)
    weights = np.nan_to_num(known)
    value, profit, investment = (market.universe.loadings[:, column, None] for column in (2, 4, 5))
    size = -known
    smb = _spread(size, returns, 0.5)
    thirds = np.digitize(market.universe.loadings[:, 2], np.quantile(market.universe.loadings[:, 2], (1 / 3, 2 / 3)))
    by_third = [_spread(size[thirds == third], returns[thirds == third], 0.5) for third in range(3)]
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.nansum(weights * np.nan_to_num(returns), axis=0) / weights.sum(axis=0)
    mom = _spread(_past_returns(market), returns, 0.3)
    # A few days without a figure, as the real file's early years have them.
    mom[market.opening + 7 + 31 * np.arange(_MISSING_CELLS)] = np.nan
    return {
        "Mkt-RF": 100 * (total - market.riskfree),
        "SMB": 100 * smb,
        "HML": 100 * _spread(np.where(usable, value, np.nan), returns, 0.3),
        "RF": 100 * market.riskfree,
        "Mom": 100 * mom,
        "SMB5": 100 * np.mean(by_third, axis=0),
        "RMW": 100 * _spread(np.where(usable, profit, np.nan), returns, 0.3),
        "CMA": 100 * _spread(np.where(usable, investment, np.nan), returns, 0.3),
    }


def _spread(score: Floats, returns: Floats, share: float) -> Floats:
    """Mean return of the securities with the highest scores minus that of those with the lowest, per session."""
    both = ~np.isnan(score) & ~np.isnan(returns)
    counts = both.sum(axis=0)
    order = np.argsort(np.where(both, score, np.inf), axis=0, kind="stable")
    sums = np.cumsum(np.take_along_axis(np.where(both, returns, 0.0), order, axis=0), axis=0)
    sums = np.concatenate([np.zeros((1, sums.shape[1])), sums])
    side = np.maximum((share * counts).astype(np.int64), 1)
    session: Ints = np.arange(len(counts), dtype=np.int64)
    known = counts >= 2  # noqa: PLR2004 - one on each side
    side = np.where(known, side, 0)
    high, low = sums[counts, session] - sums[counts - side, session], sums[side, session]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, (high - low) / side, np.nan)


def _past_returns(market: Market) -> Floats:
    """Growth from 250 to 21 sessions before, or from the first session there is; NaN where either price is missing."""
    far, near = _MOMENTUM_WINDOW
    adjusted = market.price * np.cumprod(market.split, axis=1)
    index = np.arange(adjusted.shape[1], dtype=np.int64)
    growth = adjusted[:, np.maximum(index - near, 0)] / adjusted[:, np.maximum(index - far, 0)] - 1
    growth[:, index <= near] = np.nan
    return growth
