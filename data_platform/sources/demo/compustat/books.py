"""The companies' books, quarter by quarter: assets grow, sales are made, and what is left belongs to somebody.

They follow the characteristics that drive returns: book-to-market the value loading, profits the profitability
loading, and asset growth the investment loading, with the opposite sign.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from data_platform.sources.demo.compustat.firms import Firms
from data_platform.sources.demo.compustat.quarters import Quarters
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Floats

Items = dict[str, Floats]
"""Compustat's item names; million USD, one row per company and one column per quarter."""

_PULL: Final = 0.06
"""Of the distance between book equity and what the value loading implies, so much is made up in a quarter."""

_TAX: Final = 0.21


def keep_books(market: Market, firms: Firms, quarters: Quarters) -> Items:
    """Items as reported in thousands, so rounded to three decimals; sums are taken of rounded figures."""
    rng = np.random.Generator(np.random.PCG64([market.seed, 3]))
    count, periods = len(firms), len(quarters.day[0])
    value, profit, investment = (market.universe.loadings[firms.primary, column] for column in (2, 4, 5))
    equity_share: Floats = np.where(firms.financial, rng.uniform(0.08, 0.15, count), rng.uniform(0.3, 0.6, count))
    turnover = np.exp(rng.normal(-1.6, 0.3, count)) * np.where(firms.financial, 0.2, 1.0)
    cost_share: Floats = rng.uniform(0.4, 0.6, count)
    season = 1 + 0.1 * rng.normal(size=(count, 4))
    return_on_assets = np.where(firms.financial, 0.2, 1.0) * np.maximum(0.035 + 0.02 * profit, 0.004)
    target = np.log(quarters.cap) + value[:, None] - 0.5
    ceq = np.exp(target[:, 0])
    assets: Floats = ceq / equity_share
    shocks = rng.normal(size=(3, periods, count))
    found: dict[str, list[Floats]] = {name: [] for name in ("at", "sale", "cogs", "xsga", "capx", "oancf")}
    for number in range(periods):
        before = assets
        pull = np.clip(_PULL * (target[:, number] - np.log(ceq)), -0.03, 0.03)
        assets = before * (1 + 0.012 - 0.03 * investment + pull + 0.01 * shocks[0, number])
        ceq = assets * equity_share
        sale = before * turnover * season[:, number % 4] * np.exp(0.03 * shocks[1, number])
        operating = before * (return_on_assets + 0.004 * shocks[2, number])
        cogs = np.minimum(sale * cost_share, 0.9 * sale)
        xsga = np.maximum(sale - cogs - operating, 0.02 * sale)
        capx = before * np.maximum(0.012 - 0.008 * investment, 0.002)
        values = {"at": assets, "sale": sale, "cogs": cogs, "xsga": xsga, "capx": capx}
        values["oancf"] = operating * (1 - _TAX) + 0.003 * before
        for name, item in values.items():
            found[name].append(item)
    raw = {name: np.column_stack(items) for name, items in found.items()}
    return _balance(rng, market, firms, quarters, raw, equity_share)


def _balance(
    rng: np.random.Generator, market: Market, firms: Firms, quarters: Quarters, raw: Items, equity_share: Floats
) -> Items:
    """Both sides of the balance sheet and the flows between equity and its owners."""
    assets, count = raw["at"], len(firms)

    def some(share: float, of_those: float) -> Floats:
        return np.where(rng.random(count) < of_those, share, 0.0)[:, None] * assets

    items: Items = {name: np.round(values, 3) for name, values in raw.items() if name != "at"}
    ceq, pstk, mib = (
        np.round(assets * equity_share[:, None], 3),
        np.round(some(0.02, 0.1), 3),
        np.round(some(0.01, 0.2), 3),
    )
    lt = np.round(assets - ceq - pstk - mib, 3)
    items |= {"ceq": ceq, "pstk": pstk, "mib": mib, "lt": lt}
    shares = {"dlc": 0.08, "dltt": 0.4, "txdb": 0.03, "itcb": 0.004, "lct": 0.38}
    items |= {name: np.round(share * lt, 3) for name, share in shares.items()}
    parts = {"che": 0.12, "rect": 0.12, "invt": 0.09, "act": 0.38, "ppent": 0.33, "ppegt": 0.55, "intan": 0.14}
    tilt = np.exp(0.2 * rng.normal(size=(len(parts), count, 1)))
    items |= {
        name: np.round(np.minimum(share * tilt[row], 1.2 * share) * assets, 3)
        for row, (name, share) in enumerate(parts.items())
    }
    # A bank owns few machines, and owes most to depositors, who get little.
    bank = np.where(firms.financial, 0.1, 1.0)[:, None]
    items["dp"] = np.round(0.01 * bank * assets, 3)
    items["xint"] = np.round(0.012 * bank * (items["dlc"] + items["dltt"]), 3)
    items["xrd"] = np.where(rng.random(count)[:, None] < 0.6, np.round(0.3 * items["xsga"], 3), np.nan)  # noqa: PLR2004
    items["txt"] = np.round(_TAX * (items["sale"] - items["cogs"] - items["xsga"] - items["dp"] - items["xint"]), 3)
    items["dvc"] = np.round(_dividends(market, firms, quarters), 3)
    items["dvp"] = np.round(0.015 * pstk, 3)
    ni = earnings(items)["ni"]
    kept = ni - items["dvc"] - items["dvp"]
    items["re"] = np.round(0.4 * ceq[:, :1] + np.cumsum(kept, axis=1), 3)
    issued: Floats = np.diff(ceq, axis=1, prepend=ceq[:, :1]) - kept
    items |= {"sstk": _positive(issued), "prstkc": _positive(-issued)}
    return items


def _positive(values: Floats) -> Floats:
    kept: Floats = np.maximum(values, 0.0)
    return np.round(kept, 3)


def earnings(items: Items) -> Items:
    """What follows from sales and costs: gross profit, income before and after this and that, net income."""
    sale, dp = items["sale"], items["dp"]
    oibdp = sale - items["cogs"] - items["xsga"]
    found = {"revt": sale, "gp": sale - items["cogs"], "oibdp": oibdp, "oiadp": oibdp - dp}
    found["pi"] = found["oiadp"] - items["xint"]
    found["ib"] = found["pi"] - items["txt"]
    return {name: np.round(values, 3) for name, values in {**found, "ni": found["ib"]}.items()}


def _dividends(market: Market, firms: Firms, quarters: Quarters) -> Floats:
    """What the company's securities paid between the ends of two quarters, in million USD."""
    paid = np.zeros(quarters.day.shape)
    for company, members in enumerate(firms.securities):
        ends = np.maximum(quarters.session[company], 0)
        for security in members:
            amounts = (market.dividend[security] + market.special[security]) * market.shares[security] / 1000
            paid[company] += np.diff(np.cumsum(amounts)[ends], prepend=0.0)
    return paid
