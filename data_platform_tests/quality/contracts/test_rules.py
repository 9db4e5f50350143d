"""Every rule of the catalog bites on the rows that break it, and on no others."""

from __future__ import annotations

import datetime as dt

import pytest

from data_platform.catalog import TABLES, Table
from data_platform.catalog.rules import NotBefore, Rule, columns_of
from data_platform.quality import Judgement
from data_platform.quality.contracts.expressions import finite_rules
from data_platform_tests.quality.contracts.breaking import DAY, broken_rows, frame_of, references_for, valid_row
from data_platform_tests.quality.contracts.judged import judged

CASES = [(table, rule) for table in TABLES.values() for rule in (*table.rules, *finite_rules(table.columns))]
EVERY_RULE = pytest.mark.parametrize(
    ("table", "rule"), CASES, ids=[f"{table.name}: {rule.column} {rule.words}" for table, rule in CASES]
)
EVERY_TABLE = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


@EVERY_TABLE
def test_rows_that_keep_every_rule_have_no_findings(table: Table) -> None:
    row = valid_row(table)
    missing = {column.name: None for column in table.columns if column.nullable and column.name not in table.key}

    assert judged(table, frame_of(table, [row]), references_for(table)) == Judgement(())
    assert judged(table, frame_of(table, [row | missing]), references_for(table)) == Judgement(())


@EVERY_RULE
def test_a_broken_rule_is_found_alone_with_its_severity_and_keys(table: Table, rule: Rule) -> None:
    for rows in broken_rows(table, rule):
        (finding,) = judged(table, frame_of(table, rows), references_for(table)).findings

        assert (finding.column, finding.rule, finding.severity) == (rule.column, rule.words, rule.severity)
        assert (finding.count, finding.share, finding.reason) == (1, 1 / len(rows), rule.reason)
        first = table.key[0]
        assert [key.partition(",")[0] for key in finding.keys] == [f"{first} {_shown(rows[-1][first])}"]


@EVERY_TABLE
def test_rules_speak_of_columns_that_exist_and_give_a_reason(table: Table) -> None:
    declared = {column.name for column in table.columns}
    for rule in table.rules:
        assert columns_of(rule) <= declared
        assert rule.reason.endswith(".")
        assert rule.words
        if isinstance(rule, NotBefore):
            other = TABLES[rule.reference]
            assert {rule.reference_column, *rule.entity} <= {column.name for column in other.columns}
    assert len({(rule.column, rule.words) for rule in table.rules}) == len(table.rules)


def test_every_table_has_rules_and_the_price_tables_many() -> None:
    assert all(table.rules for table in TABLES.values())
    assert all(len(TABLES[name].rules) > 20 for name in ("crsp_daily", "crsp_monthly", "compustat_annual"))


def _shown(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def test_the_rows_here_are_dated_within_every_table() -> None:
    assert all(table.first_date <= DAY for table in TABLES.values())
