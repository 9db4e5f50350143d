"""What a statement's text tells of its result."""

from __future__ import annotations

import pytest

from data_platform.governance.explorer.statements import gives_order, why_it_may_differ


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("SELECT * FROM t ORDER BY a", True),
        ("WITH c AS (SELECT 1) SELECT * FROM c ORDER BY ALL", True),
        ("SELECT 1 UNION ALL SELECT 2 ORDER BY 1", True),
        ("SELECT * FROM (SELECT * FROM t ORDER BY a)", False),
        ("SELECT row_number() OVER (ORDER BY a) FROM t", False),
        ("SELECT * FROM t", False),
        ("not sql (", False),
    ],
)
def test_which_statements_give_an_order(sql: str, ordered: bool) -> None:
    assert gives_order(sql) is ordered


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT random()",
        "SELECT now()",
        "SELECT current_date",
        "SELECT CURRENT_TIMESTAMP",
        "SELECT today()",
        "SELECT uuid()",
        "SELECT gen_random_uuid()",
        "SELECT * FROM t LIMIT 5",
        "SELECT * FROM t ORDER BY a LIMIT 5",
        "SELECT * FROM (SELECT * FROM t LIMIT 5)",
        "SELECT * FROM t OFFSET 3",
        "SELECT * FROM t USING SAMPLE 10",
        "SELECT * FROM t TABLESAMPLE 10%",
        "SELECT DISTINCT ON (a) * FROM t",
        "SELECT any_value(a) FROM t",
        "SELECT first(a) FROM t",
        "SELECT arg_max(a, b) FROM t",
        "SELECT list(a) FROM t",
        "SELECT string_agg(a, ',') FROM t",
        "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t",
        "SELECT * FROM (SELECT DISTINCT ON (a) * FROM t)",
        "WITH c AS (SELECT DISTINCT ON (a) * FROM t) SELECT b FROM c",
        "SELECT json_group_array(a) FROM t",
        "SELECT json_group_object(a, b) FROM t",
        "SELECT arg_max_null(a, b) FROM t",
        "SELECT * FROM t POSITIONAL JOIN u",
        "SELECT * FROM t ASOF JOIN u ON t.a >= u.a",
        "SELECT ago(INTERVAL 1 DAY)",
        "SELECT current_localtime()",
        "not sql (",
    ],
)
def test_which_statements_may_answer_otherwise(sql: str) -> None:
    assert why_it_may_differ(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, sum(b) AS s FROM t WHERE d >= DATE '2020-01-01' GROUP BY a",
        "SELECT count(*) FROM t JOIN u USING (a)",
        "SELECT * FROM t ORDER BY a",
        "SELECT a AS now, 'random()' AS s FROM t",
        "SELECT max(a) OVER (PARTITION BY b) FROM t",
        "SELECT sum(a) OVER (ORDER BY b) FROM t",
        "SELECT DISTINCT a, count(DISTINCT b) FROM t GROUP BY a",
        "SELECT [a, b] FROM t LEFT JOIN u USING (a)",
    ],
)
def test_which_do_not(sql: str) -> None:
    assert why_it_may_differ(sql) is None


def test_text_that_is_too_long_to_be_looked_through_gives_no_order() -> None:
    text = "SELECT " + "a," * 9_000 + "b FROM t ORDER BY ALL"
    assert not gives_order(text)
    assert why_it_may_differ(text) == "the statement could not be looked through"
