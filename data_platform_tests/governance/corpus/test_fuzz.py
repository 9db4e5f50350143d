"""Statements drawn from a grammar: what DuckDB answers, the door answers alike; what it refuses, so does the door."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings

from data_platform.errors import PlatformError
from data_platform.governance.engine.engine import QueryEngine
from data_platform_tests.governance.corpus.grammar import statements
from data_platform_tests.governance.corpus.market import open_plain, write
from data_platform_tests.governance.corpus.rows import difference

SHORT, LONG = 300, 10_000
PAGE = 10_000


def test_the_door_answers_any_select_as_duckdb_does(engine: QueryEngine, tmp_path: Path, torture: bool) -> None:
    views = write(tmp_path / "tables")
    seen: Counter[str] = Counter()

    @settings(
        max_examples=LONG if torture else SHORT,
        derandomize=not torture,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(sql=statements())
    def compare(sql: str) -> None:
        try:
            expected = plain.sql(sql).to_arrow_table()
        except duckdb.Error:
            seen["refused by both"] += 1
            with pytest.raises(PlatformError):
                engine.run(sql, views, dataset="crsp", timeout_seconds=30, page=1, page_size=PAGE)
            reject()
        page = engine.run(sql, views, dataset="crsp", timeout_seconds=30, page=1, page_size=PAGE)
        seen["answered by both"] += 1
        assert (page.rows_counted, page.counted_all) == (expected.num_rows, True)
        if expected.num_rows <= PAGE:
            found = difference(page.table, expected, ordered="ORDER BY ALL" in sql.rpartition(")")[2])
            assert found is None

    with open_plain(views) as plain:
        compare()
    assert seen["answered by both"] >= (LONG if torture else SHORT)
