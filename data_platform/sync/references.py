"""Rows of other tables that a table's rules compare its own with: those of their latest published versions."""

from __future__ import annotations

import polars as pl

from data_platform.catalog import Table
from data_platform.catalog.rules import NotBefore
from data_platform.errors import PlatformError
from data_platform.warehouse import Warehouse


def references_of(table: Table, warehouse: Warehouse) -> dict[str, pl.LazyFrame]:
    """A lazy frame for each table that a rule names; one that was never synced, or is damaged, is left out.

    The rule is then not judged, and the verdict says so: a neighbour's trouble keeps no partition from being published.
    """
    found: dict[str, pl.LazyFrame] = {}
    for name in {rule.reference for rule in table.rules if isinstance(rule, NotBefore)}:
        try:
            found[name] = warehouse.reader(name).pin().scan()
        except PlatformError:
            continue
    return found
