"""What counts twice: a day like the one before, a price that stands still, a dividend in the amount or the return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from data_platform.quality.anomalies.anomaly import Anomaly, Metric, counted, found
from data_platform.quality.anomalies.relations import STALE_ROWS
from data_platform.quality.anomalies.suspects import Suspects

REPEATED: Final = 0.3
"""Prices, range and volume of a security repeat by chance once in a long while, of a third of all never."""

_BY_CHANCE: Final = 1e-3
"""Runs as long as this one that the whole partition would hold by chance: more, and it is no finding."""

_OUTSIDE: Final = 20
_TRADED: Final = 0.8


def repeated_days(suspects: Suspects) -> list[dt.date]:
    """The dates on which a large part of the traded securities repeats the row before."""
    rows = suspects.dates.filter(
        (pl.col("repeated") > 0) & (pl.col("repeated") >= REPEATED * pl.max_horizontal("traded", "repeated"))
    )
    return rows.get_column(suspects.series.date).to_list()


def duplicated_day(suspects: Suspects, days: Sequence[dt.date]) -> Iterator[Anomaly]:
    """Say which days, as `repeated_days` found them, are those before over again."""
    if days:
        yield found(
            Metric.DUPLICATED_DAY,
            f"{counted(len(days), 'date')} with prices, ranges and volumes of the date before",
            current=float(len(days)),
            expected=0.0,
            keys=suspects.date_keys(days),
        )


def stale_price(suspects: Suspects) -> Iterator[Anomaly]:
    """Ten or more rows of one price with returns of zero and volume, of a security whose price otherwise moves.

    How often it stays the same from one row to the next, outside the run, says how likely a run is by chance: prices
    of few cents, or in eighths, stand still all the time.
    """
    entity, date = suspects.series.entity, suspects.series.date
    suspicious = suspects.flagged("_stale").get_column(entity).unique().to_list()
    if not suspicious:
        return
    still = (pl.col("_moved") == 1) & (pl.col("_growth") == 1)
    traded = pl.col("_volume").is_not_null().alias("traded")
    whole = suspects.whole(suspicious).select(entity, date, still.fill_null(value=False).alias("still"), traded)
    # The row that a run begins with still moved; it counts as outside.
    runs = (
        whole.with_columns(pl.struct(entity, "still").rle_id().alias("run"))
        .group_by(entity, "run", maintain_order=True)
        .agg(pl.col(date).first(), pl.len().alias("rows"), pl.col("still").first(), pl.col("traded").mean())
        .with_columns(pl.col("rows").sum().over(entity).alias("all"))
        .with_columns((pl.col("rows") * pl.col("still")).sum().over(entity).alias("standing"))
    )
    outside, others = pl.col("all") - pl.col("rows"), pl.col("standing") - pl.col("rows")
    share = (others + 1) / (outside + 2)
    total = max(suspects.spans.get_column("rows").sum(), 1)
    chance = total * share ** pl.col("rows")
    long = runs.filter(
        pl.col("still"),
        pl.col("traded") >= _TRADED,
        pl.col("rows") >= STALE_ROWS - 1,
        outside >= _OUTSIDE,
        chance < _BY_CHANCE,
    )
    if long.height:
        yield found(
            Metric.STALE_PRICE,
            f"{counted(long.height, 'price')} stood still for up to {long.get_column('rows').max()} rows, with volume",
            current=float(long.height),
            expected=0.0,
            keys=suspects.keys(long),
        )


def doubled_dividend(suspects: Suspects) -> Iterator[Anomaly]:
    """Ex-dates on which the difference of the two returns is twice or half what the dividend makes it."""
    rows = suspects.flagged("_doubles")
    if rows.height:
        yield found(
            Metric.DOUBLED_DIVIDEND,
            f"{counted(rows.height, 'dividend')} counted twice, in the amount or in the total return but not in both",
            current=float(rows.height),
            expected=0.0,
            keys=suspects.keys(rows),
        )
