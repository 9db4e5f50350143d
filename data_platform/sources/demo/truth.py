"""The ground truth: what made the prices, kept apart from everything that a user of WRDS could see.

It lies as Parquet files in the demo's folder and never in the database, so that an estimate can be held against it
and can't be made from it. `loadings.parquet` has a row per permno, `factors_daily.parquet` one per stored session;
their columns are the six factors, as decimals a day.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import polars as pl

from data_platform.records.private_files import private_folder, write_private
from data_platform.sources.demo.market.simulation import Market

FACTORS: Final = ("market", "size", "value", "momentum", "profitability", "investment")


def loadings_frame(market: Market) -> pl.DataFrame:
    """How much each security moves with each factor."""
    columns = dict(zip(FACTORS, market.universe.loadings.T, strict=True))
    return pl.DataFrame({"permno": market.universe.permno, **columns})


def factors_frame(market: Market) -> pl.DataFrame:
    """The factors' returns on each stored session. They have nothing to do with what the data library prints."""
    columns = dict(zip(FACTORS, market.factors[market.opening :].T, strict=True))
    return pl.DataFrame({"date": pl.Series(market.stored, dtype=pl.Date), **columns})


def write_truth(folder: Path, market: Market) -> None:
    """Put both files into the folder."""
    private_folder(folder)
    for name, frame in (("loadings", loadings_frame(market)), ("factors_daily", factors_frame(market))):
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        write_private(folder / f"{name}.parquet", buffer.getvalue())
