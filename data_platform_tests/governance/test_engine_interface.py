"""What the service builds on: parameters, dry runs, DESCRIBE, results kept whole, cancellation, who runs what."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from data_platform.errors import PlatformError, QueryCancelledError, UsageError
from data_platform.governance.engine.engine import QueryEngine, QueryRefusedError
from data_platform.governance.engine.limits import MIB, EngineLimits
from data_platform.governance.engine.parameters import Parameters, Scalar, decode, encode
from data_platform.governance.engine.plans import estimated_rows
from data_platform.governance.engine.problems import ProblemKind
from data_platform.governance.engine.task import EnginePage, EnginePlan
from data_platform_tests.governance.market import crsp_rows, write_parquet
from data_platform_tests.records.processes import eventually

NEVER_ENDS = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
Views = Mapping[str, tuple[str, ...]]


def run(engine: QueryEngine, views: Views, sql: str, parameters: Parameters | None = None) -> EnginePage:
    return engine.run(sql, views, dataset="crsp", timeout_seconds=60, parameters=parameters)


def plan(engine: QueryEngine, views: Views, sql: str, parameters: Parameters | None = None) -> EnginePlan:
    return engine.dry_run(sql, views, dataset="crsp", parameters=parameters, timeout_seconds=60)


VALUES: dict[str, Scalar] = {
    "nothing": None,
    "yes": True,
    "small": -1,
    "huge": 2**100,
    "ratio": 0.1,
    "infinite": float("-inf"),
    "exact": Decimal("12345678901234567890.0123456789"),
    "power": Decimal("1E+5"),
    "text": "it's 'café' \0 株; DROP TABLE x --",
    "empty": "",
    "day": dt.date(2024, 2, 29),
    "moment": dt.datetime(2024, 2, 29, 12, 30, 0, 123456),
    "zoned": dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
}


def test_values_arrive_as_they_were_given_and_with_duckdbs_types(engine: QueryEngine) -> None:
    assert decode(encode(VALUES)) == VALUES
    # In UTC, as the engine's sessions are.
    names = ", ".join(f"${name} AS {name}, typeof(${name}) AS {name}_type" for name in VALUES)
    with duckdb.connect() as trusted:
        trusted.execute("SET TimeZone = 'UTC'")
        expected = trusted.sql(f"SELECT {names}", params=VALUES).to_arrow_table()
    assert run(engine, {}, f"SELECT {names}", VALUES).table.to_pylist() == expected.to_pylist()


def test_parameters_by_place_and_by_name(engine: QueryEngine, views: Views) -> None:
    sql = "SELECT count(*) AS n FROM crsp_daily WHERE permno = ? AND date >= ? LIMIT ?"
    [found] = run(engine, views, sql, [10001, dt.date(2022, 1, 1), 5]).table.to_pylist()
    assert found == {"n": 270}
    twice = "SELECT count(*) AS n FROM crsp_daily WHERE permno = $p OR permno = $P + $q"
    assert run(engine, views, twice, {"P": 10001, "q": 1}).table.to_pylist() == [{"n": 2000}]
    described = run(engine, views, "DESCRIBE SELECT ? AS x", [dt.date(2020, 1, 1)])
    assert described.table.to_pylist()[0]["column_type"] == "DATE"


@pytest.mark.parametrize(
    ("sql", "parameters", "message"),
    [
        ("SELECT 1,\n  $since", None, "No value was given for the parameter $since (line 2, column 3)."),
        ("SELECT ?, ?", [1], "No value was given for the parameter $2 (line 1, column 11)."),
        ("SELECT $a", {"b": 1, "a": 1}, "The statement has no parameter $b."),
        ("SELECT 1", [1], "The statement has no parameter $1."),
        ("SELECT (SELECT $x FROM crsp_daily LIMIT $n)", {"x": 1}, "No value was given for the parameter $n"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(
    engine: QueryEngine, views: Views, sql: str, parameters: Parameters | None, message: str
) -> None:
    with pytest.raises(QueryRefusedError) as caught:
        run(engine, views, sql, parameters)
    assert caught.value.problem.kind is ProblemKind.PARAMETER
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": [1]}, "The parameter $a is of a type that can't be bound (list)."),
        ([1, b"x"], "The parameter $2 is of a type that can't be bound (bytes)."),
        ({"a": 2**127}, "The parameter $a is a whole number of more than 128 bits."),
        ({"a": Decimal("NaN")}, "The parameter $a is no decimal number of at most 38 digits."),
        ({"a": Decimal("1E+38")}, "The parameter $a is no decimal number of at most 38 digits."),
        ({"a": "\ud800"}, "The parameter $a is not valid text."),
        ({"a": 1, "A": 2}, "The parameter $A is given twice."),
        ({"a'; DROP": b""}, "The parameter with the odd name is of a type"),
        (["x" * 70_000], "The parameters are longer than 64 KiB together."),
        ("text", "The parameters must be a list of values or a mapping"),
    ],
)
def test_what_cannot_be_bound_is_refused_before_anything_runs(parameters: Parameters, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        encode(parameters)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT 1", ()),
        ("SELECT * FROM CRSP_DAILY a JOIN main.ff_factors_daily USING (date)", ("crsp_daily", "ff_factors_daily")),
        ("WITH crsp_daily AS (SELECT 1) FROM crsp_daily", ()),
        ("WITH crsp_daily AS (FROM crsp_daily) FROM crsp_daily", ("crsp_daily",)),
        ("WITH crsp_daily AS (SELECT 1) FROM memory.main.crsp_daily", ("crsp_daily",)),
        ("SELECT (SELECT max(date) FROM ff_factors_daily)", ("ff_factors_daily",)),
        ("SUMMARIZE crsp_daily", ("crsp_daily",)),
        ("DESCRIBE SELECT * FROM crsp_daily", ("crsp_daily",)),
        ("SHOW crsp_daily", ("crsp_daily",)),
    ],
)
def test_the_tables_that_a_statement_names(
    engine: QueryEngine, views: Views, sql: str, tables: tuple[str, ...]
) -> None:
    page = run(engine, views, sql)
    planned = plan(engine, views, sql)
    assert page.tables == planned.tables == tables
    assert page.canonical == planned.canonical
    assert page.columns == planned.columns


def test_describe_and_summarize_answer_as_duckdb_does(engine: QueryEngine, views: Views) -> None:
    for sql in (
        "SUMMARIZE crsp_daily",
        "SUMMARIZE SELECT ret FROM crsp_daily",
        "DESCRIBE crsp_daily",
        "SELECT column_name, null_percentage FROM (SUMMARIZE crsp_daily) WHERE null_percentage > 0",
    ):
        with duckdb.connect() as trusted:
            trusted.execute(f"CREATE VIEW crsp_daily AS FROM read_parquet('{views['crsp_daily'][0]}')")
            expected = trusted.sql(sql).to_arrow_table()
        assert run(engine, views, sql).table.to_pylist() == expected.to_pylist()


def test_describing_what_is_not_permitted_sounds_like_describing_what_is_not_there(
    engine: QueryEngine, views: Views
) -> None:
    permitted = {"crsp_daily": views["crsp_daily"]}
    said: list[str] = []
    for name in ("ff_factors_daily", "duckdb_tables", "nowhere"):
        for statement in ("DESCRIBE {}", "SUMMARIZE {}", "DESCRIBE SELECT * FROM {}"):
            with pytest.raises(QueryRefusedError) as caught:
                run(engine, permitted, statement.format(name))
            said.append(str(caught.value).replace(name, "NAME").replace(" (line 1, column 24)", ""))
    assert set(said) == {"Table NAME not found or not permitted in dataset crsp. Tables: crsp_daily."}


def test_a_dry_run_reads_no_row(engine: QueryEngine, tmp_path: Path) -> None:
    file = Path(write_parquet(crsp_rows(), tmp_path / "a.parquet"))
    whole = file.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little") + 8
    file.write_bytes(whole[:4] + b"\xff" * (len(whole) - 4 - footer) + whole[-footer:])
    views = {"crsp_daily": (str(file),)}
    planned = plan(engine, views, "SELECT permno, max(ret) AS top FROM crsp_daily GROUP BY ALL")
    assert planned.columns == (("permno", "INTEGER"), ("top", "DOUBLE"))
    assert plan(engine, views, "FROM crsp_daily").estimated_rows == 5000
    with pytest.raises(PlatformError):
        run(engine, views, "SELECT permno, max(ret) AS top FROM crsp_daily GROUP BY ALL")


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("FROM crsp_daily", 5000),
        ("FROM crsp_daily UNION ALL FROM crsp_daily", 10_000),
        ("FROM crsp_daily WHERE permno = ? LIMIT 7", 0),
        ("SELECT count(*) FROM crsp_daily", 1),
    ],
)
def test_estimates(engine: QueryEngine, views: Views, sql: str, rows: int) -> None:
    assert plan(engine, views, sql, [-1] if "?" in sql else None).estimated_rows == rows


def test_a_step_without_an_estimate_is_as_large_as_its_only_part() -> None:
    part = {"name": "SCAN", "extra_info": {"Estimated Cardinality": "3"}, "children": []}
    assert estimated_rows({"name": "X", "extra_info": {}, "children": [part]}) == 3
    assert estimated_rows({"name": "X", "extra_info": {}, "children": [part, part]}) is None
    assert estimated_rows({"name": "X", "extra_info": {"Estimated Cardinality": "~"}, "children": []}) is None


def test_a_dry_run_refuses_what_a_run_refuses(engine: QueryEngine, views: Views) -> None:
    for sql in ("DROP TABLE crsp_daily", "SELECT nope FROM crsp_daily", "FROM other", "SELECT getenv('HOME')"):
        with pytest.raises(QueryRefusedError) as ran:
            run(engine, views, sql)
        with pytest.raises(QueryRefusedError) as planned:
            plan(engine, views, sql)
        assert str(ran.value) == str(planned.value)


def test_results_are_kept_whole_up_to_a_number_of_rows(engine: QueryEngine) -> None:
    sql = "SELECT range AS i, repeat('x', 900) AS filler FROM range(200000)"
    kept = engine.run(sql, {}, dataset="crsp", timeout_seconds=60, keep_rows=100_001)
    assert (kept.table.num_rows, kept.rows_counted, kept.counted_all) == (100_001, 100_001, False)
    assert kept.table.nbytes > 80 * MIB  # which is more than a page may have
    exact = engine.run("SELECT * FROM range(100001)", {}, dataset="crsp", timeout_seconds=60, keep_rows=100_001)
    assert (exact.table.num_rows, exact.counted_all) == (100_001, True)
    with pytest.raises(QueryRefusedError, match="larger than 256 MiB"):
        engine.run(sql.replace("900", "9000"), {}, dataset="crsp", timeout_seconds=60, keep_rows=100_001)


def test_a_query_is_cancelled_while_it_runs_and_others_are_not_touched() -> None:
    engine = QueryEngine(EngineLimits(memory_bytes=256 * MIB, address_space_bytes=1600 * MIB), concurrent=1)
    said: list[str] = []

    def ask() -> None:
        try:
            engine.run(NEVER_ENDS, {}, dataset="crsp", timeout_seconds=60, user="ann")
        except QueryCancelledError as error:
            said.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    assert eventually(lambda: [query.user for query in engine.running() if not query.waiting] == ["ann"], 30)
    [running] = engine.running()
    assert (running.dataset, running.since.tzinfo) == ("crsp", dt.UTC)
    assert engine.cancel(running.number, "the administrator needs the machine")
    thread.join(60)
    assert said == ["The query was cancelled: the administrator needs the machine."]
    assert engine.running() == []
    assert not engine.cancel(running.number, "too late")
    assert run(engine, {}, "SELECT 1 AS one").table.to_pylist() == [{"one": 1}]
    engine.close()
