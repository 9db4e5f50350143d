"""Row rules as polars expressions: true where a row keeps the rule, false where it breaks it, null without a value."""

from __future__ import annotations

import itertools

import polars as pl

from data_platform.catalog import Column
from data_platform.catalog.rules import HasLength, InOrder, IsFinite, IsProduct, Matches, OneOf, RowRule, Within


def finite_rules(columns: tuple[Column, ...]) -> tuple[IsFinite, ...]:
    """The rules that go without saying: one for each column of numbers with a fraction."""
    return tuple(IsFinite(column=column.name) for column in columns if column.dtype.startswith("float"))


def kept(rule: RowRule) -> pl.Expr:
    """Whether a row keeps the rule; null where it has no value to judge."""
    expression = _kept(rule)
    if rule.exempt is None:
        return expression
    column, value = rule.exempt
    return expression | pl.col(column).eq_missing(pl.lit(value))


def _kept(rule: RowRule) -> pl.Expr:
    match rule:
        case Within():
            return _within(rule)
        case OneOf():
            return pl.col(rule.column).is_in(rule.values)
        case Matches():
            return pl.col(rule.column).str.contains(rule.pattern)
        case HasLength():
            characters = pl.col(rule.column).str.len_chars()
            if rule.shortest == rule.longest:
                return characters == rule.longest
            return characters.is_between(rule.shortest, rule.longest)
        case InOrder():
            pairs = itertools.combinations(rule.columns, 2)
            return pl.all_horizontal([pl.col(before) <= pl.col(after) for before, after in pairs])
        case IsProduct():
            column, product = pl.col(rule.column).abs(), pl.col(rule.factors[0]) * pl.col(rule.factors[1])
            return (column - product.abs()).abs() <= rule.tolerance * column
        case IsFinite():
            return pl.col(rule.column).is_finite()


def _within(rule: Within) -> pl.Expr:
    column, sides = pl.col(rule.column), list[pl.Expr]()
    if rule.low is not None:
        sides.append(column > rule.low if rule.open_low else column >= rule.low)
    if rule.high is not None:
        sides.append(column < rule.high if rule.open_high else column <= rule.high)
    return pl.all_horizontal(sides)
