"""The corpus of queries: the door answers each with the rows, names and types of plain DuckDB."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

import duckdb
import pyarrow as pa
import pytest

from data_platform.errors import PlatformError
from data_platform.governance.engine.engine import QueryEngine
from data_platform_tests.governance.corpus.market import open_plain, write
from data_platform_tests.governance.corpus.reading import cases
from data_platform_tests.governance.corpus.rows import difference
from data_platform_tests.governance.corpus.shapes import shape

QUERIES = cases("queries")
LEAST = 150
Views = Mapping[str, tuple[str, ...]]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Views:
    return write(tmp_path_factory.mktemp("corpus"))


def test_no_two_queries_of_a_family_are_the_same_tree() -> None:
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    with duckdb.connect() as connection:
        for case in QUERIES:
            same[case.family, shape(connection, case.sql)].append(case.id)
    assert [ids for ids in same.values() if len(ids) > 1] == []
    assert len(same) >= LEAST


def test_the_door_answers_every_query_as_duckdb_does(engine: QueryEngine, tables: Views) -> None:
    wrong: list[tuple[str, str]] = []
    with open_plain(tables) as plain:
        for case in QUERIES:
            try:
                expected = plain.sql(case.sql).to_arrow_table()
                page = engine.run(case.sql, tables, dataset="crsp", timeout_seconds=30, page=1, page_size=10_000)
            except (duckdb.Error, PlatformError) as error:
                wrong.append((case.id, f"refused: {error}"))
                continue
            found = difference(page.table, expected, ordered=_is_ordered(plain, case.sql))
            if found:
                wrong.append((case.id, found))
    assert wrong == []


def _is_ordered(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    ((serialized,),) = connection.execute("SELECT json_serialize_sql($1::VARCHAR)", [sql]).fetchall()
    document = json.loads(serialized)
    return any(step["type"] == "ORDER_MODIFIER" for step in document["statements"][0]["node"]["modifiers"])


def test_a_difference_is_seen() -> None:
    first = pa.table({"a": [1.0, None], "b": [[1.5], [2.0]]})
    assert difference(first, first, ordered=True) is None
    assert difference(first, first[::-1], ordered=False) is None
    for other in (
        first.rename_columns(["a", "c"]),
        first.slice(1),
        pa.table({"a": [1.0 + 1e-6, None], "b": [[1.5], [2.0]]}),
        pa.table({"a": [1.0, None], "b": [[1.5], [2.5]]}),
        pa.table({"a": pa.array([1, None], pa.int32()), "b": [[1.5], [2.0]]}),
    ):
        assert difference(other, first, ordered=False)
    assert difference(first[::-1], first, ordered=True)
