"""From files of factors to one of our tables: headers to columns, percent to decimals, files joined on their dates."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa

from data_platform.catalog import KenFrenchFile, KenFrenchSite, Table
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
    files: Iterable[ParsedFile], table: Table, site: KenFrenchSite, dates: tuple[dt.date, dt.date] | None = None
) -> tuple[pa.Table, list[str]]:
    """Join the files on their dates into the table's schema, ordered by date; the list holds warnings.

    A date that only some files have gives nulls for the others. Columns that repeat another file's are compared and
    dropped. With `dates`, only rows from the first (inclusive) to the last (exclusive) are returned.

    Raises:
        AssemblyError: for a file without a table of the site's frequency, with an empty one, or without a declared
            header.
    """
    frequency = Frequency(site.frequency)
    warnings: list[str] = []
    (date,) = table.key
    joined = pl.DataFrame(schema={date: pl.Date})
    for file in files:
        chosen = first_table(file, frequency)
        found = _columns_by_header(file.declared, chosen, warnings)
        wanted = {published: found[header] for header, published in file.declared.columns.items()}
        frame = pl.DataFrame(
            {
                date: pl.Series(chosen.keys, dtype=pl.Date),
                **{name: pl.Series(in_decimals(values), dtype=pl.Float64) for name, values in wanted.items()},
            }
        )
        joined = joined.join(frame, on=date, how="full", coalesce=True)
        for header, published in file.declared.repeats.items():
            primary = dict(joined.select(date, published).iter_rows())
            difference = compare_repeat(primary, dict(zip(chosen.keys, found[header], strict=True)), frequency)
            if difference:
                warnings.append(
                    f"{file.declared.name}: its {header} differs from {published} {difference}; {published} was kept."
                )
    if dates is not None:
        joined = joined.filter(pl.col(date).is_between(*dates, closed="left"))
    ordered = joined.sort(date).select(table.arrow_schema.names)
    return ordered.to_arrow().cast(table.arrow_schema), warnings


def first_table(file: ParsedFile, frequency: Frequency) -> SourceTable:
    """The first table of that frequency in a file.

    Raises:
        AssemblyError: when there is none, or it is empty.
    """
    for candidate in file.tables:
        if candidate.frequency is frequency:
            return candidate
    raise AssemblyError(file.declared.name, empty(file.tables) or f"holds no {frequency} table")


def empty(tables: Sequence[SourceTable]) -> str | None:
    """How a file holds nothing at all; None when it does hold something."""
    if not tables:
        return "holds no table: no line begins with a comma"
    if all(not table.keys for table in tables):
        return "holds an empty table: a header and no rows"
    return None


def compare_repeat(
    primary: Mapping[dt.date, float | None], percents: Mapping[dt.date, float | None], frequency: Frequency
) -> str | None:
    """How a repeated series is not the one we publish, beyond rounding; dates that one lacks do not count."""
    pairs = ((key, primary.get(key), percent_to_decimal(percent)) for key, percent in percents.items())
    differing = [
        key for key, ours, theirs in pairs if ours is not None and theirs is not None and abs(ours - theirs) > ROUNDING
    ]
    if not differing:
        return None
    many = "days" if frequency is Frequency.DAILY else "months"
    return f"beyond rounding on {len(differing)} of {len(percents)} {many}, first on {differing[0]}"


def _columns_by_header(
    declared: KenFrenchFile, chosen: SourceTable, warnings: list[str]
) -> dict[str, list[float | None]]:
    wanted = [*declared.columns, *declared.repeats]
    counts = Counter(plain(name) for name in chosen.header)
    ambiguous = [name for name in wanted if counts[plain(name)] > 1]
    missing = [name for name in wanted if counts[plain(name)] == 0]
    if missing or ambiguous:
        problem = f"has no column {missing[0]}" if missing else f"has two columns {ambiguous[0]}"
        raise AssemblyError(
            declared.name, f"{problem}: expected {', '.join(wanted)}; found {', '.join(chosen.header) or 'no names'}"
        )
    new = [name for name in chosen.header if plain(name) not in {plain(known) for known in wanted}]
    if new:
        warnings.append(f"{declared.name}: columns that the catalog does not declare were left out: {', '.join(new)}.")
    by_plain_name = {plain(name): values for name, values in zip(chosen.header, chosen.columns, strict=True)}
    return {name: by_plain_name[plain(name)] for name in wanted}


def plain(header: str) -> str:
    """A header as it is compared: without blanks and case."""
    return "".join(header.split()).casefold()


def in_decimals(values: list[float | None]) -> list[float | None]:
    """A column of percent figures as decimals."""
    return [percent_to_decimal(value) for value in values]
