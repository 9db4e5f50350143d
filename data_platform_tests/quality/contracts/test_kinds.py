"""What each kind of rule means: its bounds, what a missing value does, which rows are named."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from pandera.config import ValidationDepth, config_context

from data_platform.catalog.rules import Rule
from data_platform_tests.quality.contracts.breaking import frame_of
from data_platform_tests.quality.contracts.judged import judged
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

JAN, FEB, MAR, APR = (dt.date(2023, month, 1) for month in (1, 2, 3, 4))


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    table = lab()
    empty = dict.fromkeys(column.name for column in table.columns)
    return frame_of(table, [empty | {"id": 1, "begin": JAN + dt.timedelta(days=n)} | row for n, row in enumerate(rows)])


def _broken(rule: Rule, rows: list[dict[str, Any]], **references: pl.LazyFrame) -> tuple[str, ...]:
    findings = judged(lab(rule), _frame(rows), references).findings
    return next((finding.keys for finding in findings if finding.rule == rule.words), ())


@pytest.mark.parametrize(
    ("rule", "row", "kept"),
    [
        (WITHIN, {"a": 0.0}, True),
        (WITHIN, {"a": 9.99}, True),
        (WITHIN, {"a": 10.0}, False),
        (WITHIN, {"a": -1e-9}, False),
        (WITHIN, {"a": None}, True),
        (OUTSIDE_EXEMPT, {"a": -1.0, "flag": "Y"}, True),
        (OUTSIDE_EXEMPT, {"a": -1.0, "flag": "N"}, False),
        (OUTSIDE_EXEMPT, {"a": -1.0, "flag": None}, False),
        (ONE_OF, {"code": "AB"}, True),
        (ONE_OF, {"code": "A"}, False),
        (ONE_OF, {"code": "ab"}, False),
        (ONE_OF, {"code": None}, True),
        (MATCHES, {"code": "CA"}, True),
        (MATCHES, {"code": "CA\n"}, False),
        (MATCHES, {"code": ""}, False),
        (LENGTH, {"code": "é株"}, True),
        (LENGTH, {"code": "abc"}, False),
        (LENGTH, {"code": ""}, False),
        (ORDER, {"a": 1.0, "b": 1.0, "c": 2.0}, True),
        (ORDER, {"a": 1.0, "b": 0.0, "c": 2.0}, False),
        (ORDER, {"a": 3.0, "b": None, "c": 2.0}, False),
        (ORDER, {"a": None, "b": 3.0, "c": None}, True),
        (PRODUCT, {"a": 2.0, "b": 3.0, "c": 6.05}, True),
        (PRODUCT, {"a": 2.0, "b": 3.0, "c": 6.1}, False),
        (PRODUCT, {"a": -2.0, "b": 3.0, "c": 6.0}, True),
        (PRODUCT, {"a": 0.0, "b": 3.0, "c": 0.0}, True),
        (PRODUCT, {"a": 0.0, "b": 3.0, "c": 1.0}, False),
        (PRODUCT, {"a": None, "b": 3.0, "c": 1.0}, True),
    ],
)
def test_a_row_is_judged_by_itself(rule: Rule, row: dict[str, Any], kept: bool) -> None:
    assert _broken(rule, [row]) == (() if kept else ("id 1, begin 2023-01-01",))


@pytest.mark.parametrize(
    ("rows", "broken"),
    [
        ([(1, JAN, JAN), (1, FEB, MAR), (2, JAN, None)], []),
        ([(1, JAN, FEB), (1, FEB, MAR)], ["id 1, begin 2023-02-01"]),
        ([(1, JAN, None), (1, FEB, MAR)], ["id 1, begin 2023-02-01"]),
        ([(1, JAN, APR), (1, FEB, FEB), (1, MAR, None)], ["id 1, begin 2023-02-01", "id 1, begin 2023-03-01"]),
        ([(1, MAR, APR), (1, JAN, MAR)], ["id 1, begin 2023-03-01"]),
        ([(1, JAN, FEB), (2, FEB, MAR)], []),
    ],
)
def test_ranges_of_an_entity_do_not_share_a_day(
    rows: list[tuple[int, dt.date, dt.date | None]], broken: list[str]
) -> None:
    frame = [{"id": id_, "begin": begin, "end": end, "flag": "Y"} for id_, begin, end in rows]

    assert _broken(OVERLAP, frame) == _broken(AMONG, frame) == tuple(broken)
    assert _broken(AMONG, [row | {"flag": "other"} for row in frame]) == ()


def test_an_entity_has_one_value_and_missing_ones_do_not_count() -> None:
    rows = [{"id": 1, "code": "A"}, {"id": 1, "code": None}, {"id": 1, "code": "B"}, {"id": 2, "code": "C"}]

    assert _broken(ONE, rows) == ("id 1, begin 2023-01-03",)
    assert _broken(ONE, [rows[0], rows[1], rows[3]]) == ()


def test_a_date_is_compared_with_another_tables_first_of_the_same_entity() -> None:
    other = pl.LazyFrame({"id": [1, 1, 3], "since": [MAR, FEB, APR]}, schema={"id": pl.Int32, "since": pl.Date})
    rows = [{"id": 1, "end": JAN}, {"id": 1, "end": FEB}, {"id": 1, "end": None}, {"id": 2, "end": JAN}]

    assert _broken(AFTER, rows, other=other) == ("id 1, begin 2023-01-01",)


def test_a_rule_is_not_judged_without_the_other_table_and_that_is_said() -> None:
    judgement = judged(lab(AFTER), _frame([{"end": JAN}]))

    assert judgement.findings == ()
    assert judgement.unjudged == ("end was not compared with other, of which no version can be read",)


def test_rows_are_counted_over_all_row_groups_and_the_first_five_named() -> None:
    rows = [{"a": -1.0 if n % 3 == 0 else 1.0} for n in range(100)]
    (finding,) = judged(lab(WITHIN), _frame(rows), row_group=10).findings

    assert (finding.count, finding.share) == (34, 0.34)
    assert finding.keys == tuple(f"id 1, begin {JAN + dt.timedelta(days=n)}" for n in (0, 3, 6, 9, 12))


def test_a_finding_is_a_sentence_without_values() -> None:
    (finding,) = judged(lab(WITHIN), _frame([{"a": -123.456}, {"a": 1.0}])).findings

    assert str(finding) == "a: 1 row (50.0%) not at least 0 and below 10, at id 1, begin 2023-01-01"


def test_pandera_judges_rows_whatever_its_own_settings_say() -> None:
    with config_context(validation_enabled=False, validation_depth=ValidationDepth.SCHEMA_ONLY):
        assert _broken(WITHIN, [{"a": -1.0}])
