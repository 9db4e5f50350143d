"""Naming rows by their keys, and finding those whose key repeats or stands in no order."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from data_platform.catalog import Table
from data_platform.catalog.rules import Severity
from data_platform.quality.profile import Profile, before_previous, same_as_previous
from data_platform.quality.results import SHOWN_KEYS, Finding

UNIQUE: Final = "unique"
ORDERED: Final = "in the order of the key"

_SHOWN_PARTS: Final = 3
"""Of a long key: where it is as wide as the table, all of it would be a row."""


def key_columns(table: Table) -> tuple[str, ...]:
    """The columns by which findings name rows: the first parts of the key."""
    return table.key[:_SHOWN_PARTS]


def key_texts(rows: pl.DataFrame, table: Table) -> tuple[str, ...]:
    """The keys of the first few rows as text, such as ``permno 10001, date 2023-01-03``."""
    names = key_columns(table)
    shown = rows.head(SHOWN_KEYS).select(names).iter_rows()
    return tuple(", ".join(f"{name} {_text(part)}" for name, part in zip(names, key, strict=True)) for key in shown)


def key_findings(scan: pl.LazyFrame, table: Table, profile: Profile) -> tuple[Finding, ...]:
    """Rows that repeat the key of the row before, or come too early; the profile has counted both."""
    cases = (
        (profile.duplicate_keys, UNIQUE, same_as_previous(table.key), "Two rows with one key are counted twice."),
        (profile.disorder, ORDERED, before_previous(table.key), "In one order, equal rows have equal bytes."),
    )
    found: list[Finding] = []
    for count, rule, broken, reason in cases:
        if count:
            rows = scan.select(table.key).filter(broken).head(SHOWN_KEYS).collect(engine="streaming")
            keys = key_texts(rows, table)
            found.append(Finding(", ".join(table.key), rule, Severity.ERROR, count, count / profile.rows, keys, reason))
    return tuple(found)


def _text(part: object) -> str:
    if part is None:
        return "none"
    return part.isoformat() if isinstance(part, dt.date) else str(part)
