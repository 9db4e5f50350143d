"""The one scan over a partition's series: rows that break a relation, dates and entities. Clean rows never stay.

Judging is left to the modules of the faults, which look at these small frames and, for the few entities that need it,
at their whole series.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from data_platform.catalog import Series
from data_platform.quality.anomalies.relations import STALE_ROWS, flags, repeats, with_terms
from data_platform.quality.anomalies.screening import is_suspicious
from data_platform.quality.blocks import blocks

MOST_ROWS: Final = 100_000
"""More suspect rows than this say nothing new; those beyond are not collected."""

MOST_SERIES: Final = 200
"""So many whole series are read at most."""

_TERMS: Final = ("_gap", "_moved", "_factor", "_issued", "_cap", "_date_before", "_before", "_previous", "_price")


@dataclass(frozen=True, slots=True)
class Suspects:
    """What the scan found.

    `rows` has entity and date, the terms and a flag per relation, in key order, of rows with a flag only. `dates` says
    of each date, in order, how many `rows` there are and how many of them `traded` (with volume), `left` (delisted),
    are `known` (to be of one or not) and `repeated` (those of the row before). `spans` has for each entity `first`,
    `last` and `rows`.
    """

    series: Series
    path: Path
    rows: pl.DataFrame
    dates: pl.DataFrame
    spans: pl.DataFrame

    def flagged(self, *names: str) -> pl.DataFrame:
        """The suspect rows with any of these flags; none where the table has no such relation."""
        known = [name for name in names if name in self.rows.columns]
        return self.rows.filter(pl.any_horizontal(known)) if known else self.rows.clear()

    def whole(self, entities: Sequence[object]) -> pl.DataFrame:
        """The series of these entities with terms, in key order: of the first two hundred."""
        wanted = sorted(set(entities), key=str)[:MOST_SERIES]
        entity = self.series.entity
        dtype = self.rows.schema[entity]
        chosen = pl.scan_parquet(self.path).filter(pl.col(entity).is_in(pl.Series(wanted, dtype=dtype).implode()))
        return with_terms(chosen.select(self.series.columns), self.series).collect(engine="streaming")

    @property
    def sessions(self) -> list[dt.date]:
        """The partition's own dates, in order."""
        return self.dates.get_column(self.series.date).to_list()

    def keys(self, rows: pl.DataFrame, most: int = 5) -> list[str]:
        """How the first of these rows are called, such as ``permno 10001, date 2023-01-03``."""
        names = (self.series.entity, self.series.date)
        first = rows.select(names).unique(maintain_order=True).head(most)
        return [", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True)) for row in first.rows()]

    def entity_keys(self, entities: Sequence[object]) -> list[str]:
        """How entities are called, such as ``permno 10001``."""
        return [f"{self.series.entity} {value}" for value in entities]

    def date_keys(self, dates: Sequence[dt.date]) -> list[str]:
        """How dates are called, such as ``date 2023-01-03``."""
        return [f"{self.series.date} {value}" for value in dates]


def suspects_in(series: Series, path: Path, spans: pl.DataFrame | None = None) -> Suspects | None:
    """Read the staged file once, block by block; None when it lacks a column of the series or has another type in one.

    `spans` are those of the profile, which are not computed again.
    """
    if not fits(series, path):
        return None
    tally = SuspectsTally(series, path, spans)
    for block in blocks(path, tally.columns):
        tally.add(block)
    return tally.result()


class SuspectsTally:
    """Suspects in the making: told every block of a file, in its order, it keeps the rows that break a relation."""

    def __init__(self, series: Series, path: Path, spans: pl.DataFrame | None) -> None:
        self._series = series
        self._path = path
        self._spans = spans
        self._flags = flags(series)
        empty = pl.scan_parquet(path).select(series.columns).head(0)
        self._before: pl.DataFrame = empty.collect()
        self._rows: list[pl.DataFrame] = [self._looked_at(empty).collect()]
        self._dates: list[pl.DataFrame] = [_by_date(series, self._before)]
        self._number = 0
        self.columns: tuple[str, ...] = series.columns
        """What has to be in the blocks."""

    def add(self, block: pl.DataFrame) -> None:
        """Look at the next block, and at the last rows of those before, on which its first ones look back."""
        block = block.select(self.columns)
        before, carried = self._before, self._before.height
        self._before = pl.concat([before, block.tail(STALE_ROWS)]).tail(STALE_ROWS)
        self._dates.append(_by_date(self._series, block))
        # The seam is asked apart, since putting the whole together costs as much as the questions.
        seam = pl.concat([before, block.head(STALE_ROWS)])
        if self._number < MOST_ROWS and any(is_suspicious(each, self._series) for each in (seam, block)):
            looked = self._looked_at(pl.concat([before, block]).lazy()).slice(carried)
            self._rows.append(looked.filter(pl.any_horizontal(*self._flags, "_repeated")).collect())
            self._number += self._rows[-1].height

    def result(self) -> Suspects:
        """The suspects of all blocks."""
        date = self._series.date
        rows = pl.concat(self._rows).head(MOST_ROWS)
        repeated = rows.group_by(date).agg(pl.col("_repeated").sum().alias("repeated"))
        dates = pl.concat(self._dates).group_by(date).sum().drop_nulls(date).join(repeated, on=date, how="left")
        return Suspects(
            series=self._series,
            path=self._path,
            rows=rows.filter(pl.any_horizontal(list(self._flags))),
            dates=dates.with_columns(pl.col("repeated").fill_null(0)).sort(date),
            spans=self._counted_spans() if self._spans is None else self._spans,
        )

    def _looked_at(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        terms = with_terms(frame, self._series).with_columns(repeats(self._series).alias("_repeated"))
        flagged = terms.with_columns(flag.alias(name) for name, flag in self._flags.items())
        return flagged.select(self._series.entity, self._series.date, *_TERMS, *self._flags, "_repeated")

    def _counted_spans(self) -> pl.DataFrame:
        day = pl.col(self._series.date)
        each = pl.scan_parquet(self._path).group_by(self._series.entity)
        spans = each.agg(day.min().alias("first"), day.max().alias("last"), pl.len().alias("rows"))
        return spans.collect(engine="streaming")


def _by_date(series: Series, block: pl.DataFrame) -> pl.DataFrame:
    traded = pl.lit(value=False) if series.volume is None else (pl.col(series.volume) > 0).fill_null(value=False)
    leaving = pl.lit(None, dtype=pl.String) if series.leaving is None else pl.col(series.leaving)
    return block.group_by(series.date).agg(
        pl.len().cast(pl.Int64).alias("rows"),
        traded.sum().cast(pl.Int64).alias("traded"),
        (leaving == "Y").sum().cast(pl.Int64).alias("left"),
        leaving.count().cast(pl.Int64).alias("known"),
    )


def fits(series: Series, path: Path) -> bool:
    """Whether the file has every column of the series, each of a type that can be reckoned with."""
    schema = pl.read_parquet_schema(path)
    if any(name not in schema for name in series.columns):
        return False
    others = {series.entity, series.date, series.leaving}
    leaving = series.leaving is None or schema[series.leaving] == pl.String
    numbers = all(schema[name].is_numeric() for name in series.columns if name not in others)
    return schema[series.date] == pl.Date and leaving and numbers
