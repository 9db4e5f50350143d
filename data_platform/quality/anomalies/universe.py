"""A universe cut short: dates on which many securities lack that are there before and after, or end all at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

import polars as pl

from data_platform.quality.anomalies.anomaly import Anomaly, Metric, counted, found
from data_platform.quality.anomalies.suspects import Suspects

MISSING: Final = 0.05
MISSING_FEWEST: Final = 3
_OF_FEW: Final = 0.2
"""Of a handful of securities, one is a fifth."""

CLIFF: Final = 0.10
CLIFF_UNEXPLAINED: Final = 0.15
"""Where no row says whether it is of a delisting, some of those that end may be delisted."""

CLIFF_FEWEST: Final = 4
_BEGINNING: Final = 60
"""Whole exchanges joined the universe on one day (July 1962, December 1972), never in the first sessions of a year."""


def truncated_universe(suspects: Suspects) -> Iterator[Anomaly]:
    """Judge every date by the securities that began before it and end after it, then by the date next to it."""
    counts = _counts(suspects)
    if counts.is_empty():
        return
    missing = pl.col("alive") - pl.col("rows")
    share = missing / pl.col("alive")
    gone = counts.filter(((share >= MISSING) & (missing >= MISSING_FEWEST)) | ((share >= _OF_FEW) & (missing >= 1)))
    cliffs = _cliffs(counts)
    dates: list[dt.date] = sorted({*gone.get_column("date").to_list(), *cliffs})
    if dates:
        least = counts.filter(pl.col("date").is_in(dates)).select(pl.col("rows").min()).item()
        usual = counts.select(pl.col("rows").median()).item()
        yield found(
            Metric.TRUNCATED_UNIVERSE,
            f"securities are missing on {counted(len(dates), 'date')}: {least:,} rows where {usual:,.0f} are usual",
            current=float(least),
            expected=float(usual),
            keys=suspects.date_keys(dates),
        )


def _counts(suspects: Suspects) -> pl.DataFrame:
    """For each date `rows`, and `alive`: entities whose first date is not after it and whose last is not before it."""
    dates = suspects.dates.select(pl.col(suspects.series.date).alias("date"), "rows", "left", "known")
    begun = suspects.spans.drop_nulls("first").group_by(pl.col("first").alias("date")).len("begun")
    ended = suspects.spans.drop_nulls("last").group_by(pl.col("last").alias("date")).len("ended")
    return (
        dates.join(begun, on="date", how="left")
        .join(ended, on="date", how="left")
        .sort("date")
        .with_columns(pl.col("begun", "ended").fill_null(0).cast(pl.Int64))
        .with_columns((pl.col("begun").cum_sum() - pl.col("ended").cum_sum() + pl.col("ended")).alias("alive"))
    )


def _cliffs(counts: pl.DataFrame) -> list[dt.date]:
    """Dates from which on many securities lack to the end, or before which many lack from the beginning."""
    rows: list[int] = counts.get_column("rows").to_list()
    dates: list[dt.date] = counts.get_column("date").to_list()
    # Who was delisted on the date has a reason to end.
    ended: list[int] = (counts.get_column("ended") - counts.get_column("left")).to_list()
    begun: list[int] = counts.get_column("begun").to_list()
    last = len(rows) - 1
    share = CLIFF if counts.get_column("known").sum() else CLIFF_UNEXPLAINED
    found_dates: list[dt.date] = []
    for at in range(last):
        fewer = ended[at] - begun[at + 1]
        if fewer >= max(CLIFF_FEWEST, share * rows[at]):
            found_dates.append(dates[at + 1])
        if at + 1 <= min(_BEGINNING, last // 3) and -fewer >= max(CLIFF_FEWEST, share * rows[at + 1]):
            found_dates.append(dates[at])
    return found_dates
