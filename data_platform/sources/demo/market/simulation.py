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

from data_platform.sources.demo.market.eras import Eras, draw_eras
from data_platform.sources.demo.market.leaving import Leaving, draw_leaving
from data_platform.sources.demo.market.roles import FEWEST, Role
from data_platform.sources.demo.market.universe import Flags, Floats, Ints, Universe, draw_universe

_FACTOR_MEANS: Final = (0.0004, 0.0001, 0.0001, 0.0002, 0.0001, 0.0001)
_FACTOR_DEVIATIONS: Final = (0.011, 0.005, 0.005, 0.006, 0.003, 0.003)
_SPLITS: Final = 0.0001
_MISSING_PRICES: Final = 0.002
_NO_TRADE: Final = 0.01
_DIVIDEND_INTERVAL: Final = 63
_SPECIAL: Final = 0.02
"""Share of dividend days on which something extraordinary is paid as well."""

_MIN_PRICE: Final = 0.10


@dataclass(frozen=True, slots=True)
class Market:
    """The simulated history. Sessions before `opening` are only history for the first stored ones.

    `price` is in USD; `traded` is False where it is a bid/ask midpoint; `previous` indexes the last session with a
    price before, -1 where there is none; `ret` and `retx` are decimals, those of a last session delisting returns;
    `split` is shares after per share before; `dividend` and `special`, ordinary and not, in USD; `shares` in
    thousands; `riskfree` is a daily decimal. `factors` has a row per session: the returns that drove the prices.
    """

    seed: int
    sessions: list[dt.date]
    opening: int
    universe: Universe
    eras: Eras
    leaving: Leaving
    listed: Flags
    price: Floats
    traded: Flags
    previous: Ints
    ret: Floats
    retx: Floats
    split: Floats
    dividend: Floats
    special: Floats
    shares: Ints
    riskfree: Floats
    factors: Floats

    @property
    def stored(self) -> list[dt.date]:
        """The sessions that relations have rows of."""
        return self.sessions[self.opening :]


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
    leaving = draw_leaving(rng, universe, len(sessions))
    shape = (securities, len(sessions))
    index = np.arange(len(sessions), dtype=np.int64)
    listed = (index >= universe.first[:, None]) & (index <= universe.last[:, None])
    # The last two sessions of a security that leaves are its last trade and its delisting.
    inside = (index > universe.first[:, None]) & (index < universe.last[:, None] - 1)

    split = np.where(inside & (rng.random(shape, dtype=np.float32) < _SPLITS), 2.0, 1.0)
    split[universe.having(Role.SPLITS), (opening + len(sessions)) // 2] = 2.0
    quiet = inside & (split == 1.0)
    missing = quiet & (rng.random(shape, dtype=np.float32) < _MISSING_PRICES)
    _miss_once(missing, quiet, universe, opening)
    traded = ~(quiet & (rng.random(shape, dtype=np.float32) < _NO_TRADE))
    traded[leaving.who, universe.last[leaving.who]] = False
    factors = rng.normal(_FACTOR_MEANS, _FACTOR_DEVIATIONS, size=(len(index), len(_FACTOR_MEANS)))
    price = _prices(rng, universe, leaving, factors, split)
    price[~listed | missing] = np.nan
    previous = _last_priced(price)
    prior = np.where(previous >= 0, np.take_along_axis(price, np.maximum(previous, 0), axis=1), np.nan)
    dividend, special = _dividends(rng, universe, price, quiet)
    return Market(
        seed=seed,
        sessions=sessions,
        opening=opening,
        universe=universe,
        eras=draw_eras(rng, universe, len(sessions), opening),
        leaving=leaving,
        listed=listed,
        price=price,
        traded=traded,
        previous=previous,
        ret=np.round((price * split + dividend + special) / prior - 1, 6),
        retx=np.round(price * split / prior - 1, 6),
        split=split,
        dividend=dividend,
        special=special,
        shares=_shares(rng, universe, split),
        riskfree=_riskfree(rng, sessions),
        factors=factors,
    )


def _miss_once(missing: Flags, quiet: Flags, universe: Universe, opening: int) -> None:
    """Let each of the first securities lack a price once, so that a small market has every reason for it."""
    for who in range(FEWEST):
        begin, end = max(opening, int(universe.first[who])), int(universe.last[who])
        day = (begin + end) // 2 + 1
        missing[who, day] = quiet[who, day]


def _prices(rng: np.random.Generator, universe: Universe, leaving: Leaving, factors: Floats, split: Floats) -> Floats:
    moves = universe.loadings @ factors.T
    moves += universe.volatility[:, None] * rng.normal(size=split.shape)
    moves[leaving.who, universe.last[leaving.who]] = leaving.ret
    index = np.arange(split.shape[1], dtype=np.int64)
    moves[index <= universe.first[:, None]] = 0.0
    np.maximum(moves, -0.9, out=moves)
    moves += 1
    path = np.cumprod(moves, axis=1, out=moves)
    path *= universe.price[:, None]
    path /= np.cumprod(split, axis=1)
    for who, heir in zip(leaving.who.tolist(), leaving.successor.tolist(), strict=True):
        if heir >= 0:
            path[heir] *= path[who, universe.last[who]] / path[heir, universe.first[heir]]
    np.round(path, 2, out=path)
    np.maximum(path, _MIN_PRICE, out=path)
    unknown = leaving.who[~leaving.known]
    path[unknown, universe.last[unknown]] = np.nan
    return path


def _last_priced(price: Floats) -> Ints:
    positions = np.arange(price.shape[1], dtype=np.int32)
    index = np.where(np.isnan(price), np.int32(-1), positions)
    seen = np.maximum.accumulate(index, axis=1)
    return np.concatenate([np.full((price.shape[0], 1), -1, dtype=np.int32), seen[:, :-1]], axis=1).astype(np.int64)


def _dividends(rng: np.random.Generator, universe: Universe, price: Floats, quiet: Flags) -> tuple[Floats, Floats]:
    """Quarterly, on days of each payer's own, about half a percent of the price; sometimes a special one with it."""
    offset = rng.integers(0, _DIVIDEND_INTERVAL, size=len(universe.permno))
    day = np.arange(price.shape[1], dtype=np.int64) + offset[:, None]
    due = day % _DIVIDEND_INTERVAL == 0
    pays = due & quiet & universe.pays_dividends[:, None] & ~np.isnan(price)
    who, when = np.nonzero(pays)
    generous = universe.roles[who] == Role.SPECIAL_DIVIDENDS
    extra = rng.random(len(who)) < np.where(generous, 0.25, _SPECIAL)
    # The first one of whoever has the role within the stored part is certain.
    firsts = np.flatnonzero(generous & (when >= price.shape[1] // 2))
    extra[firsts[np.unique(who[firsts], return_index=True)[1]]] = True
    dividend, special = np.zeros(price.shape), np.zeros(price.shape)
    dividend[who, when] = np.maximum(np.round(price[who, when] * 0.005, 2), 0.01)
    special[who, when] = np.where(extra, np.maximum(np.round(price[who, when] * 0.02, 2), 0.02), 0.0)
    return dividend, special


def _shares(rng: np.random.Generator, universe: Universe, split: Floats) -> Ints:
    """Issued shares: splits at once, and a small issue or buyback about every quarter."""
    chosen = rng.random(split.shape, dtype=np.float32) < 1 / _DIVIDEND_INTERVAL
    growth = np.ones(split.shape)
    growth[chosen] += rng.normal(0.001, 0.004, int(chosen.sum()))
    growth *= split
    shares = universe.shares[:, None] * np.cumprod(growth, axis=1, out=growth)
    return np.maximum(np.round(shares), 500).astype(np.int64)


def _riskfree(rng: np.random.Generator, sessions: list[dt.date]) -> Floats:
    """A bill rate that is constant within a month, in thousandths of a percent a day."""
    months = [session.year * 12 + session.month for session in sessions]
    order = np.unique(months, return_inverse=True)[1]
    annual = np.clip(0.02 + np.cumsum(rng.normal(0.0, 0.002, size=int(order.max()) + 1)), 0.0, 0.06)
    return np.round(annual / 252, 5)[order]
