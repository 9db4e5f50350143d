"""Prices that moved where they should not have: level shifts, hundredfold prices, splits without a factor.

A price that its own return does not explain is one of the three by its size. Where returns were computed from the
wrong prices, shares outstanding, the market capitalisation, or the way back again give it away. A wrong price whose
every witness is wrong with it can't be told from a real one, and is not guessed at.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import polars as pl

from data_platform.quality.anomalies.anomaly import Anomaly, Metric, counted, found
from data_platform.quality.anomalies.openings import SPLIT_RATIOS, split_like_openings
from data_platform.quality.anomalies.relations import JUMP
from data_platform.quality.anomalies.suspects import Suspects

_HUNDRED: Final = math.log(100)
_ABOUT: Final = 0.4
_EXACT: Final = 2e-5
_HALF_CENT: Final = 0.005
_FEW: Final = 5
_LASTING: Final = 3


def price_faults(
    suspects: Suspects, sessions: Sequence[dt.date], ignored_dates: Collection[dt.date], ignored: Collection[object]
) -> Iterator[Anomaly]:
    """Judge all jumps; those on `ignored_dates` and of `ignored` entities have another explanation."""
    entity = suspects.series.entity
    jumps = _unexplained(suspects, sessions, ignored_dates, ignored)
    size = pl.col("_gap").log().abs()
    hundred = (size - _HUNDRED).abs() < _ABOUT
    # Ratios are exact but for the cents that both prices were rounded to.
    rounding = _EXACT + _HALF_CENT / pl.col("_price") + _HALF_CENT / pl.coalesce("_before", "_previous")
    split = pl.any_horizontal([(size - math.log(ratio)).abs() < rounding for ratio in SPLIT_RATIOS]) & (
        (pl.col("_factor") - 1).abs() < JUMP
    )
    hundreds, splits = jumps.filter(hundred), jumps.filter(split & ~hundred)
    shifts = jumps.filter(~hundred & ~split)
    hundreds = _joined(suspects, hundreds, _there_and_back(suspects))
    splits = _joined(suspects, splits, suspects.flagged("_splits"), split_like_openings(suspects))
    known = set(pl.concat([each.get_column(entity) for each in (hundreds, splits, shifts)]).to_list())
    once, lasting = _capitalisations(suspects, known)
    hundreds, shifts = _joined(suspects, hundreds, once), _joined(suspects, shifts, lasting)
    if hundreds.height:
        yield _anomaly(
            Metric.HUNDREDFOLD, suspects, hundreds, "about a hundred times what they should be, or a hundredth"
        )
    if splits.height:
        yield _anomaly(
            Metric.UNADJUSTED_SPLIT, suspects, splits, "by the ratio of a split with no factor to go with it"
        )
    if shifts.height:
        yield _anomaly(
            Metric.LEVEL_SHIFT, suspects, shifts, "on another level, which neither return nor factor explains"
        )


def _anomaly(metric: Metric, suspects: Suspects, rows: pl.DataFrame, what: str) -> Anomaly:
    entities = rows.get_column(suspects.series.entity).n_unique()
    message = f"prices are {what}: {counted(rows.height, 'row')} of {counted(entities, suspects.series.entity)}"
    return found(metric, message, current=float(rows.height), expected=0.0, keys=suspects.keys(rows))


def _unexplained(
    suspects: Suspects, sessions: Sequence[dt.date], ignored_dates: Collection[dt.date], ignored: Collection[object]
) -> pl.DataFrame:
    """The jumps from one session to the next. Without a previous price of its own a row after a gap proves nothing."""
    rows = suspects.flagged("_jumps").filter(pl.col("_gap") > 0, pl.col("_gap").is_finite())
    if rows.is_empty():
        return rows
    date, entity = suspects.series.date, suspects.series.entity
    following = dict(itertools.pairwise(sessions))
    next_session = pl.col("_date_before").replace_strict(following, default=None, return_dtype=pl.Date)
    adjacent = pl.col("_previous").is_not_null() | (next_session == pl.col(date)).fill_null(value=False)
    elsewhere = ~pl.col(date).is_in(list(ignored_dates)) & ~pl.col(entity).is_in(
        pl.Series(list(ignored), dtype=rows.schema[entity]).implode()
    )
    return rows.filter(adjacent & elsewhere)


def _there_and_back(suspects: Suspects) -> pl.DataFrame:
    """Prices that rose to a hundred times in a day, whatever returns say: no security ever did."""
    return suspects.flagged("_hundred").filter(pl.col("_moved") * pl.col("_factor") > 1)


def _capitalisations(suspects: Suspects, known: Collection[object]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows whose capitalisation is not price times shares: a hundredfold for few days; where a lasting one begins."""
    entity = suspects.series.entity
    rows = suspects.flagged("_caps")
    rows = rows.filter(
        ~pl.col(entity).is_in(pl.Series(list(known), dtype=rows.schema[entity]).implode()),
        pl.col("_cap") > 0,
        pl.col("_cap").is_finite(),
    )
    number = pl.len().over(entity)
    hundred = (pl.col("_cap").log().abs() - _HUNDRED).abs() < _ABOUT
    once = rows.filter(hundred & (number <= _FEW))
    lasting = rows.filter((number >= _LASTING) & ~(hundred & (number <= _FEW)))
    return once, lasting.unique(entity, keep="first", maintain_order=True)


def _joined(suspects: Suspects, *frames: pl.DataFrame) -> pl.DataFrame:
    names = [suspects.series.entity, suspects.series.date]
    every = pl.concat([each.select(names) if set(names) < set(each.columns) else each for each in frames])
    return every.unique(maintain_order=True)
