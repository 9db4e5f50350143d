"""The frame that every store gets: synthetic `crsp_daily` rows, all 36 columns, from the demo's market."""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from benchmarks.inputs import input_file
from data_platform.catalog import find_table
from data_platform.sources.demo.crsp.dsf_v2 import relation_frame
from data_platform.sources.demo.market import simulate
from data_platform.sources.demo.market.roles import FEWEST

TABLE: Final = "crsp_daily"
FIRST_YEAR: Final = 2015
YEARS: Final = 10
_SEED: Final = 20_240_229
_SESSIONS: Final = 250
_LISTED: Final = 0.80
"""At least this share of a year's securities trades on a session; those too many are cut off."""


def write_inputs(folder: Path, rows: int, years: int = YEARS) -> float:
    """Generate `rows` rows in `years` equal years under `folder`; return the seconds it took.

    Each year is a market of its own, so that memory does not grow with the number of rows.
    """
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    per_year = rows // years
    for year in range(FIRST_YEAR, FIRST_YEAR + years):
        table = year_frame(year, per_year)
        with pa.OSFile(str(input_file(folder, year)), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=65_536)
    return time.monotonic() - started


def year_frame(year: int, rows: int) -> pa.Table:
    """The first `rows` rows of the year's own market, ordered by permno and date."""
    securities = max(math.ceil(rows / (_SESSIONS * _LISTED)) + 5, FEWEST)
    table = _published(relation_frame(simulate(_SEED + year, year, year, securities))).slice(0, rows)
    if table.num_rows < rows:
        raise AssertionError(f"{year}: {table.num_rows} rows of {rows}")
    return table


def _published(relation: pl.DataFrame) -> pa.Table:
    """The source's columns under their published names, order and types."""
    declared = find_table(TABLE)
    frame = relation.select(pl.col(column.source).alias(column.name) for column in declared.columns)
    return frame.to_arrow().cast(declared.arrow_schema)
