"""A small table with a rule of every kind, for tests of what the kinds mean."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog import Column, Partitioning, Table, WrdsQuery
from data_platform.catalog.columns import day, number, text, whole
from data_platform.catalog.rules import (
    HasLength,
    InOrder,
    IsProduct,
    Matches,
    NoOverlap,
    NotBefore,
    OneOf,
    OnePerEntity,
    Rule,
    Severity,
    Within,
)


def lab(*rules: Rule, columns: tuple[Column, ...] | None = None) -> Table:
    """The table with these rules."""
    return Table(
        name="lab",
        dataset="crsp",
        title="Lab",
        description="A table for tests.",
        columns=columns or COLUMNS,
        key=("id", "begin"),
        date_column="begin",
        partitioning=Partitioning.WHOLE,
        origin=WrdsQuery(relation="lab.lab", sql="lab.sql"),
        calendar=None,
        first_date=dt.date(1900, 1, 1),
        rules=rules,
    )


COLUMNS: Final = (
    whole("id", "Entity.", required=True),
    day("begin", "First day.", required=True),
    day("end", "Last day."),
    number("a", "A number.", "1"),
    number("b", "A number.", "1"),
    number("c", "A number.", "1"),
    text("code", "A code."),
    text("flag", "A flag."),
)
WITHIN: Final = Within(column="a", low=0, high=10, open_high=True, reason="Test.")
OUTSIDE_EXEMPT: Final = Within(column="a", low=0, exempt=("flag", "Y"), reason="Test.", severity=Severity.WARNING)
ONE_OF: Final = OneOf(column="code", values=("AB", "C"), reason="Test.")
MATCHES: Final = Matches(column="code", pattern="^[A-C]{1,2}$", reason="Test.")
LENGTH: Final = HasLength(column="code", shortest=1, longest=2, reason="Test.")
ORDER: Final = InOrder(columns=("a", "b", "c"), reason="Test.")
PRODUCT: Final = IsProduct(column="c", factors=("a", "b"), tolerance=0.01, reason="Test.")
ROW_RULES: Final = (WITHIN, OUTSIDE_EXEMPT, ONE_OF, MATCHES, LENGTH, ORDER, PRODUCT)

OVERLAP: Final = NoOverlap(entity=("id",), start="begin", end="end", reason="Test.")
AMONG: Final = NoOverlap(
    entity=("id",), start="begin", end="end", among=(("flag", ("Y", "N")),), reason="Test.", severity=Severity.WARNING
)
ONE: Final = OnePerEntity(column="code", entity=("id",), reason="Test.")
AFTER: Final = NotBefore(column="end", entity=("id",), reference="other", reference_column="since", reason="Test.")
TABLE_RULES: Final = (OVERLAP, AMONG, ONE, AFTER)
