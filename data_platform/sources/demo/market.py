"""A deterministic market: the same seed gives the same numbers, row by row.

Returns follow six factors plus noise of each security's own. Prices are rounded to cents first, and returns are
computed from the rounded prices, so that price, return, dividend and split agree as they do in CRSP.
Arrays have one row per security and one column per session; NaN is missing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from data_platform.sources.demo.universe import Floats, Ints, Universe, draw_universe

_FACTOR_MEANS: Final = (0.0004, 0.0001, 0.0001, 0.0002, 0.0001, 0.0001)
_FACTOR_DEVIATIONS: Final = (0.011, 0.005, 0.005, 0.006, 0.003, 0.003)
_FAILURES: Final = 0.4
"""Share of delistings that are for poor performance: the last return is a heavy loss."""

_SPLITS: Final = 0.0001
_MISSING_PRICES: Final = 0.002
_NO_TRADE: Final = 0.01
_DIVIDEND_INTERVAL: Final = 63
_MIN_PRICE: Final = 0.10

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Market:
    """The simulated history. Sessions before `opening` are only history for the first stored ones.

    `price` is in USD; `traded` is False where it is a bid/ask midpoint; `previous` indexes the last session with a
    price before, -1 where there is none; `ret` and `retx` are decimals; `split` is shares after per share before;
    `dividend` in USD; `shares` in thousands; `riskfree` is a daily decimal.
    """

    sessions: list[dt.date]
    opening: int
    universe: Universe
    listed: Flags
    price: Floats
    traded: Flags
    previous: Ints
    ret: Floats
    retx: Floats
    split: Floats
    dividend: Floats
    shares: Ints
    riskfree: Floats


def sessions_of(first_year: int, last_year: int) -> list[dt.date]:
    """The New York Stock Exchange's sessions of these years, both inclusive."""
    import exchange_calendars  # noqa: PLC0415 - over a second to import

    calendar = exchange_calendars.get_calendar("XNYS", start=f"{first_year}-01-01", end=f"{last_year}-12-31")
    return cast("Any", calendar.sessions).date.tolist()


def simulate(seed: int, first_year: int, last_year: int, securities: int) -> Market:
    """Generate the market of these years; one year more is simulated before them and not stored."""
    sessions = sessions_of(first_year - 1, last_year)
    opening = sum(session.year < first_year for session in sessions)
    rng = np.random.Generator(np.random.PCG64(seed))
    universe = draw_universe(rng, securities, len(sessions), opening)
    shape = (securities, len(sessions))
    index = np.arange(len(sessions), dtype=np.int64)
    listed = (index >= universe.first[:, None]) & (index <= universe.last[:, None])
    inside = (index > universe.first[:, None]) & (index < universe.last[:, None])

    split = np.where(inside & (rng.random(shape) < _SPLITS), 2.0, 1.0)
    quiet = inside & (split == 1.0)
    missing = quiet & (rng.random(shape) < _MISSING_PRICES)
    traded = ~(quiet & (rng.random(shape) < _NO_TRADE))
    price = _prices(rng, universe, split, listed, index)
    price[missing] = np.nan
    previous = _last_priced(price)
    prior = np.where(previous >= 0, np.take_along_axis(price, np.maximum(previous, 0), axis=1), np.nan)
    dividend = _dividends(rng, universe, price, quiet)
    return Market(
        sessions=sessions,
        opening=opening,
        universe=universe,
        listed=listed,
        price=price,
        traded=traded,
        previous=previous,
        ret=np.round((price * split + dividend) / prior - 1, 6),
        retx=np.round(price * split / prior - 1, 6),
        split=split,
        dividend=dividend,
        shares=_shares(rng, universe, split),
        riskfree=_riskfree(rng, sessions),
    )


def _prices(rng: np.random.Generator, universe: Universe, split: Floats, listed: Flags, index: Ints) -> Floats:
    factors = rng.normal(_FACTOR_MEANS, _FACTOR_DEVIATIONS, size=(len(index), len(_FACTOR_MEANS)))
    moves = universe.loadings @ factors.T + universe.volatility[:, None] * rng.normal(size=listed.shape)
    count = len(universe.permno)
    failed = rng.random(count) < _FAILURES
    shock = np.where(failed, rng.uniform(-0.6, -0.2, size=count), rng.uniform(0.02, 0.2, size=count))
    leaving = np.flatnonzero(universe.last < index[-1])
    moves[leaving, universe.last[leaving]] = shock[leaving]
    moves[index <= universe.first[:, None]] = 0.0
    path = universe.price[:, None] * np.cumprod(1 + np.maximum(moves, -0.9), axis=1) / np.cumprod(split, axis=1)
    return np.where(listed, np.maximum(np.round(path, 2), _MIN_PRICE), np.nan)


def _last_priced(price: Floats) -> Ints:
    positions = np.arange(price.shape[1], dtype=np.int64)
    index = np.where(np.isnan(price), -1, positions)
    seen = np.maximum.accumulate(index, axis=1)
    return np.concatenate([np.full((price.shape[0], 1), -1), seen[:, :-1]], axis=1)


def _dividends(rng: np.random.Generator, universe: Universe, price: Floats, quiet: Flags) -> Floats:
    """Quarterly, on days of each payer's own, about half a percent of the price."""
    offset = rng.integers(0, _DIVIDEND_INTERVAL, size=len(universe.permno))
    day = np.arange(price.shape[1], dtype=np.int64) + offset[:, None]
    due = day % _DIVIDEND_INTERVAL == 0
    pays = due & quiet & universe.pays_dividends[:, None] & ~np.isnan(price)
    return np.where(pays, np.maximum(np.round(np.nan_to_num(price) * 0.005, 2), 0.01), 0.0)


def _shares(rng: np.random.Generator, universe: Universe, split: Floats) -> Ints:
    """Issued shares: splits at once, and a small issue or buyback about every quarter."""
    changes = np.where(rng.random(split.shape) < 1 / _DIVIDEND_INTERVAL, rng.normal(0.001, 0.004, split.shape), 0.0)
    shares = universe.shares[:, None] * np.cumprod(split, axis=1) * np.cumprod(1 + changes, axis=1)
    return np.maximum(np.round(shares), 500).astype(np.int64)


def _riskfree(rng: np.random.Generator, sessions: list[dt.date]) -> Floats:
    """A bill rate that is constant within a month, in thousandths of a percent a day."""
    months = [session.year * 12 + session.month for session in sessions]
    order = np.unique(months, return_inverse=True)[1]
    annual = np.clip(0.02 + np.cumsum(rng.normal(0.0, 0.002, size=int(order.max()) + 1)), 0.0, 0.06)
    return np.round(annual / 252, 5)[order]
