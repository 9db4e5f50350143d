"""Clean partitions of `crsp_daily` from the demo's market: small markets, four years each, one for every seed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.quality_faults.partitions import Partition, partitions_of
from data_platform.catalog import find_table
from data_platform.sources.demo.crsp.dsf_v2 import relation_frame
from data_platform.sources.demo.market import simulate

SECURITIES: Final = 60
FIRST_YEAR: Final = 2019
LAST_YEAR: Final = 2022
TODAY: Final = dt.date(2026, 1, 1)


def market_partitions(seed: int, folder: Path) -> list[Partition]:
    """The published years of one market, oldest first."""
    table = find_table("crsp_daily")
    relation = relation_frame(simulate(seed, FIRST_YEAR, LAST_YEAR, SECURITIES))
    published = relation.select(pl.col(column.source).alias(column.name) for column in table.columns)
    frame = pl.DataFrame(published.to_arrow().cast(table.arrow_schema)).sort(table.key)
    years = [(str(year), frame.filter(pl.col("date").dt.year() == year)) for year in range(FIRST_YEAR, LAST_YEAR + 1)]
    return partitions_of(table, years, today=TODAY, label=f"market {seed},", folder=folder)
