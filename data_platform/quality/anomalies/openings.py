"""Splits without a factor where neither shares nor returns tell: the price opened in the ratio of a split, calmly.

A crash of the same size is not calm: it comes with many times the usual turnover in dollars, or goes on during the day.
"""

from __future__ import annotations

import math
from typing import Final

import polars as pl

from data_platform.quality.anomalies.suspects import Suspects

SPLIT_RATIOS: Final = (*(float(number) for number in range(2, 21)), 25.0, 30.0, 40.0, 50.0, 3 / 2, 4 / 3, 5 / 4, 5 / 3)
"""Greater than one: a merger of shares is the inverse. Smaller ones are stock dividends, no larger than many a move."""

_NEAR: Final = 0.06
_TURNOVER: Final = 3.0
_WEEKS: Final = 11
"""Rows, five before and five after, whose median turnover is the usual one."""

_CALM: Final = 4.0
_CONSISTENT: Final = 1.4826
_FEWEST: Final = 20


def split_like_openings(suspects: Suspects) -> pl.DataFrame:
    """Entity and date of such openings, of the tables that have openings and volume but no shares."""
    series = suspects.series
    rows = suspects.flagged("_opens").select(series.entity, series.date)
    if rows.is_empty() or series.opening is None or series.volume is None:
        return rows
    entity, price = pl.col(series.entity), pl.col("_price")
    turnover = price * pl.col("_volume")
    around = turnover.rolling_median(_WEEKS, center=True, min_samples=3)
    opening = pl.col(series.opening).cast(pl.Float64)
    gap = (opening / pl.col("_before")).log().abs()
    near = pl.any_horizontal([(gap - math.log(ratio)).abs() < _NEAR for ratio in SPLIT_RATIOS if ratio >= 4 / 3])
    move = pl.col("_moved").log()
    spread = _CONSISTENT * (move - move.median().over(entity)).abs().median().over(entity)
    whole = suspects.whole(rows.get_column(series.entity).to_list()).with_columns(
        (near & ((price / opening).log().abs() < _CALM * spread)).alias("_split"),
        (turnover < _TURNOVER * around.over(entity)).alias("_usual"),
        (pl.len().over(entity) >= _FEWEST).alias("_enough"),
    )
    calm = whole.filter(pl.col("_split") & pl.col("_usual") & pl.col("_enough")).select(series.entity, series.date)
    return rows.join(calm, on=[series.entity, series.date], how="semi", maintain_order="left")
