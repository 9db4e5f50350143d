"""From a site's files to one of our tables: headers to columns, percent to decimals, files joined on their dates."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa

from data_platform.catalog import KenFrenchFile, Table
from data_platform.sources.ken_french.parsing import Frequency, SourceTable

DECIMALS: Final = 10
"""A percent figure with up to eight decimals becomes the exact float of its decimal, so 0.56 % is 0.0056."""

ROUNDING: Final = 1.0001e-4
"""Two series that were rounded to hundredths of a percent may differ by one such step and be the same."""


class AssemblyError(Exception):
    """A file does not hold what the catalog declares; `file` names it."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(problem)
        self.file = file
        self.problem = problem


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file's declaration and the tables that were found in it."""

    declared: KenFrenchFile
    tables: list[SourceTable]


def percent_to_decimal(value: float | None) -> float | None:
    """Move the point by two places: 0.56 (percent) is 0.0056, not 0.005600000000000001."""
    return None if value is None else round(value / 100, DECIMALS)


def assemble(
    files: Iterable[ParsedFile], table: Table, dates: tuple[dt.date, dt.date] | None = None
) -> tuple[pa.Table, list[str]]:
    """Join the files on their dates into the table's schema, ordered by date; the list holds warnings.

    A date that only some files have gives nulls for the others. Columns that repeat another file's are compared and
    dropped. With `dates`, only rows from the first (inclusive) to the last (exclusive) are returned.

    Raises:
        AssemblyError: for a file without its daily table, with an empty one, or without a declared header.
    """
    warnings: list[str] = []
    joined = pl.DataFrame(schema={table.date_column: pl.Date})
    for file in files:
        chosen = daily_table(file)
        found = _columns_by_header(file.declared, chosen, warnings)
        wanted = {published: found[header] for header, published in file.declared.columns.items()}
        frame = pl.DataFrame(
            {
                table.date_column: pl.Series(chosen.keys, dtype=pl.Date),
                **{name: pl.Series(_decimals(values), dtype=pl.Float64) for name, values in wanted.items()},
            }
        )
        joined = joined.join(frame, on=table.date_column, how="full", coalesce=True)
        for header, published in file.declared.repeats.items():
            primary = dict(joined.select(table.date_column, published).iter_rows())
            warnings += compare_repeat(file.declared.name, header, published, primary, chosen.keys, found[header])
    if dates is not None:
        joined = joined.filter(pl.col(table.date_column).is_between(*dates, closed="left"))
    ordered = joined.sort(table.date_column).select(table.arrow_schema.names)
    return ordered.to_arrow().cast(table.arrow_schema), warnings


def daily_table(file: ParsedFile) -> SourceTable:
    """The first daily table of a file: value-weighted in files that hold several.

    Raises:
        AssemblyError: when there is none, or it is empty.
    """
    for candidate in file.tables:
        if candidate.frequency is Frequency.DAILY:
            return candidate
    if not file.tables:
        raise AssemblyError(file.declared.name, "holds no table: no line begins with a comma")
    if all(not candidate.keys for candidate in file.tables):
        raise AssemblyError(file.declared.name, "holds an empty table: a header and no rows")
    raise AssemblyError(file.declared.name, "holds no daily table")


def compare_repeat(
    file: str,
    header: str,
    published: str,
    primary: Mapping[dt.date, float | None],
    keys: list[dt.date],
    percents: list[float | None],
) -> list[str]:
    """Warn when a repeated series is not the one we publish, beyond rounding; dates that one lacks do not count."""
    pairs = ((key, primary.get(key), percent_to_decimal(percent)) for key, percent in zip(keys, percents, strict=True))
    differing = [
        key for key, ours, theirs in pairs if ours is not None and theirs is not None and abs(ours - theirs) > ROUNDING
    ]
    if not differing:
        return []
    return [
        f"{file}: its {header} differs from {published} beyond rounding on {len(differing)} of {len(keys)} days, "
        f"first on {differing[0]}; {published} was kept."
    ]


def _columns_by_header(
    declared: KenFrenchFile, chosen: SourceTable, warnings: list[str]
) -> dict[str, list[float | None]]:
    wanted = [*declared.columns, *declared.repeats]
    counts = Counter(_plain(name) for name in chosen.header)
    ambiguous = [name for name in wanted if counts[_plain(name)] > 1]
    missing = [name for name in wanted if counts[_plain(name)] == 0]
    if missing or ambiguous:
        problem = f"has no column {missing[0]}" if missing else f"has two columns {ambiguous[0]}"
        raise AssemblyError(
            declared.name, f"{problem}: expected {', '.join(wanted)}; found {', '.join(chosen.header) or 'no names'}"
        )
    new = [name for name in chosen.header if _plain(name) not in {_plain(known) for known in wanted}]
    if new:
        warnings.append(f"{declared.name}: columns that the catalog does not declare were left out: {', '.join(new)}.")
    by_plain_name = {_plain(name): values for name, values in zip(chosen.header, chosen.columns, strict=True)}
    return {name: by_plain_name[_plain(name)] for name in wanted}


def _plain(header: str) -> str:
    return "".join(header.split()).casefold()


def _decimals(values: list[float | None]) -> list[float | None]:
    return [percent_to_decimal(value) for value in values]
