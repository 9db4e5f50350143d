"""Rules between rows and between tables, each a polars query over just the columns that it needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import polars as pl

from data_platform.catalog import Table
from data_platform.catalog.rules import NoOverlap, NotBefore, OnePerEntity, TableRule, columns_of
from data_platform.quality.contracts.keys import key_columns, key_texts
from data_platform.quality.results import Finding

References = Mapping[str, pl.LazyFrame]
"""Rows of other tables' latest versions, by name; a table that is not published is not in it."""

_OPEN: Final = dt.date.max
_OTHER: Final = "other"


def unjudged(rule: TableRule, references: References) -> str | None:
    """Why a rule cannot be judged, as a sentence; None when it can."""
    if isinstance(rule, NotBefore) and rule.reference not in references:
        return f"{rule.column} was not compared with {rule.reference}, of which no version can be read"
    return None


def broken_rule(
    rule: TableRule, scan: pl.LazyFrame, table: Table, *, rows: int, references: References
) -> Finding | None:
    """The finding of a rule on a partition's rows, of which there are so many; None when it is kept."""
    needed = sorted({*columns_of(rule), *key_columns(table)})
    own = scan.select(needed)
    if rule.exempt is not None:
        own = own.filter(~pl.col(rule.exempt[0]).eq_missing(pl.lit(rule.exempt[1])))
    match rule:
        case NoOverlap():
            broken = _overlapping(own, rule)
        case OnePerEntity():
            broken = _differing(own, rule)
        case NotBefore():
            broken = _too_early(own, rule, references[rule.reference])
    if broken.is_empty():
        return None
    keys = key_texts(broken.sort(key_columns(table)), table)
    return Finding(rule.column, rule.words, rule.severity, broken.height, broken.height / rows, keys, rule.reason)


def _overlapping(own: pl.LazyFrame, rule: NoOverlap) -> pl.DataFrame:
    end = pl.col(rule.end).fill_null(_OPEN)
    for name, values in rule.among:
        own = own.filter(pl.col(name).is_in(values))
    reached = end.cum_max().shift().over(rule.entity)
    ranges = own.drop_nulls([*rule.entity, rule.start]).sort(*rule.entity, pl.col(rule.start), end)
    return ranges.filter(pl.col(rule.start) <= reached).collect()


def _differing(own: pl.LazyFrame, rule: OnePerEntity) -> pl.DataFrame:
    """Looked up in two steps: almost always no entity has two values, and then no row has to be looked at."""
    value = pl.col(rule.column)
    known = own.drop_nulls([*rule.entity, rule.column])
    several = (
        known.group_by(rule.entity)
        .agg(value.min().alias(_OTHER), value.max().alias("largest"))
        .filter(pl.col(_OTHER) != pl.col("largest"))
        .drop("largest")
        .collect(engine="streaming")
    )
    if several.is_empty():
        return several
    return known.join(several.lazy(), on=rule.entity).filter(value != pl.col(_OTHER)).collect()


def _too_early(own: pl.LazyFrame, rule: NotBefore, reference: pl.LazyFrame) -> pl.DataFrame:
    first = reference.group_by(rule.entity).agg(pl.col(rule.reference_column).min().alias(_OTHER))
    return own.join(first, on=rule.entity).filter(pl.col(rule.column) < pl.col(_OTHER)).collect()
