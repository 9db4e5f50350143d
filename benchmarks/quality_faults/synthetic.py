"""Clean partitions from the demo's market: small markets, four years each, one for every seed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.quality_faults.partitions import Partition, partitions_of
from data_platform.catalog import Table, find_table
from data_platform.sources.demo.crsp import msf_v2
from data_platform.sources.demo.crsp.dsf_v2 import relation_frame
from data_platform.sources.demo.market import simulate

SECURITIES: Final = 60
FIRST_YEAR: Final = 2019
LAST_YEAR: Final = 2022
TODAY: Final = dt.date(2026, 1, 1)


def market_partitions(seed: int, folder: Path) -> list[Partition]:
    """The published years of one market's `crsp_daily`, oldest first."""
    relation = relation_frame(simulate(seed, FIRST_YEAR, LAST_YEAR, SECURITIES))
    return _partitions(find_table("crsp_daily"), relation, seed, folder)


def monthly_partitions(seed: int, folder: Path) -> list[Partition]:
    """The same of `crsp_monthly`, whose rows are compounded from the daily ones."""
    relation = pl.concat(msf_v2.relation_frames(simulate(seed, FIRST_YEAR, LAST_YEAR, SECURITIES)))
    return _partitions(find_table("crsp_monthly"), relation, seed, folder)


def _partitions(table: Table, relation: pl.DataFrame, seed: int, folder: Path) -> list[Partition]:
    published = relation.select(pl.col(column.source).alias(column.name) for column in table.columns)
    frame = pl.DataFrame(published.to_arrow().cast(table.arrow_schema)).sort(table.key)
    years = [(str(year), frame.filter(pl.col("date").dt.year() == year)) for year in range(FIRST_YEAR, LAST_YEAR + 1)]
    return partitions_of(table, years, today=TODAY, label=f"market {seed},", folder=folder)
