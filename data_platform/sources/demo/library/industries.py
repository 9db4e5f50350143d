"""The synthetic market's industries: its securities dealt out, since invented firms belong to none by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from data_platform.sources.demo.library.factors import investable
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Floats, Ints, Universe

NAMES: Final = {
    count: tuple(names.split())
    for count, names in {
        10: "NoDur Durbl Manuf Enrgy HiTec Telcm Shops Hlth Utils Other",
        30: "Food Beer Smoke Games Books Hshld Clths Hlth Chems Txtls Cnstr Steel FabPr ElcEq Autos Carry Mines Coal "
        "Oil Util Telcm Servs BusEq Paper Trans Whlsl Rtail Meals Fin Other",
        49: "Agric Food Soda Beer Smoke Toys Fun Books Hshld Clths Hlth MedEq Drugs Chems Rubbr Txtls BldMt Cnstr "
        "Steel FabPr Mach ElcEq Autos Aero Ships Guns Gold Mines Coal Oil Util Telcm PerSv BusSv Hardw Softw Chips "
        "LabEq Paper Boxes Trans Whlsl Rtail Meals Banks Insur RlEst Fin Other",
    }.items()
}
"""The library's own short names, so that a query for the demo is a query for the real tables."""

_BEGINS_LATE: Final = "Softw"
"""Where there is such an industry it has one firm, which is listed midway, and no figures before."""

_FEWEST: Final = 3
"""Securities in every other industry; a small market's securities are in several."""

_THOUSANDS_IN_A_MILLION: Final = 1000


@dataclass(frozen=True, slots=True)
class Industries:
    """Percent returns with one row per industry and one column per stored session, and figures per month."""

    names: tuple[str, ...]
    value_weighted: Floats
    equal_weighted: Floats
    firms: Floats
    size: Floats
    book_to_market: Floats


def industries(market: Market, count: int, month_starts: Ints) -> Industries:
    """Group the market into one of the library's numbers of industries; months begin at these stored sessions.

    A month's firms are those with a return in it, and `size` is their average capitalisation when the month began for
    them, in million USD; NaN is missing.
    """
    belongs = _membership(market.universe, NAMES[count]).astype(np.float64)
    returns, known = (values[:, market.opening :] for values in investable(market))
    usable = ~np.isnan(returns)
    weights, moves = np.nan_to_num(known), np.nan_to_num(returns)
    active = np.logical_or.reduceat(usable, month_starts, axis=1)
    firms = belongs @ active
    return Industries(
        names=NAMES[count],
        value_weighted=100 * _ratio(belongs @ (weights * moves), belongs @ weights),
        equal_weighted=100 * _ratio(belongs @ moves, belongs @ usable),
        firms=firms,
        size=_ratio(belongs @ _opening_caps(weights, usable, month_starts), firms * _THOUSANDS_IN_A_MILLION),
        book_to_market=_ratio(belongs @ np.exp(market.universe.loadings[:, 2] - 0.5), belongs.sum(axis=1)),
    )


def _membership(universe: Universe, names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which security (column) is in which industry (row): dealt out like cards, again where they do not suffice."""
    belongs = np.zeros((len(names), len(universe.permno)), dtype=np.bool_)
    securities = list(range(len(universe.permno)))
    others = [index for index, name in enumerate(names) if name != _BEGINS_LATE]
    if len(others) < len(names):
        by_listing = np.argsort(universe.first, kind="stable")
        latecomer = int(by_listing[-1 - np.count_nonzero(universe.first) // 2])
        belongs[names.index(_BEGINS_LATE), latecomer] = True
        securities.remove(latecomer)
    for turn in range(max(len(securities), _FEWEST * len(others))):
        dealt = (turn + turn // len(securities)) % len(securities)
        belongs[others[turn % len(others)], securities[dealt]] = True
    return belongs


def _opening_caps(weights: Floats, usable: npt.NDArray[np.bool_], starts: Ints) -> Floats:
    """Each security's capitalisation on its first usable session of each month; 0 where it has none."""
    ends = [*starts[1:], weights.shape[1]]
    months = zip(starts, ends, strict=True)
    firsts = np.column_stack([start + np.argmax(usable[:, start:end], axis=1) for start, end in months])
    return np.take_along_axis(weights, firsts, axis=1)


def _ratio(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)
