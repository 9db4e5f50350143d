"""From a file of portfolios to one of our long tables: a row for each date, portfolio and weighting."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Final

import polars as pl
import pyarrow as pa

from data_platform.catalog import KenFrenchPortfolios, Table
from data_platform.sources.ken_french.assembling import AssemblyError, empty, in_decimals, plain
from data_platform.sources.ken_french.captions import Measure, measure_of
from data_platform.sources.ken_french.parsing import Frequency, SourceTable

WEIGHTINGS: Final = {"vw": Measure.VALUE_WEIGHTED, "ew": Measure.EQUAL_WEIGHTED}
SHARED: Final = {"n_firms": Measure.FIRMS, "avg_firm_size": Measure.SIZE}
"""Columns that do not depend on the weighting. They are no returns, so they are not in percent."""

_SHOWN: Final = 60
"""Characters of a caption in a message, from its end, where the description stands."""


def assemble_portfolios(
    tables: Sequence[SourceTable],
    table: Table,
    origin: KenFrenchPortfolios,
    dates: tuple[dt.date, dt.date] | None = None,
) -> tuple[pa.Table, list[str]]:
    """Bring a file's tables of the declared frequency into the table's schema and key order; with warnings.

    Every portfolio has a row for both weightings on every date that either has; what is not there is null. With
    `dates`, only rows from the first (inclusive) to the last (exclusive) are returned.

    Raises:
        AssemblyError: when a measure's table is missing or there are two, when tables disagree on the portfolios, or
            when those are not as many as declared.
    """
    shared = {name: measure for name, measure in SHARED.items() if name in table.arrow_schema.names}
    chosen = _choose(tables, origin, [*WEIGHTINGS.values(), *shared.values()])
    names = _portfolios(origin, chosen)
    days = sorted({day for measure in WEIGHTINGS.values() for day in chosen[measure].keys})
    warnings = [
        f"{origin.file}: its table of {measure} is not of the same dates as the others, first on {differing[0]}; dates "
        "without any return were left out."
        for measure, source in chosen.items()
        if (differing := sorted(set(days) ^ set(source.keys)))
    ]
    grid = pl.DataFrame({"industry": list(names.values())}).join(
        pl.DataFrame({"date": pl.Series(days, dtype=pl.Date)}), how="cross", maintain_order="left_right"
    )
    measures = {column: _below_each_other(chosen[measure], names, days) for column, measure in shared.items()}
    if "n_firms" in measures and (measures["n_firms"].drop_nulls() % 1 != 0).any():
        raise AssemblyError(origin.file, f"holds fractions in its table of {Measure.FIRMS}")
    frame = pl.concat(
        grid.with_columns(
            pl.lit(weighting).alias("weighting"),
            _below_each_other(chosen[measure], names, days, percent=True).alias("ret"),
            *(values.alias(column) for column, values in measures.items()),
        )
        for weighting, measure in WEIGHTINGS.items()
    )
    if dates is not None:
        frame = frame.filter(pl.col("date").is_between(*dates, closed="left"))
    ordered = frame.sort(table.key).select(table.arrow_schema.names)
    return ordered.to_arrow().cast(table.arrow_schema), warnings


def _choose(
    tables: Sequence[SourceTable], origin: KenFrenchPortfolios, wanted: Sequence[Measure]
) -> dict[Measure, SourceTable]:
    frequency = Frequency(origin.frequency)
    described = [
        (measure, table)
        for table in tables
        if table.frequency is frequency and (measure := measure_of(table.caption)) in wanted
    ]
    counts = Counter(measure for measure, _ in described)
    twice = [measure for measure in wanted if counts[measure] > 1]
    if twice:
        raise AssemblyError(origin.file, f"holds {counts[twice[0]]} {frequency} tables of {twice[0]}")
    missing = [measure for measure in wanted if counts[measure] == 0]
    if missing:
        captions = [f"{table.caption[-_SHOWN:] or 'no caption'} ({table.frequency or 'empty'})" for table in tables]
        problem = f"holds no {frequency} table of {missing[0]}; found: {'; '.join(captions)}"
        raise AssemblyError(origin.file, empty(tables) or problem)
    return {measure: table for measure, table in described if measure is not None}


def _portfolios(origin: KenFrenchPortfolios, chosen: dict[Measure, SourceTable]) -> dict[str, str]:
    """The portfolios' names, as the first table spells them, by what they are compared by."""
    first = next(iter(chosen.values()))
    names = {plain(name): name for name in first.header}
    for measure, table in chosen.items():
        found = Counter(plain(name) for name in table.header)
        repeated = [name for name in table.header if found[plain(name)] > 1]
        if "" in found or repeated:
            problem = f"names {repeated[0]!r} twice" if repeated and repeated[0] else "has a column without a name"
            raise AssemblyError(origin.file, f"{problem} in its table of {measure}")
        if found.keys() != names.keys():
            differing = ", ".join(sorted(found.keys() ^ names.keys()))
            raise AssemblyError(origin.file, f"has other industries in its table of {measure}: {differing} differ")
    if len(names) != origin.count:
        raise AssemblyError(
            origin.file, f"holds {len(names)} industries, not {origin.count}: {', '.join(names.values())}"
        )
    return names


def _below_each_other(
    source: SourceTable, names: dict[str, str], days: list[dt.date], *, percent: bool = False
) -> pl.Series:
    """The table's columns as one, in the order of `names`, each with a value or null for every one of the days."""
    columns = {plain(header): values for header, values in zip(source.header, source.columns, strict=True)}
    wide = pl.DataFrame({"date": pl.Series(source.keys, dtype=pl.Date)}).with_columns(
        pl.Series(f"of {name}", in_decimals(columns[name]) if percent else columns[name], dtype=pl.Float64)
        for name in names
    )
    aligned = pl.DataFrame({"date": pl.Series(days, dtype=pl.Date)}).join(
        wide, on="date", how="left", maintain_order="left"
    )
    return pl.concat([aligned.get_column(f"of {name}") for name in names])
