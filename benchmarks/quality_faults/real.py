"""Clean partitions from real prices: five well-known shares, unadjusted, with adjusted closes that say the rest.

The file lies beside the checkout and is never copied into it. Total returns are those of the adjusted close; where it
moves otherwise than the close by more than a dividend does, there was a split, in the nearest usual ratio; what remains
is the dividend. Shares, capitalisation and quotes are unknown, so the relations that need them are not looked at.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.quality_faults.partitions import Partition, partitions_of
from data_platform.catalog import Series, Table, find_table

FILE: Final = Path("stocks") / "stocks.csv.gz"
TODAY: Final = dt.date(2014, 1, 1)
"""The last year ends in March, and is not held to be whole."""

_RATIOS: Final = (2.0, 3.0, 1.5, 4.0, 7.0)
_SPLIT_SEEN: Final = 0.18
_PAID: Final = 2e-5
_FIRST_NUMBER: Final = 90_001
_COLUMNS: Final = (
    "permno",
    "date",
    "prc",
    "ret",
    "retx",
    "vol",
    "openprc",
    "dlyclose",
    "bidlo",
    "askhi",
    "dlyprevprc",
    "dlyorddivamt",
    "dlyfacprc",
)
_SERIES: Final = Series(
    entity="permno",
    date="date",
    price="prc",
    total_return="ret",
    price_return="retx",
    previous_price="dlyprevprc",
    dividend="dlyorddivamt",
    factor="dlyfacprc",
    volume="vol",
    high="askhi",
    low="bidlo",
    opening="openprc",
    closing="dlyclose",
)


def real_table(first_date: dt.date) -> Table:
    """`crsp_daily` with the columns that these prices can fill."""
    daily = find_table("crsp_daily")
    columns = tuple(daily.column(name) for name in _COLUMNS)
    return replace(daily, columns=columns, series=_SERIES, first_date=first_date)


def real_partitions(data: Path, folder: Path) -> tuple[list[Partition], list[Partition]]:
    """The years of all shares together, and those of each share alone."""
    frame = real_frame(data / FILE)
    together = _years(frame, "all", folder)
    alone = [
        partition
        for (ticker,), own in frame.partition_by("ticker", as_dict=True, maintain_order=True).items()
        for partition in _years(own, str(ticker), folder)
    ]
    return together, alone


def real_frame(path: Path) -> pl.DataFrame:
    """The rows of the file in the table's columns, and the ticker, in key order."""
    raw = pl.read_csv(path, try_parse_dates=True).sort("Ticker", "Date")
    close, adjusted = pl.col("Close"), pl.col("Adj Close")
    before = close.shift().over("Ticker")
    moved = close / before
    total = adjusted / adjusted.shift().over("Ticker")
    more = (total / moved).fill_null(1.0)
    factor = pl.lit(1.0)
    for ratio in _RATIOS:
        for each in (ratio, 1 / ratio):
            near = ((more.log() - math.log(each)).abs() < _SPLIT_SEEN / 2) & (more.log().abs() > _SPLIT_SEEN)
            factor = pl.when(near).then(each).otherwise(factor)
    found = raw.with_columns(
        (pl.col("Ticker").rank("dense").cast(pl.Int32) + _FIRST_NUMBER).alias("permno"), factor.alias("dlyfacprc")
    ).with_columns(
        (moved * pl.col("dlyfacprc") - 1).round(6).alias("retx"), (total - 1).alias("total"), before.alias("dlyprevprc")
    )
    paid = (pl.col("total") - (moved * pl.col("dlyfacprc") - 1)) * pl.col("dlyprevprc")
    real = (paid / pl.col("dlyprevprc") > _PAID).fill_null(value=False)
    named = found.with_columns(
        pl.when(real).then(paid.round(4)).otherwise(0.0).alias("dlyorddivamt"),
        pl.when(real).then(pl.col("total").round(6)).otherwise(pl.col("retx")).alias("ret"),
    ).select(
        pl.col("Ticker").alias("ticker"),
        "permno",
        pl.col("Date").alias("date"),
        close.alias("prc"),
        "ret",
        "retx",
        pl.col("Volume").cast(pl.Float64).alias("vol"),
        pl.col("Open").alias("openprc"),
        close.alias("dlyclose"),
        pl.col("Low").alias("bidlo"),
        pl.col("High").alias("askhi"),
        "dlyprevprc",
        "dlyorddivamt",
        "dlyfacprc",
    )
    return named.sort("permno", "date")


def _years(frame: pl.DataFrame, label: str, folder: Path) -> list[Partition]:
    first: dt.date = min(frame.get_column("date").to_list())
    years = sorted(frame.get_column("date").dt.year().unique().to_list())
    named = [(str(year), frame.filter(pl.col("date").dt.year() == year).select(_COLUMNS)) for year in years]
    return partitions_of(real_table(first), named, today=TODAY, label=label, folder=folder)
