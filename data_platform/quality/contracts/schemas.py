"""The pandera schemas of a table, made once, and the failures that they report.

Three schemas, because pandera's own work, a few milliseconds a rule and frame, is most of the time. `form_of` holds all
columns with their types; a file has one schema, so it is asked once, with no rows. `gate_of` holds all row rules as one
check, which a sound row group passes at the price of one. `detail_of` has a check for each of the few rules that a row
group breaks, and tells which rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import polars as pl
import pyarrow as pa

from data_platform.catalog import Column
from data_platform.catalog.rules import RowRule, columns_of
from data_platform.quality.contracts.expressions import kept

Schema = Any
"""A pandera schema of a polars frame; the library is imported when a partition is judged, and not before."""

_OUTPUT: Final = "check_output"


@dataclass(frozen=True, slots=True)
class Failure:
    """What pandera reports: which check failed, on which column, and on which rows (a mask) where it judged rows."""

    check: str
    column: str
    broken: pl.Series | None


@cache
def form_of(columns: tuple[Column, ...]) -> Schema:
    """A schema of names and types alone."""
    import pandera.polars as pandera  # noqa: PLC0415 - takes seconds to import, needed only to judge a partition

    types = pl.DataFrame(pa.schema([column.arrow_field for column in columns]).empty_table()).schema
    return pandera.DataFrameSchema({name: pandera.Column(dtype, nullable=True) for name, dtype in types.items()})


@cache
def gate_of(columns: tuple[Column, ...], rules: tuple[RowRule, ...]) -> Schema:
    """A schema with one check that a frame passes when every row keeps every rule, and no key's part is missing."""
    import pandera.polars as pandera  # noqa: PLC0415 - as above

    every = [kept(rule).all() for rule in rules]

    def keeps(data: Any) -> bool:  # noqa: ANN401 - pandera's container of a lazy frame
        frame: pl.LazyFrame = data.lazyframe
        # A plain answer: given a column, pandera would gather the rows that fail, with all that they hold.
        return not every or bool(frame.select(pl.all_horizontal(every).alias(_OUTPUT)).collect().item())

    return pandera.DataFrameSchema(_required(columns), checks=[pandera.Check(keeps, name="every rule")])


@cache
def detail_of(columns: tuple[Column, ...], rules: tuple[tuple[str, RowRule], ...]) -> Schema:
    """A schema with a check for each of these rules, under its own name.

    Give it no other columns than `columns_for` says: pandera copies them for every check that fails.
    """
    import pandera.polars as pandera  # noqa: PLC0415 - as above

    return pandera.DataFrameSchema(_required(columns), checks=[_check(name, kept(rule)) for name, rule in rules])


def columns_for(columns: tuple[Column, ...], rules: tuple[tuple[str, RowRule], ...]) -> list[str]:
    """The columns that `detail_of` looks at."""
    return sorted({*_required_names(columns), *(name for _, rule in rules for name in columns_of(rule))})


def failures(schema: Schema, frame: pl.DataFrame) -> Iterator[Failure]:
    """Validate a frame whole, whatever the environment says of pandera's depth, and pass on what it reports."""
    from pandera.config import ValidationDepth, config_context  # noqa: PLC0415 - as above
    from pandera.errors import SchemaErrors  # noqa: PLC0415 - as above

    try:
        # On a lazy frame, or with another depth, pandera would look at the types and let every row pass.
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            schema.validate(frame, lazy=True)
    except SchemaErrors as report:
        # Its own text holds values; nothing of it goes any further.
        errors: list[Any] = report.schema_errors
    else:
        return
    for error in errors:
        check = error.check if isinstance(error.check, str) else str(error.check.name)
        column = str(error.failure_cases if check == "column_in_dataframe" else error.schema.name or "")
        output: pl.DataFrame | None = error.check_output
        yield Failure(check, column, None if output is None else ~output.get_column(_OUTPUT).fill_null(value=True))


def _check(name: str, expression: pl.Expr) -> Any:  # noqa: ANN401 - pandera is not imported here
    import pandera.polars as pandera  # noqa: PLC0415 - as above

    def keeps(data: Any) -> pl.LazyFrame:  # noqa: ANN401 - pandera's container of a lazy frame
        frame: pl.LazyFrame = data.lazyframe
        return frame.select(expression.alias(_OUTPUT))

    # Failure cases would be whole rows; the mask tells their keys.
    return pandera.Check(keeps, name=name, n_failure_cases=1)


def _required(columns: tuple[Column, ...]) -> dict[str, Any]:
    import pandera.polars as pandera  # noqa: PLC0415 - as above

    return {name: pandera.Column(nullable=False) for name in _required_names(columns)}


def _required_names(columns: tuple[Column, ...]) -> list[str]:
    return [column.name for column in columns if not column.nullable]
