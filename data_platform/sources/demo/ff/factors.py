"""The demo's `ff.factors_*` and `ff.fivefactors_*`: the data library's figures divided by 100, to the last digit.

WRDS dates a month by its first day and adds the last session as `dateff`; days are sessions. A figure that the file
marks as missing is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import number
from data_platform.sources.demo.library.published import PublishedFactors
from data_platform.sources.demo.market.months import months_of
from data_platform.sources.demo.market.simulation import Market
from data_platform.sources.demo.market.universe import Floats

_DECIMAL: Final = "numeric(8,6)"

_THREE: Final = {"mktrf": "Mkt-RF", "smb": "SMB", "hml": "HML", "rf": "RF"}
_FIVE: Final = {"mktrf": "Mkt-RF", "smb": "SMB5", "hml": "HML", "rmw": "RMW", "cma": "CMA", "rf": "RF"}
"""Each relation's columns, and the library's names of what is in them."""

_MOMENTUM: Final = {"umd": "Mom"}
_CALENDAR: Final[dict[str, LiteralString]] = {"year": "integer", "month": "integer"}


def _types(names: Mapping[str, str]) -> dict[str, LiteralString]:
    return dict.fromkeys(names, _DECIMAL)


DAILY_COLUMNS: Final[dict[str, LiteralString]] = {"date": "date", **_types(_THREE), **_types(_MOMENTUM)}
FIVE_DAILY_COLUMNS: Final[dict[str, LiteralString]] = {"date": "date", **_types(_FIVE), **_types(_MOMENTUM)}
MONTHLY_COLUMNS: Final[dict[str, LiteralString]] = {
    "date": "date",
    **_types(_THREE),
    **_CALENDAR,
    **_types(_MOMENTUM),
    "dateff": "date",
}
FIVE_MONTHLY_COLUMNS: Final[dict[str, LiteralString]] = {
    "date": "date",
    **_types(_FIVE),
    **_CALENDAR,
    **_types(_MOMENTUM),
    "dateff": "date",
}


def daily_frame(market: Market, published: PublishedFactors, *, five: bool = False) -> pl.DataFrame:
    """One row per stored session."""
    columns = _columns(published.daily, five=five)
    declared = FIVE_DAILY_COLUMNS if five else DAILY_COLUMNS
    return pl.DataFrame({"date": pl.Series(market.stored, dtype=pl.Date), **columns}).select(list(declared))


def monthly_frame(market: Market, published: PublishedFactors, *, five: bool = False) -> pl.DataFrame:
    """One row per month."""
    last = pl.Series(months_of(market.stored).last, dtype=pl.Date)
    columns = _columns(published.monthly, five=five)
    declared = FIVE_MONTHLY_COLUMNS if five else MONTHLY_COLUMNS
    dates = {"date": last.dt.month_start(), "year": last.dt.year(), "month": last.dt.month(), "dateff": last}
    return pl.DataFrame({**dates, **columns}).select(list(declared))


def _columns(percent: Mapping[str, Floats], *, five: bool) -> dict[str, pl.Series]:
    names = {**(_FIVE if five else _THREE), **_MOMENTUM}
    return {name: number(np.round(percent[header] / 100, 6)) for name, header in names.items()}
