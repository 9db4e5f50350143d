"""The smallest rows that keep every rule of a table, and the same rows with one rule broken.

Values follow from the rules themselves, so a new rule needs nothing here, but for the text of a new pattern.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Final

import polars as pl

from data_platform.catalog import Column, Table
from data_platform.catalog.rules import (
    HasLength,
    InOrder,
    IsFinite,
    IsProduct,
    Matches,
    NoOverlap,
    NotBefore,
    OneOf,
    OnePerEntity,
    RowRule,
    Rule,
    Within,
    columns_of,
)

Row = dict[str, Any]

DAY: Final = dt.date(2023, 6, 30)
_MATCHING: Final = {
    r"^\d{6}$": "001004",
    r"^\d{10}$": "0000001750",
    r"^\d{4}$": "2024",
    r"^\d{2}$": "10",
    r"^\d{8}$": "10101010",
    r"^\d{4}Q[1-4]$": "2024Q1",
    r"^\d{2}[CWX]?$": "01",
    r"^[A-Z]{2}[A-Z0-9]{9}\d$": "US0000000009",
    "^(?i:primaryexch|exchangetier|conditionaltype|tradingstatusflg)$": "PrimaryExch",
}


def valid_row(table: Table) -> Row:
    """A row that keeps every rule."""
    row = {column.name: _value(table, column) for column in table.columns}
    for rule in table.rules:
        if isinstance(rule, IsProduct):
            row[rule.column] = row[rule.factors[0]] * row[rule.factors[1]]
    return row


def frame_of(table: Table, rows: list[Row]) -> pl.DataFrame:
    """The rows in the table's columns and types."""
    schema = pl.DataFrame(table.arrow_schema.empty_table()).schema
    return pl.DataFrame(rows, schema=schema, orient="row")


def references_for(table: Table, first: dt.date = DAY) -> dict[str, pl.LazyFrame]:
    """For each table that a rule names, the valid row's entity, which began on that day."""
    row = valid_row(table)
    found: dict[str, pl.LazyFrame] = {}
    for rule in table.rules:
        if isinstance(rule, NotBefore):
            types = frame_of(table, []).schema
            entity = {name: pl.Series([row[name]], dtype=types[name]) for name in rule.entity}
            found[rule.reference] = pl.LazyFrame({**entity, rule.reference_column: [first]})
    return found


def broken_rows(table: Table, rule: Rule) -> list[list[Row]]:
    """Sets of rows that break this rule alone, by one row; a range is left on each side that it has."""
    row = valid_row(table)
    match rule:
        case NoOverlap():
            return [_overlapping(table, rule, row)]
        case OnePerEntity():
            other = _another(table, row, apart_from=rule.entity)
            other[rule.column] = _next(row[rule.column])
            return [sorted((row, other), key=lambda each: [each[name] for name in table.key])]
        case NotBefore():
            return [[{**row, rule.column: row[rule.column] - dt.timedelta(days=1)}]]
        case _:
            return [[_alone(table, rule, {**row, column: value}, column)] for column, value in _bad(table, rule, row)]


def _value(table: Table, column: Column) -> Any:  # noqa: ANN401 - of whatever type the column has
    rules: list[RowRule] = [r for r in table.rules if not isinstance(r, TABLE_RULES) and r.column == column.name]
    for rule in rules:
        match rule:
            case OneOf():
                exempting = {other.exempt for other in table.rules if other.exempt}
                return next(value for value in rule.values if (column.name, value) not in exempting)
            case Matches():
                return _MATCHING[rule.pattern]
            case HasLength():
                return "A" * rule.shortest
            case _:
                continue
    if column.dtype == "str":
        return "A"
    if column.dtype == "date":
        return DAY
    value = _inside([rule for rule in rules if isinstance(rule, Within)])
    return value if column.dtype == "float64" else int(value)


def _inside(bounds: list[Within]) -> float:
    """A number that lies within all of these."""
    low = max((rule.low for rule in bounds if rule.low is not None), default=None)
    high = min((rule.high for rule in bounds if rule.high is not None), default=None)
    if low is None:
        return 1.0
    return low + 1 if high is None else (low + high) / 2


TABLE_RULES: Final = (NoOverlap, OnePerEntity, NotBefore)


def _bad(table: Table, rule: RowRule, row: Row) -> list[tuple[str, Any]]:
    """A column to change, and what to, for each way of breaking the rule."""
    match rule:
        case Within():
            kind = float if table.column(rule.column).dtype == "float64" else int
            low = [] if rule.low is None else [rule.low if rule.open_low else rule.low - 1]
            high = [] if rule.high is None else [rule.high if rule.open_high else rule.high + 1]
            return [(rule.column, kind(value)) for value in (*low, *high)]
        case OneOf() | Matches():
            return [(rule.column, "?"), (rule.column, "")]
        case HasLength():
            return [(rule.column, "A" * (rule.longest + 1)), (rule.column, "A" * (rule.shortest - 1))]
        case InOrder():
            one = dt.timedelta(days=1) if isinstance(row[rule.columns[0]], dt.date) else 1
            if len(rule.columns) > 2:
                return [(rule.columns[1], row[rule.columns[2]] + one)]
            first, last = rule.columns
            return [(first, row[last] + one)] if last in table.key else [(last, row[first] - one)]
        case IsProduct():
            return [(rule.column, row[rule.column] * (1 + 2 * rule.tolerance))]
        case IsFinite():
            return [(rule.column, value) for value in (math.inf, -math.inf, math.nan)]


def _alone(table: Table, rule: RowRule, row: Row, changed: str) -> Row:
    """The row without the values by which other rules would bite too: what is missing breaks nothing."""
    for other in table.rules:
        if other != rule and not isinstance(other, TABLE_RULES) and changed in columns_of(other):
            row |= {n: None for n in columns_of(other) - columns_of(rule) - {changed} if table.column(n).nullable}
    return row


def _another(table: Table, row: Row, *, apart_from: tuple[str, ...]) -> Row:
    """A second row of the same entity: a month later where its key has a date, else with another part of its key."""
    dates = {name for name, value in row.items() if isinstance(value, dt.date)}
    free = [name for name in table.key if name not in apart_from]
    if dates.intersection(free):
        return row | {name: row[name] + dt.timedelta(days=31) for name in dates}
    codes = next((r.values for r in table.rules if isinstance(r, OneOf) and r.column == free[-1]), None)
    return row | {free[-1]: codes[1] if codes else _next(row[free[-1]])}


def _overlapping(table: Table, rule: NoOverlap, row: Row) -> list[Row]:
    first = row | {rule.end: row[rule.start] + dt.timedelta(days=10)}
    second = row | {rule.start: row[rule.start] + dt.timedelta(days=5), rule.end: None}
    if not table.column(rule.end).nullable:
        second[rule.end] = row[rule.start] + dt.timedelta(days=20)
    for other in table.rules:
        if isinstance(other, NoOverlap) and other != rule:
            second |= {name: _next(row[name]) for name in other.entity if name not in rule.entity}
    return [first, second]


def _next(value: Any) -> Any:  # noqa: ANN401 - of whatever type the column has
    return value[:-1] + chr(ord(value[-1]) + 1) if isinstance(value, str) else value + 1
