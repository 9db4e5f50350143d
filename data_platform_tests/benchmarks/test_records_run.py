"""The records benchmark in small: a real server, every statement, real threads and a real chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import records
from benchmarks.records_figures import StatementTimes, Times


def test_a_run_measures_every_statement_and_writes_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "results" / "records.json"
    records.run(rows=1_200, repeat=2, budget=0.1, seconds=0.1, chain_rows=40, output=output)
    document = json.loads(output.read_text())
    assert (document["small_rows"], document["rows"], document["repeat"]) == (1_000, 1_200, 2)
    names = [statement["name"] for statement in document["statements"]]
    assert len(names) == len(set(names)) > 100
    assert {
        "query_audit.recent(user, dataset) as adm",
        "alerts.recent(dataset, open) as user7",
        "query_audit.record_attempt as adm",
        "retention.apply(data_query_audit) as the owner",
    } <= set(names)
    for statement in document["statements"]:
        for size in ("small", "large"):
            assert len(statement[size]["measured_ms"]) == 2
            assert 0 < statement[size]["median_ms"] <= statement[size]["p95_ms"]
    assert [each["threads"] for each in document["attempts"]] == [1, 8, 32]
    assert all(each["attempts"] > 0 for each in document["attempts"])
    assert len(document["transactions"]) == 4
    assert document["chain"].pop("rows") == 40
    assert all(seconds > 0 for seconds in document["chain"].values())
    printed = capsys.readouterr().out
    assert "acknowledgments.acknowledge as user7" in printed
    assert "verified in the archives" in printed


def test_figures_are_medians_and_high_percentiles_of_what_was_measured() -> None:
    small, large = Times.of([0.001] * 19 + [0.1]), Times.of([0.002, 0.004, 0.009])
    assert (small.median_ms, small.p95_ms, len(small.measured_ms)) == (1.0, 5.95, 20)
    assert (large.median_ms, large.p95_ms) == (4.0, 8.5)
    assert Times.of([0.5]).p95_ms == 500.0
    assert StatementTimes(name="x", small=small, large=large).growth == 4.0
