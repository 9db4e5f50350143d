"""Properties of contracts on random rows: they count as a naive reader does, in any order, and never raise."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_platform.catalog import TABLES, Table
from data_platform.catalog.rules import Rule
from data_platform.quality import Status, ValidationType
from data_platform.quality.contracts.keys import ORDERED, UNIQUE
from data_platform_tests.quality.contracts.breaking import frame_of
from data_platform_tests.quality.contracts.judged import judged, verdicts
from data_platform_tests.quality.contracts.lab import (
    AFTER,
    AMONG,
    LENGTH,
    MATCHES,
    ONE,
    ONE_OF,
    ORDER,
    OUTSIDE_EXEMPT,
    OVERLAP,
    PRODUCT,
    WITHIN,
    lab,
)

Row = dict[str, Any]

EXAMPLES: Final = settings(max_examples=40, derandomize=True, deadline=None)
_NUMBERS: Final = st.one_of(st.none(), st.integers(-3, 12).map(float))
_DAYS: Final = st.integers(0, 9).map(lambda n: dt.date(2023, 1, 1) + dt.timedelta(days=n))
ROWS: Final = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(1, 3),
            "begin": _DAYS,
            "end": st.one_of(st.none(), _DAYS),
            "a": _NUMBERS,
            "b": _NUMBERS,
            "c": _NUMBERS,
            "code": st.sampled_from([None, "AB", "C", "", "abc", "B"]),
            "flag": st.sampled_from([None, "Y", "N", "-"]),
        }
    ),
    min_size=1,
    max_size=12,
)
SINCE: Final = {1: dt.date(2023, 1, 4), 2: dt.date(2023, 1, 6)}
REFERENCES: Final = {
    "other": pl.LazyFrame({"id": list(SINCE), "since": list(SINCE.values())}, schema={"id": pl.Int32, "since": pl.Date})
}


def _orders(row: Row) -> bool:
    known = [value for value in (row["a"], row["b"], row["c"]) if value is not None]
    return known == sorted(known)


def _product(row: Row) -> bool:
    a, b, c = row["a"], row["b"], row["c"]
    return None in {a, b, c} or abs(abs(c) - abs(a * b)) <= 0.01 * abs(c)


KEPT: Final[list[tuple[Rule, Callable[[Row], bool]]]] = [
    (WITHIN, lambda row: row["a"] is None or 0 <= row["a"] < 10),
    (OUTSIDE_EXEMPT, lambda row: row["a"] is None or row["a"] >= 0 or row["flag"] == "Y"),
    (ONE_OF, lambda row: row["code"] in {None, "AB", "C"}),
    (MATCHES, lambda row: row["code"] in {None, "AB", "C", "B"}),
    (LENGTH, lambda row: row["code"] is None or 1 <= len(row["code"]) <= 2),
    (ORDER, _orders),
    (PRODUCT, _product),
    (AFTER, lambda row: row["end"] is None or row["end"] >= SINCE.get(row["id"], dt.date.min)),
]


def _overlapping(rows: list[Row]) -> int:
    """Ranges of which an earlier one of the same entity, by start and then by end, has not ended."""
    ranges = sorted((row["id"], row["begin"], row["end"] or dt.date.max) for row in rows)
    return sum(
        any(other[0] == id_ and other[2] >= begin for other in ranges[:at]) for at, (id_, begin, _) in enumerate(ranges)
    )


def _differing(rows: list[Row]) -> int:
    known = [(row["id"], row["code"]) for row in rows if row["code"] is not None]
    return sum(code != min(other for id_, other in known if id_ == entity) for entity, code in known)


COUNTED: Final[list[tuple[Rule, Callable[[list[Row]], int]]]] = [
    *((rule, lambda rows, kept=kept: sum(not kept(row) for row in rows)) for rule, kept in KEPT),
    (OVERLAP, _overlapping),
    (AMONG, lambda rows: _overlapping([row for row in rows if row["flag"] in {"Y", "N"}])),
    (ONE, _differing),
]


@pytest.mark.parametrize(("rule", "count"), COUNTED, ids=[rule.words for rule, _ in COUNTED])
@given(rows=ROWS)
@EXAMPLES
def test_broken_rows_are_counted_as_a_naive_reader_counts_them(
    rule: Rule, count: Callable[[list[Row]], int], rows: list[Row]
) -> None:
    table = lab(rule)
    findings = [
        f for f in judged(table, frame_of(table, rows), REFERENCES, row_group=5).findings if f.rule == rule.words
    ]

    assert [(f.count, f.share) for f in findings] == ([(count(rows), count(rows) / len(rows))] if count(rows) else [])
    assert all(len(f.keys) == min(5, f.count) for f in findings)


def _counted(table: Table, rows: list[Row]) -> set[tuple[str, str, int, float]]:
    found = judged(table, frame_of(table, rows), REFERENCES).findings
    return {(f.column, f.rule, f.count, f.share) for f in found if f.rule not in {UNIQUE, ORDERED}}


@given(rows=ROWS, order=st.randoms(use_true_random=False))
@EXAMPLES
def test_the_order_of_rows_changes_no_rule(rows: list[Row], order: random.Random) -> None:
    table = lab(*(rule for rule, _ in COUNTED))
    shuffled = list(rows)
    order.shuffle(shuffled)

    assert _counted(table, shuffled) == _counted(table, rows)


def _values(dtype: str, nullable: bool) -> st.SearchStrategy[Any]:
    values: dict[str, st.SearchStrategy[Any]] = {
        "int32": st.integers(-(2**31), 2**31 - 1),
        "int64": st.integers(-(2**63), 2**63 - 1),
        "float64": st.one_of(st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, -0.0])),
        "str": st.text(max_size=10),
        "date": st.dates(),
    }
    return st.one_of(st.none(), values[dtype]) if nullable else values[dtype]


def _any_rows(table: Table) -> st.SearchStrategy[list[Row]]:
    return st.lists(
        st.fixed_dictionaries({column.name: _values(column.dtype, column.nullable) for column in table.columns}),
        max_size=4,
    )


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
@given(data=st.data())
@settings(max_examples=10, derandomize=True, deadline=None)
def test_validators_answer_whatever_the_rows_hold(
    tmp_path_factory: pytest.TempPathFactory, table: Table, data: st.DataObject
) -> None:
    frame = frame_of(table, data.draw(_any_rows(table)))
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    results = verdicts(table, frame, path, partition="2023" if table.partitioning.value == "year" else "all")

    assert list(results) == list(ValidationType)
    assert all(len(result.message) < 4_000 for result in results.values())
    numbers = frame.select(pl.col(pl.Float64))
    if any((~column.is_finite()).any() for column in numbers):
        assert results[ValidationType.CONTRACT].status is Status.FAILED
