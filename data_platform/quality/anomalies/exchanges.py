"""Columns in each other's place, and signs: what must be ordered is not, what must be positive is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from data_platform.quality.anomalies.anomaly import Anomaly, Metric, counted, found
from data_platform.quality.anomalies.suspects import Suspects

FEWEST: Final = 5
"""Crossed rows of one security: single quotes do cross in the market."""

FEWEST_RETURNS: Final = 2
FEWEST_FLIPS: Final = 3
_DENSE: Final = 0.5
_OF_A_DATE: Final = 0.2
_OF_A_DATE_FEWEST: Final = 3

_PAIRS: Final = {
    "_ranges": ("low", "high"),
    "_outside": ("closing or opening price", "low or high"),
    "_quotes": ("bid", "ask"),
    "_returns": ("total return", "return without dividends"),
}


def swapped_columns(suspects: Suspects, sessions: Sequence[dt.date]) -> Iterator[Anomaly]:
    """Pairs of columns in the wrong order, row after row of one security, or for many securities of one date."""
    for flag, (first, second) in _PAIRS.items():
        rows = suspects.flagged(flag)
        if rows.is_empty():
            continue
        if flag == "_returns":
            rows = rows if rows.height >= FEWEST_RETURNS else rows.clear()
        else:
            rows = _dense(suspects, rows, sessions)
        if rows.height:
            yield found(
                Metric.SWAPPED_COLUMNS,
                f"{first} and {second} are in each other's order in {counted(rows.height, 'row')}",
                current=float(rows.height),
                expected=0.0,
                keys=suspects.keys(rows),
            )


def flipped_entities(suspects: Suspects) -> list[object]:
    """The securities with three or more returns that fit their prices with the other sign only."""
    counts = suspects.flagged("_flips").group_by(suspects.series.entity, maintain_order=True).len()
    return counts.filter(pl.col("len") >= FEWEST_FLIPS).get_column(suspects.series.entity).to_list()


def sign_flip(suspects: Suspects, flipped: Sequence[object]) -> Iterator[Anomaly]:
    """Negative prices, volumes or shares, and returns with the wrong sign."""
    rows = suspects.flagged("_negative")
    if rows.height:
        yield found(
            Metric.SIGN_FLIP,
            f"{counted(rows.height, 'row')} with a negative price, volume or number of shares",
            current=float(rows.height),
            expected=0.0,
            keys=suspects.keys(rows),
        )
    if flipped:
        entity = suspects.series.entity
        wrong = suspects.flagged("_flips").filter(pl.col(entity).is_in(pl.Series(flipped).implode()))
        yield found(
            Metric.SIGN_FLIP,
            f"{counted(wrong.height, 'return')} of {counted(len(flipped), entity)} with the wrong sign",
            current=float(wrong.height),
            expected=0.0,
            keys=suspects.keys(wrong),
        )


def _dense(suspects: Suspects, rows: pl.DataFrame, sessions: Sequence[dt.date]) -> pl.DataFrame:
    entity, date = suspects.series.entity, suspects.series.date
    place = pl.col(date).replace_strict({day: at for at, day in enumerate(sessions)}, default=None)
    rows = rows.with_columns(place.alias("_at")).join(suspects.dates.select(date, "rows"), on=date, how="left")
    span = (pl.col("_at").max() - pl.col("_at").min() + 1).over(entity)
    number = pl.len().over(entity)
    of_entity = (number >= FEWEST) & (number >= _DENSE * span)
    on_date = pl.len().over(date)
    of_date = (on_date >= _OF_A_DATE_FEWEST) & (on_date >= _OF_A_DATE * pl.col("rows"))
    return rows.filter((of_entity | of_date).fill_null(value=False))
