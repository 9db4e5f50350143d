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
from data_platform.quality.anomalies.relations import flags, repeats, with_terms

MOST_ROWS: Final = 100_000
"""More suspect rows than this say nothing new; those beyond are not collected."""

MOST_SERIES: Final = 200
"""So many whole series are read at most."""

_TERMS: Final = ("_gap", "_moved", "_factor", "_issued", "_cap", "_date_before", "_previous")


@dataclass(frozen=True, slots=True)
class Suspects:
    """What the scan found.

    `rows` has entity and date, the terms and a flag per relation, in key order, only of rows with a flag. `dates` has
    for each date `rows`, `traded` and `repeated` (rows that are those of the row before), in order. `spans` has for
    each entity `first`, `last` and `rows`.
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
    """Scan the staged file once, in blocks; None when it lacks a column of the series or holds another type in one.

    `spans` are those of the profile, which are not computed again.
    """
    frame = pl.scan_parquet(path)
    schema = frame.collect_schema()
    if not _fits(series, schema):
        return None
    terms = with_terms(frame.select(series.columns), series)
    looked = flags(series)
    flagged = terms.with_columns(flag.alias(name) for name, flag in looked.items())
    rows = (
        flagged.filter(pl.any_horizontal(list(looked)))
        .select(series.entity, series.date, *_TERMS, *looked)
        .head(MOST_ROWS)
    )
    dates = (
        terms.select(series.date, repeats(series).alias("repeated"), pl.col("_volume").is_not_null().alias("traded"))
        .group_by(series.date)
        .agg(pl.len().alias("rows"), pl.col("traded").sum(), pl.col("repeated").sum())
    )
    queries = [rows, dates]
    if spans is None:
        day = pl.col(series.date)
        queries.append(
            frame.group_by(series.entity).agg(day.min().alias("first"), day.max().alias("last"), pl.len().alias("rows"))
        )
    collected = pl.collect_all(queries, engine="streaming")
    return Suspects(
        series=series,
        path=path,
        rows=collected[0].sort(series.entity, series.date),
        dates=collected[1].drop_nulls(series.date).sort(series.date),
        spans=collected[2] if spans is None else spans,
    )


def _fits(series: Series, schema: pl.Schema) -> bool:
    if any(name not in schema for name in series.columns):
        return False
    texts = {series.entity, series.leaving}
    numbers = [name for name in series.columns if name not in {*texts, series.date}]
    leaving = series.leaving is None or schema[series.leaving] == pl.String
    return schema[series.date] == pl.Date and leaving and all(schema[name].is_numeric() for name in numbers)
