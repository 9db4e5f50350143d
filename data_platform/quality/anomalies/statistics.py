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
from data_platform.quality.blocks import blocks, row_count
from data_platform.quality.profile import Profile

SAMPLE: Final = 50_000
"""About so many rows, evenly spread, are enough for the medians."""

FEWEST: Final = 100
"""Values without which a median says little: of columns that are nearly always zero there is none."""

_COUNTS: Final = ("rows", "dates", "entities")
_FIGURES: Final = ("null_share", "zero_share", "negative_share", "log_median", "log_mad")


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """One column: the share of missing values, and for measured numbers (those with a unit) the rest.

    Shares of zeros and of negative values are of those that are there. `log_median` and `log_mad` are of the natural
    logarithm of absolute values, zeros left out; None where there are fewer than a hundred.
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
    """Measure a staged Parquet file, block by block.

    With the `profile` of the same file neither texts nor the key are read. Columns that the file lacks are left out.
    """
    tally = StatisticsTally(table, path, profile)
    for block in blocks(path, tally.columns):
        tally.add(block)
    return tally.result()


class StatisticsTally:
    """Statistics in the making: told every block of a file, in whatever order, it keeps counts and a sample of rows."""

    def __init__(self, table: Table, path: Path, profile: Profile | None) -> None:
        present = pl.read_parquet_schema(path)
        self._names = [column.name for column in table.columns if column.name in present]
        self._measured = [name for name in measured_columns(table) if name in present and present[name].is_numeric()]
        self._rows = row_count(path)
        self._profile = profile
        self._key = _key(table, self._names)
        self._path = path
        every = self._rows // SAMPLE + 1
        # An even step could meet the same weekday or day of the year again and again.
        self._every = every if every % 2 else every + 1
        self._counts: list[pl.DataFrame] = []
        self._samples: list[pl.DataFrame] = []
        self.columns: tuple[str, ...] = tuple(self._measured if profile is not None else self._names)
        """What has to be in the blocks."""

    def add(self, block: pl.DataFrame) -> None:
        """Count a block."""
        wanted = [(pl.col(name) == 0).sum().alias(f"zero {name}") for name in self._measured]
        wanted += [(pl.col(name) < 0).sum().alias(f"negative {name}") for name in self._measured]
        if self._profile is None:
            wanted += [pl.col(name).null_count().alias(f"null {name}") for name in self._names]
        self._counts.append(block.select(wanted).cast(pl.Int64))
        self._samples.append(block.select(self._measured).gather_every(self._every).cast(pl.Float64))

    def result(self) -> Statistics:
        """The statistics of all blocks."""
        counts: dict[str, int] = pl.concat(self._counts).sum().row(0, named=True) if self._counts else {}
        profile, rows = self._profile, self._rows
        known = (
            profile.null_counts
            if profile is not None
            else {name: counts.get(f"null {name}", 0) for name in self._names}
        )
        dates, entities = self._different()
        sample = pl.concat(self._samples) if self._samples else pl.DataFrame()
        columns: dict[str, ColumnStatistics] = {}
        for name in self._names:
            nulls = known.get(name, 0)
            if name not in self._measured:
                columns[name] = ColumnStatistics(null_share=_share(nulls, rows))
                continue
            middle, spread = _level(sample.get_column(name)) if sample.width else (None, None)
            columns[name] = ColumnStatistics(
                null_share=_share(nulls, rows),
                zero_share=_share(counts.get(f"zero {name}", 0), rows - nulls),
                negative_share=_share(counts.get(f"negative {name}", 0), rows - nulls),
                log_median=middle,
                log_mad=spread,
            )
        return Statistics(rows=rows, dates=dates, entities=entities, columns=columns)

    def _different(self) -> tuple[int, int]:
        """Numbers of different dates and entities."""
        if self._profile is not None:
            spans = self._profile.spans
            return len(self._profile.dates), 0 if spans is None else spans.height
        date, entity = self._key
        wanted = [pl.col(date).drop_nulls().n_unique().alias("dates")] if date is not None else []
        if entity:
            wanted.append(pl.struct(entity).n_unique().alias("entities"))
        if not wanted or self._rows == 0:
            return 0, 0
        found = pl.scan_parquet(self._path).select(wanted).collect(engine="streaming").row(0, named=True)
        return int(found.get("dates", 0)), int(found.get("entities", 0))


def _key(table: Table, names: list[str]) -> tuple[str | None, list[str]]:
    """The date and, where it is part of the key, the rest of the key, as far as they are there."""
    if table.date_column not in names:
        return None, []
    entity = [name for name in table.key if name != table.date_column and name in names]
    return table.date_column, entity if table.date_column in table.key else []


def _level(values: pl.Series) -> tuple[float | None, float | None]:
    logs = values.filter(values.is_finite() & (values != 0)).abs().log()
    middle = logs.median()
    if len(logs) < FEWEST or not isinstance(middle, float) or not math.isfinite(middle):
        return None, None
    spread = (logs - middle).abs().median()
    return middle, spread if isinstance(spread, float) else None


def _share(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0
