"""The guard's verdict on DuckDB's parse trees, with no engine behind it."""

from __future__ import annotations

import json

import duckdb
import pytest

from data_platform.governance.engine.functions import FUNCTIONS, TABLE_FUNCTIONS
from data_platform.governance.engine.guard import check, named_tables
from data_platform.governance.engine.positions import locate_directly
from data_platform.governance.engine.problems import ProblemKind, QueryProblem, Statement

WINDOW_FUNCTIONS = {
    *("cume_dist", "dense_rank", "fill", "first_value", "lag", "last_value", "lead", "nth_value", "ntile"),
    *("percent_rank", "rank", "rank_dense", "row_number"),
}
ONLY_PARSED = {"->", "coalesce", "ifnull", "row", "unnest", "grouping", "grouping_id", *WINDOW_FUNCTIONS}
"""Names that DuckDB's parser produces and its list of functions does not hold."""


def verdict(sql: str, *tables: str) -> QueryProblem | None:
    row = duckdb.execute("SELECT json_serialize_sql($1::VARCHAR)", [sql]).fetchone()
    assert row is not None
    document = json.loads(row[0])
    assert not document["error"], document
    return check(document, Statement("crsp", tables or ("t",), locate_directly(sql)))


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("WITH t AS (SELECT * FROM t) FROM t", ("t",)),
        ("WITH t AS (SELECT 1) FROM t", ()),
        ("WITH t AS (SELECT 1) FROM t, main.t u", ("t",)),
        ("WITH RECURSIVE t AS (FROM t UNION ALL SELECT * FROM t WHERE false) FROM t", ("t",)),
        ("SUMMARIZE t", ("t",)),
        ("SELECT 1", ()),
    ],
)
def test_every_table_that_is_read_is_named(sql: str, tables: tuple[str, ...]) -> None:
    document = json.loads(duckdb.execute("SELECT json_serialize_sql($1::VARCHAR)", [sql]).fetchall()[0][0])
    assert named_tables(document, Statement("crsp", ("t", "u"), locate_directly(sql))) == tables


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT * FROM t",
        "FROM T",
        'SELECT "A" FROM main.t',
        "SELECT * FROM memory.main.t",
        "VALUES (1), (2)",
        "SELECT t.* EXCLUDE (a) REPLACE (b + 1 AS b) FROM t",
        "SELECT a.lower().replace('x', 'y') FROM t",
        "WITH a AS (FROM t), b AS (FROM a) SELECT * FROM b UNION ALL FROM a ORDER BY ALL LIMIT 3 OFFSET 1",
        "WITH t AS (SELECT * FROM t) FROM t",
        "SELECT * FROM (WITH inner_one AS (FROM t) FROM inner_one)",
        "WITH a AS (FROM t) SELECT (SELECT max(x) FROM a)",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) FROM r",
        "WITH RECURSIVE r(a, b) USING KEY (a) AS (SELECT 1, 3 UNION SELECT a, b - 1 FROM recurring.r) FROM r",
        "SELECT * FROM range(3), generate_series(1, 2), unnest([1, 2])",
        "SELECT [x * 2 FOR x IN [1, 2] IF x > 1], list_transform([1], lambda x: x + 1), {'a': 1}.a, MAP {'k': 1}['k']",
        "SELECT DISTINCT ON (a) * FROM t TABLESAMPLE 10%",
        "SELECT row_number() OVER w FROM t WINDOW w AS (ORDER BY a) QUALIFY row_number() OVER w = 1",
        "PIVOT t ON a IN (1, 2) USING sum(b) GROUP BY c",
        "UNPIVOT t ON a, b INTO NAME n VALUE v",
        "DESCRIBE t",
        "SUMMARIZE t",
        "SHOW t",
        "SELECT CASE WHEN a BETWEEN 1 AND 2 THEN #1 ELSE a::DECIMAL(10, 2) END COLLATE NOCASE FROM t",
        "SELECT a FROM t GROUP BY GROUPING SETS ((a), ()) HAVING count(*) > 1",
        "SELECT * FROM t a ASOF JOIN t b ON a.d >= b.d POSITIONAL JOIN t c",
        "SELECT exists(FROM t), a IN (FROM t), a = ANY (FROM t), coalesce(a, 1) FROM t",
        "SELECT extract(year FROM d), date_trunc('month', d), d + INTERVAL 3 DAYS, current_date FROM t",
        "SELECT j -> '$.a', j ->> 'a', 5!, a || b, list_value(1)[1:2], 'x' ^@ 'y', a <> b, ticker ~* 'x' FROM t",
        "SELECT a ILIKE 'x%' AND b SIMILAR TO 'y' OR NOT c ~ 'z' FROM t",
        "SELECT ?, ? FROM t LIMIT ?",
        "SELECT $name, $NAME",
        "SELECT sum(a) FILTER (WHERE b), string_agg(a, ',' ORDER BY b), quantile_cont(a, 0.5) FROM t",
    ],
)
def test_what_analysts_write_passes(sql: str) -> None:
    assert verdict(sql) is None


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("", ProblemKind.NOT_SELECT),
        (";", ProblemKind.NOT_SELECT),
        ("SELECT 1; SELECT 2", ProblemKind.MULTI_STATEMENT),
        ("WITH a AS (INSERT INTO t VALUES (1) RETURNING *) FROM a", ProblemKind.NOT_SELECT),
        ("WITH a AS (DELETE FROM t RETURNING *) FROM a", ProblemKind.NOT_SELECT),
        ("WITH a AS (UPDATE t SET a = 1 RETURNING *) FROM a", ProblemKind.NOT_SELECT),
        ("WITH a AS (COPY (SELECT 1) TO 'x') SELECT 1", ProblemKind.NOT_SELECT),
        ("SELECT (WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT 1)", ProblemKind.NOT_SELECT),
        ("SELECT * FROM other", ProblemKind.CROSS_DATASET),
        ("SELECT * FROM elsewhere.t", ProblemKind.CROSS_DATASET),
        ("SELECT * FROM elsewhere.main.t", ProblemKind.CROSS_DATASET),
        ("SELECT * FROM duckdb_views", ProblemKind.CROSS_DATASET),
        ("SELECT * FROM information_schema.tables", ProblemKind.CROSS_DATASET),
        ("SELECT * FROM pg_catalog.pg_class", ProblemKind.CROSS_DATASET),
        ("WITH a AS (FROM duckdb_views), duckdb_views AS (SELECT 1) FROM a", ProblemKind.CROSS_DATASET),
        ("SELECT * FROM duckdb_views, (WITH duckdb_views AS (SELECT 1) FROM duckdb_views)", ProblemKind.CROSS_DATASET),
        ("WITH duckdb_views AS (FROM duckdb_views) FROM duckdb_views", ProblemKind.CROSS_DATASET),
        ("DESCRIBE other", ProblemKind.CROSS_DATASET),
        ("SUMMARIZE other", ProblemKind.CROSS_DATASET),
        ("SHOW other", ProblemKind.UNSUPPORTED),
        ("SHOW TABLES", ProblemKind.UNSUPPORTED),
        ("SHOW ALL TABLES", ProblemKind.UNSUPPORTED),
        ("SELECT * FROM (SHOW DATABASES)", ProblemKind.UNSUPPORTED),
        ("SELECT * FROM 'x.parquet'", ProblemKind.FILE_ACCESS),
        ("SELECT * FROM '/etc/passwd'", ProblemKind.FILE_ACCESS),
        ("SELECT * FROM read_parquet('x')", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT * FROM READ_TEXT('x')", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT * FROM system.main.read_text('x')", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT * FROM glob('*')", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT * FROM duckdb_settings()", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT * FROM query('FROM t')", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT * FROM query_table('t')", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT * FROM abs(1)", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT * FROM range(getvariable('n'))", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT current_setting('allowed_paths')", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT a FROM t ORDER BY sleep_ms(1000)", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT list_transform([1], lambda x: error('x'))", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT sum(nextval('s')) OVER (PARTITION BY a) FROM t", ProblemKind.BLOCKED_FUNCTION),
        ("SELECT * FROM t LIMIT (SELECT write_log('x'))", ProblemKind.BLOCKED_FUNCTION),
    ],
)
def test_what_is_refused_and_why(sql: str, kind: ProblemKind) -> None:
    problem = verdict(sql)
    assert problem is not None
    assert problem.kind is kind


@pytest.mark.parametrize(
    "place",
    [
        "SELECT * FROM t WHERE a IN (SELECT a FROM {})",
        "SELECT (SELECT max(a) FROM {})",
        "SELECT * FROM t JOIN (FROM {}) USING (a)",
        "SELECT * FROM t UNION ALL FROM {}",
        "SELECT * FROM t ORDER BY (SELECT max(a) FROM {})",
        "SELECT * FROM t LIMIT (SELECT max(a) FROM {})",
        "SELECT * FROM t QUALIFY row_number() OVER (ORDER BY (SELECT a FROM {})) = 1",
        "SELECT sum(a) FILTER (WHERE a > (SELECT 1 FROM {})) FROM t",
        "SELECT CASE WHEN a THEN (SELECT 1 FROM {}) END FROM t",
        "SELECT list_transform([1], lambda x: (SELECT max(a) FROM {}))",
        "SELECT {{'a': (SELECT 1 FROM {})}}",
        "WITH x AS (FROM {}) SELECT 1",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r, {}) FROM r",
        "SELECT a FROM t GROUP BY (SELECT a FROM {}) HAVING (SELECT 1 FROM {})",
        "SELECT * REPLACE ((SELECT 1 FROM {}) AS a) FROM t",
        "SELECT a FROM t, range((SELECT 1 FROM {}))",
        "PIVOT {} ON a IN (1) USING sum(b)",
        "DESCRIBE SELECT * FROM {}",
        "VALUES ((SELECT 1 FROM {}))",
        "SELECT a FROM t WHERE a = (SELECT b FROM {} LIMIT 1)::INTEGER",
    ],
)
def test_a_foreign_table_is_found_wherever_it_stands(place: str) -> None:
    problem = verdict(place.format("other", "other"))
    assert problem is not None
    assert problem.kind is ProblemKind.CROSS_DATASET
    assert problem.text == "Table other not found or not permitted in dataset crsp"
    assert verdict(place.format("t", "t")) is None


def test_a_refusal_says_where() -> None:
    problem = verdict("SELECT a,\n  b\nFROM other")
    assert problem is not None
    assert (problem.line, problem.column) == (3, 6)


def test_every_allowed_function_exists_and_no_reader_is_among_them() -> None:
    rows = duckdb.execute("SELECT DISTINCT lower(function_name), function_type FROM duckdb_functions()").fetchall()
    by_name = {name for name, _ in rows}
    assert FUNCTIONS - by_name <= ONLY_PARSED
    assert by_name >= TABLE_FUNCTIONS
    outward = ("read_", "parquet_", "duckdb_", "pragma_", "json_execute", "json_serialize", "json_deserialize", "sniff")
    assert not [name for name in FUNCTIONS | TABLE_FUNCTIONS if name.startswith(outward)]
    assert not FUNCTIONS & {
        "getenv",
        "current_setting",
        "getvariable",
        "query",
        "nextval",
        "sleep_ms",
        "error",
        "stats",
    }
