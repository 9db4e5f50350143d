"""The statistics of one version of a partition: what it is compared by with former versions and with its neighbours.

They are scale-free: shares, counts, and the median of the logarithm of a column's absolute values with the median
absolute deviation from it. A change of unit moves the median by the same amount whatever the column holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import polars as pl

from data_platform.catalog import Table
from data_platform.quality.profile import Profile

SAMPLE: Final = 50_000
"""About so many rows, evenly spread, are enough for the medians."""

_COUNTS: Final = ("rows", "dates", "entities")
_FIGURES: Final = ("null_share", "zero_share", "negative_share", "log_median", "log_mad")


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """One column: the share of missing values, and for measured numbers (those with a unit) the rest.

    Shares of zeros and of negative values are of those that are there. `log_median` and `log_mad` are of the natural
    logarithm of absolute values, zeros left out; None where there is no such value.
    """

    null_share: float
    zero_share: float | None = None
    negative_share: float | None = None
    log_median: float | None = None
    log_mad: float | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """One version of a partition; `dates` and `entities` are numbers of different ones, 0 for a table without."""

    rows: int
    dates: int
    entities: int
    columns: Mapping[str, ColumnStatistics]

    @property
    def rows_per_date(self) -> float | None:
        """Rows of one date on average; None for a table without dates."""
        return self.rows / self.dates if self.dates else None

    def to_metrics(self) -> dict[tuple[str, str], float]:
        """As a flat mapping from (metric, column) to a number; the column of a count is empty."""
        flat = {(name, ""): float(getattr(self, name)) for name in _COUNTS}
        for column, figures in self.columns.items():
            for name in _FIGURES:
                value: float | None = getattr(figures, name)
                if value is not None:
                    flat[name, column] = value
        return flat

    @classmethod
    def from_metrics(cls, metrics: Mapping[tuple[str, str], float]) -> Self:
        """The inverse of `to_metrics`; metrics of other names are ignored, counts that are not there are 0."""
        by_column: dict[str, dict[str, float]] = {}
        for (name, column), value in metrics.items():
            if name in _FIGURES:
                by_column.setdefault(column, {})[name] = value
        return cls(
            **{name: int(metrics.get((name, ""), 0)) for name in _COUNTS},
            columns={
                column: ColumnStatistics(**{"null_share": 0.0, **figures}) for column, figures in by_column.items()
            },
        )


def measured_columns(table: Table) -> tuple[str, ...]:
    """The columns that hold measured numbers: those of a numeric type with a unit."""
    return tuple(
        column.name
        for column in table.columns
        if column.unit and column.dtype.lower().startswith(("float", "int", "decimal"))
    )


def statistics_of(table: Table, path: Path, *, profile: Profile | None = None) -> Statistics:
    """Measure a staged Parquet file in one streaming scan.

    With the `profile` of the same file neither texts nor the key are read again. Columns that the file lacks are left
    out. Memory: a block of rows at a time, and a sample of `SAMPLE` rows.
    """
    frame = pl.scan_parquet(path)
    present = frame.collect_schema()
    names = [column.name for column in table.columns if column.name in present]
    measured = [name for name in measured_columns(table) if name in present and present[name].is_numeric()]
    rows = int(frame.select(pl.len()).collect().item())
    every = rows // SAMPLE + 1
    # An even step could meet the same weekday or day of the year again and again.
    sampled = frame.select(measured).gather_every(every if every % 2 else every + 1)
    counts, sample = pl.collect_all(
        [frame.select(_counting(table, names, measured, profile)), sampled.cast(pl.Float64)], engine="streaming"
    )
    row: dict[str, int | None] = counts.row(0, named=True) if counts.width else {}
    nulls = {
        name: profile.null_counts.get(name, 0) if profile is not None else int(row[f"null {name}"] or 0)
        for name in names
    }
    levels = {name: _level(sample.get_column(name)) for name in measured}
    return Statistics(
        rows=rows,
        dates=len(profile.dates) if profile is not None else int(row.get("dates") or 0),
        entities=_entities(profile, row),
        columns={
            name: ColumnStatistics(
                null_share=_share(nulls[name], rows),
                zero_share=_share(row.get(f"zero {name}") or 0, rows - nulls[name]) if name in levels else None,
                negative_share=_share(row.get(f"negative {name}") or 0, rows - nulls[name]) if name in levels else None,
                log_median=levels[name][0] if name in levels else None,
                log_mad=levels[name][1] if name in levels else None,
            )
            for name in names
        },
    )


def _counting(table: Table, names: list[str], measured: list[str], profile: Profile | None) -> list[pl.Expr]:
    wanted = [(pl.col(name) == 0).sum().alias(f"zero {name}") for name in measured]
    wanted += [(pl.col(name) < 0).sum().alias(f"negative {name}") for name in measured]
    if profile is not None:
        return wanted
    wanted += [pl.col(name).null_count().alias(f"null {name}") for name in names]
    if table.date_column in names:
        wanted.append(pl.col(table.date_column).drop_nulls().n_unique().alias("dates"))
        entity = [name for name in table.key if name != table.date_column and name in names]
        if table.date_column in table.key and entity:
            wanted.append(pl.struct(entity).n_unique().alias("entities"))
    return wanted


def _entities(profile: Profile | None, row: Mapping[str, int | None]) -> int:
    if profile is None:
        return int(row.get("entities") or 0)
    return 0 if profile.spans is None else profile.spans.height


def _level(values: pl.Series) -> tuple[float | None, float | None]:
    logs = values.filter(values.is_finite() & (values != 0)).abs().log()
    middle = logs.median()
    if not isinstance(middle, float) or not math.isfinite(middle):
        return None, None
    spread = (logs - middle).abs().median()
    return middle, spread if isinstance(spread, float) else None


def _share(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0
