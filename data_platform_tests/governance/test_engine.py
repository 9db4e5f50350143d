"""Statements through real worker processes: results, pages, and errors in the caller's words."""

from __future__ import annotations

import contextlib
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from data_platform.errors import PlatformError
from data_platform.governance.engine.engine import QueryEngine, QueryRefusedError
from data_platform.governance.engine.problems import ProblemKind
from data_platform_tests.governance.conftest import Ask
from data_platform_tests.governance.market import READING_FILES, crsp_rows, factor_rows, write_parquet


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM crsp_daily",
        "SELECT permno, count(*) AS n, avg(ret) AS mean FROM crsp_daily GROUP BY permno ORDER BY permno",
        "SELECT c.permno, c.date, c.ret - f.rf AS excess FROM crsp_daily c JOIN ff_factors_daily f USING (date) "
        "ORDER BY ALL LIMIT 50",
        "select -- columns\n  permno, /* the id */ date\nfrom crsp_daily -- tail\norder by all limit 3\n;\n",
        "SELECT 'DROP TABLE x; SELECT 1' AS note, 'café ☕ 株' AS u",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 50) SELECT sum(n) AS s FROM t",
    ],
)
def test_answers_are_those_of_duckdb_itself(ask: Ask, sql: str) -> None:
    tables = {"crsp_daily": crsp_rows(), "ff_factors_daily": factor_rows()}
    with duckdb.connect() as trusted:
        for name, table in tables.items():
            trusted.register(name, table)
        expected = trusted.sql(sql).to_arrow_table()
    page = ask(sql)
    assert page.table.to_pylist() == expected.to_pylist()
    assert (page.rows_counted, page.counted_all) == (expected.num_rows, True)
    assert [name for name, _ in page.columns] == expected.column_names


def test_types_are_named_as_in_sql_and_survive_the_way(ask: Ask) -> None:
    page = ask(
        "SELECT 1::HUGEINT AS h, DATE '2020-01-02' AS d, 1.50 AS x, [1, NULL] AS l, {'a': 'b'} AS s, NULL AS n, "
        "TIMESTAMPTZ '2020-01-01 00:00:00+00' AS z, 'x'::BLOB AS b, INTERVAL 1 DAY AS i, 'q'::ENUM('q') AS e, 1 AS h"
    )
    assert [dtype for _, dtype in page.columns] == [
        "HUGEINT",
        "DATE",
        "DECIMAL(3,2)",
        "INTEGER[]",
        "STRUCT(a VARCHAR)",
        '"NULL"',
        "TIMESTAMP WITH TIME ZONE",
        "BLOB",
        "INTERVAL",
        "ENUM('q')",
        "INTEGER",
    ]
    assert page.table.column_names == ["h", "d", "x", "l", "s", "n", "z", "b", "i", "e", "h"]
    assert page.table["d"][0].as_py() == dt.date(2020, 1, 2)
    assert page.table["l"][0].as_py() == [1, None]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1, '12:00:00+02'::TIMETZ AS t", ProblemKind.UNSUPPORTED),
        ("SELECT 1, ['12:00:00+02'::TIMETZ] AS t", ProblemKind.UNSUPPORTED),
        ("SELECT 1, {'a': [1::UHUGEINT]} AS s", ProblemKind.UNSUPPORTED),
        ("SELECT 1, ['101'::BIT] AS b", ProblemKind.UNSUPPORTED),
        ("SELECT 1, MAP {'a': 1::BIGNUM} AS m", ProblemKind.UNSUPPORTED),
        ("SELECT 1, 1::VARIANT AS v", ProblemKind.UNSUPPORTED),
        ("SELECT 1, 170141183460469231731687303715884105728::UHUGEINT AS u", ProblemKind.VALUE),
        (
            "SELECT range, CASE WHEN range = 9000 THEN 340282366920938463463374607431768211455::UHUGEINT END AS u "
            "FROM range(10000)",
            ProblemKind.VALUE,
        ),
    ],
)
def test_values_that_arrow_would_change_are_refused_with_what_to_write_instead(
    ask: Ask, sql: str, kind: ProblemKind
) -> None:
    with pytest.raises(QueryRefusedError, match=r"Column 2 of the result .*Cast it to text") as caught:
        ask(sql, page_size=10_000)
    assert caught.value.problem.kind is kind


def test_bits_and_numbers_of_any_length_arrive_as_text_in_their_order(ask: Ask) -> None:
    digits = "9" * 60
    page = ask(
        f'SELECT range::BIT AS b, CASE WHEN range > 1 THEN \'{digits}\'::BIGNUM END AS b, range AS "a ""b" '
        "FROM range(20000) ORDER BY range DESC",
        page=2,
        page_size=10_000,
    )
    assert page.table.column_names == ["b", "b", 'a "b']
    assert page.columns[0][1] == "BIT"
    with duckdb.connect() as plain:
        expected = plain.execute(
            "SELECT range::BIT, CASE WHEN range > 1 THEN $1::BIGNUM END, range FROM range(9999, -1, -1)", [digits]
        ).fetchall()
    assert list(zip(*(column.to_pylist() for column in page.table.columns), strict=True)) == expected


def test_values_whose_types_are_called_alike_pass(ask: Ask) -> None:
    page = ask(
        "SELECT 170141183460469231731687303715884105727::UHUGEINT AS u, NULL::UHUGEINT AS n, "
        "'UHUGEINT'::ENUM('UHUGEINT', 'it''s') AS e, {'TIME WITH TIME ZONE': 1} AS s, "
        "TIMESTAMPTZ '2020-01-01 00:00Z' AS z, "
        "'12:00:00+02'::TIMETZ::VARCHAR AS t, 340282366920938463463374607431768211455::UHUGEINT::VARCHAR AS v"
    )
    [row] = page.table.drop_columns(["z"]).to_pylist()
    assert row == {
        "u": 2**127 - 1,
        "n": None,
        "e": "UHUGEINT",
        "s": {"TIME WITH TIME ZONE": 1},
        "t": "12:00:00+02",
        "v": str(2**128 - 1),
    }


@pytest.mark.parametrize(
    ("rows", "page", "size", "first", "count", "counted", "complete"),
    [
        (0, 1, 10, None, 0, 0, True),
        (25_000, 1, 10_000, 0, 10_000, 25_000, True),
        (25_000, 3, 10_000, 20_000, 5_000, 25_000, True),
        (25_000, 4, 10_000, None, 0, 25_000, True),
        (100_000, 10, 10_000, 90_000, 10_000, 100_000, True),
        (100_001, 1, 10_000, 0, 10_000, 100_000, False),
        (100_001, 11, 10_000, 100_000, 1, 100_001, True),
        (50_000_000, 2, 7, 7, 7, 100_000, False),
    ],
)
def test_pages(
    ask: Ask, rows: int, page: int, size: int, first: int | None, count: int, counted: int, complete: bool
) -> None:
    answer = ask(f"SELECT range AS i FROM range({rows})", page=page, page_size=size)
    assert answer.table.num_rows == count
    assert (answer.rows_counted, answer.counted_all) == (counted, complete)
    if first is not None:
        assert answer.table["i"].to_pylist() == list(range(first, first + count))


@pytest.mark.parametrize(
    ("sql", "kind", "message"),
    [
        (
            "SELECT * FRO crsp_daily",
            ProblemKind.SYNTAX_ERROR,
            'Syntax error at or near "crsp_daily" (line 1, column 14).',
        ),
        (
            "SELECT 'café',\n  nocol\nFROM crsp_daily",
            ProblemKind.UNKNOWN_NAME,
            'Column "nocol" not found (line 2, column 3).',
        ),
        (
            "SELECT *\nFROM compustat_funda",
            ProblemKind.CROSS_DATASET,
            "Table compustat_funda not found or not permitted in dataset crsp (line 2, column 6). "
            "Tables: crsp_daily, ff_factors_daily.",
        ),
        ("SELECT permno, sum(prc) FROM crsp_daily", ProblemKind.BINDING, "GROUP BY"),
        ("SELECT sum(ticker) FROM crsp_daily", ProblemKind.BINDING, "No function matches"),
        ("SELECT c.nocol FROM crsp_daily c", ProblemKind.BINDING, '"nocol" (line 1, column 8)'),
        (
            "SELECT nofn(1)",
            ProblemKind.BLOCKED_FUNCTION,
            'Function "nofn" is unknown or not permitted (line 1, column 8).',
        ),
        ("DROP TABLE crsp_daily", ProblemKind.NOT_SELECT, "Only a SELECT statement"),
        ("SELECT 1; SELECT 2", ProblemKind.MULTI_STATEMENT, "Exactly one statement"),
        ("  -- nothing", ProblemKind.NOT_SELECT, "no statement"),
        ("SELECT 1\0", ProblemKind.NOT_SELECT, "Only a SELECT statement"),
        ("SELECT '\ud800'", ProblemKind.SYNTAX_ERROR, "not valid text"),
        ("SELECT " + "1," * 8200 + "1", ProblemKind.TOO_LARGE, "at most 16,384 are accepted"),
        ("SELECT repeat('x', 100000000)", ProblemKind.TOO_LARGE, "larger than 64 MiB"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_column(ask: Ask, sql: str, kind: ProblemKind, message: str) -> None:
    with pytest.raises(QueryRefusedError) as caught:
        ask(sql)
    assert caught.value.problem.kind is kind
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ticker::INTEGER FROM crsp_daily",
        "SELECT CASE WHEN permno = 10005 THEN ticker ELSE '1' END::INTEGER FROM crsp_daily",
        "SELECT (prc * 1e9)::TINYINT FROM crsp_daily",
        "SELECT strptime(ticker, '%Y-%m-%d') FROM crsp_daily",
        "SELECT chr((-prc)::INTEGER) FROM crsp_daily",
        "SELECT date_part(ticker, date) FROM crsp_daily",
        "SELECT (SELECT ticker FROM crsp_daily)",
        "SELECT regexp_matches(ticker, ticker || '(') FROM crsp_daily",
        "SELECT format('{:d}', ticker) || printf(ticker || '%d', ticker) FROM crsp_daily",
        "SELECT from_hex(ticker) FROM crsp_daily",
        "SELECT json_extract(ticker, '$.a') FROM crsp_daily",
        "SELECT [1, 2][ticker::INTEGER] FROM crsp_daily",
    ],
)
def test_an_error_never_quotes_a_stored_value(ask: Ask, sql: str) -> None:
    with pytest.raises(QueryRefusedError) as caught:
        ask(sql)
    assert caught.value.problem.kind is ProblemKind.VALUE
    assert "T1000" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_text_that_an_enum_repeats_counts_for_each_row(ask: Ask) -> None:
    """A number for each row on its way, and fourteen thousand letters in each line of a CSV file."""
    sql = f"SELECT repeat('x', 14000)::ENUM('{'x' * 14_000}') AS e FROM range({{}})"
    assert ask(sql.format(1_000)).rows_counted == 1_000
    with pytest.raises(PlatformError, match="larger than 64 MiB"):
        ask(sql.format(5_000))
    with pytest.raises(PlatformError, match="larger than 64 MiB"):
        ask("SELECT list_resize([NULL], 20000000) AS nothing")


@pytest.mark.parametrize("sql", READING_FILES)
def test_files_cannot_be_read(ask: Ask, sql: str) -> None:
    with pytest.raises(QueryRefusedError, match="not permitted") as caught:
        ask(sql)
    assert "passwd" not in str(caught.value)


def test_files_of_different_ages_are_joined_by_column_name(engine: QueryEngine, tmp_path: Path) -> None:
    old = write_parquet(pa.table({"permno": [1], "ret": [0.1]}), tmp_path / "year=2020" / "a.parquet")
    new = write_parquet(pa.table({"permno": [2], "extra": ["x"], "ret": [0.2]}), tmp_path / "year=2021" / "b.parquet")
    page = engine.run(
        "SELECT * FROM t ORDER BY permno", {"t": (old, new)}, dataset="d", timeout_seconds=10, page=1, page_size=10
    )
    assert page.table.to_pylist() == [{"permno": 1, "ret": 0.1, "extra": None}, {"permno": 2, "ret": 0.2, "extra": "x"}]


def test_a_file_that_is_gone_is_reported_without_its_path(engine: QueryEngine, tmp_path: Path) -> None:
    missing = str(tmp_path / "gone.parquet")
    with pytest.raises(PlatformError, match="stored data could not be opened") as caught:
        engine.run("SELECT * FROM t", {"t": (missing,)}, dataset="d", timeout_seconds=10, page=1, page_size=10)
    assert "gone" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT max(permno) AS n FROM "MAIN"."Here"',
        "WITH gone AS (SELECT * FROM here) SELECT max(permno) AS n FROM gone",
        "SELECT (SELECT max(permno) FROM here) AS n",
    ],
)
def test_only_the_tables_that_a_statement_names_are_opened(engine: QueryEngine, tmp_path: Path, sql: str) -> None:
    here = write_parquet(pa.table({"permno": [1, 2]}), tmp_path / "here.parquet")
    views = {"here": (here,), "gone": (str(tmp_path / "gone.parquet"),)}
    page = engine.run(sql, views, dataset="d", timeout_seconds=10)
    assert (page.table.to_pylist(), page.tables) == ([{"n": 2}], ("here",))


def test_a_statement_that_describes_a_table_opens_it(engine: QueryEngine, tmp_path: Path) -> None:
    views = {"here": (write_parquet(pa.table({"permno": [1, 2]}), tmp_path / "here.parquet"),)}
    for sql in (
        "DESCRIBE here",
        'DESCRIBE "Here"',
        "SUMMARIZE here",
        "SUMMARIZE SELECT * FROM here",
        "FROM here",
        "WITH here AS (SELECT 1 AS z) SELECT * FROM (SHOW here)",
    ):
        assert engine.run(sql, views, dataset="d", timeout_seconds=10).tables == ("here",)


def test_four_queries_at_once_each_get_their_own_answer(ask: Ask) -> None:
    def one(permno: int) -> int:
        page = ask(f"SELECT DISTINCT permno FROM crsp_daily a, range(2000) WHERE permno = {permno}")
        return int(page.table["permno"][0].as_py())

    permnos = [10001, 10002, 10003, 10004] * 3
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(one, permnos)) == permnos


def test_expressions_are_answered_far_deeper_than_people_write_and_refused_beyond(ask: Ask) -> None:
    assert ask("SELECT " + "abs(" * 400 + "1" + ")" * 400 + " AS one").table.to_pylist() == [{"one": 1}]
    with pytest.raises(QueryRefusedError, match="nested too deeply"):
        ask("SELECT " + "abs(" * 900 + "1" + ")" * 900)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 8_000 + "1" + ")" * 8_000,
        "SELECT " + "abs(" * 3_200 + "1" + ")" * 3_200,
        "SELECT " + "-" * 16_000 + "1",
        "SELECT " + "[" * 8_000 + "]" * 8_000,
        "SELECT 1" + "+1" * 8_000,
        "SELECT " + "NOT " * 4_000 + "true",
        "SELECT * FROM " + "(SELECT * FROM " * 1_000 + "range(1)" + ")" * 1_000,
    ],
)
def test_any_depth_is_answered_or_refused_and_the_next_query_works(ask: Ask, sql: str) -> None:
    with contextlib.suppress(PlatformError):
        ask(sql)
    assert ask("SELECT 1 AS one").table.to_pylist() == [{"one": 1}]
