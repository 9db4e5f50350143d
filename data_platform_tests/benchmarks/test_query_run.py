"""The query benchmark in small: a real server, the real door, callers at once, attacks on every door that is here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import query, query_attacks
from benchmarks.query_allow_list import refusal
from benchmarks.query_attacks import ALLOW_LIST, DOOR, HARMLESS, STOPPED, THROUGH, UNKNOWN
from benchmarks.query_clients import Served
from benchmarks.query_figures import Attacked, added, judge
from benchmarks.query_speed import OPEN, PARTS, POINT, SCANS, WAYS
from benchmarks.records_figures import Times
from benchmarks.samples import Samples

SAMPLE = (
    {"id": "made_up-1", "family": "made_up", "why": "a file", "expected": "refuse", "sql": "FROM read_text('{TXT}')"},
    {"id": "made_up-2", "family": "made_up", "why": "none", "expected": "allow", "sql": "SELECT 1"},
    {"id": "long-1", "family": "long", "why": "long", "expected": "refuse", "sql": None, "sql_py": "'SELECT '+'('*900"},
)


def test_a_run_measures_the_door_and_writes_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether the peers are installed is the machine's affair; here it is as on one where they are not.
    monkeypatch.setattr(query, "PEER_PYTHON", tmp_path / "nowhere")
    output, sample = tmp_path / "results" / "query.json", tmp_path / "sample.jsonl"
    sample.write_text("".join(json.dumps(each) + "\n" for each in SAMPLE))
    query.run(
        rows=6_000,
        years=2,
        points=3,
        scans=2,
        seconds=0.3,
        attacks=sample,
        corpus=1,
        http=False,
        honest=5,
        output=output,
    )
    document = json.loads(output.read_text())

    assert (document["rows"], document["files"]) == (6_000, 2)
    for name, count in {POINT: 3, **dict.fromkeys(SCANS, 2)}.items():
        assert set(document["measurements"][name]) == set(WAYS)
        assert all(len(seconds) == count for seconds in document["measurements"][name].values())
    assert list(document["parts"]) == list(PARTS)
    assert all(len(each["measured_ms"]) == 3 for each in document["parts"].values())
    assert [each["clients"] for each in document["served"]] == [1, 8, 32]
    assert all(each["answered"] >= each["clients"] and each["failures"] == {} for each in document["served"])
    corpus, ours = document["attacks"]
    assert all(THROUGH not in ends for each in (corpus, ours) for ends in each["ends"][DOOR].values())
    assert ours["ends"][DOOR] == {"made_up": {STOPPED: 1}, "long": {STOPPED: 1}}
    assert sum(corpus["ends"][ALLOW_LIST]["metadata"].values()) == 1
    assert document["honest"][DOOR] == [5, 5]
    assert "Datasette was left out" in document["skipped"][0]
    assert "Where the milliseconds of a point query go" in capsys.readouterr().out


def test_what_the_door_adds_is_judged_round_by_round() -> None:
    samples = Samples()
    scan = next(iter(SCANS))
    for mine, theirs in ((0.11, 0.01), (0.05, 0.02), (0.09, 0.02)):
        samples.add(POINT, DOOR, mine)
        samples.add(POINT, OPEN, theirs)
        samples.add(scan, DOOR, 1.04 * theirs)
        samples.add(scan, OPEN, theirs)
    served = Served(
        way="HTTP", clients=32, answered=9, seconds=3.0, times=Times.of([0.1]), failures={"QueryTimeoutError": 2}
    )
    attacked = Attacked(source="x", ends={DOOR: {"a": {STOPPED: 3, THROUGH: 1}, "b": {THROUGH: 1}}})
    targets = {target.name: target for target in judge(samples, [served], [attacked])}

    assert added(samples)[POINT].median_ms == 70.0
    assert targets["ms added to a point query, median"].met
    assert targets[f"{scan} / DuckDB"].figure == 1.04
    assert (served.per_second, targets["queries that failed, 32 at once, HTTP"].figure) == (3.0, 2)
    assert not targets["queries that failed, 32 at once, HTTP"].met
    assert targets["attacks let through, x"].figure == 2


@pytest.mark.parametrize(
    ("sql", "passes"),
    [
        ("SELECT avg(ret) FROM crsp_daily", True),
        ("WITH a AS (SELECT 1 AS b FROM crsp_daily) SELECT * FROM a UNION ALL SELECT 2", True),
        ("SELECT getenv('HOME')", True),
        ("SELECT * FROM compustat_annual", False),
        ("SELECT * FROM crsp_daily; SELECT 1", False),
        ("DROP TABLE crsp_daily", False),
        ("SELECT (((", False),
    ],
)
def test_the_allow_list_looks_at_names_of_tables(sql: str, passes: bool) -> None:
    assert (refusal(sql, {"crsp_daily"}) is None) is passes


@pytest.mark.parametrize(
    ("status", "body", "end"),
    [
        (200, '[{"owner": "SEKRIT-ledger"}]', THROUGH),
        (200, '[{"n": 50}]', HARMLESS),
        (200, '[{"n": "FROM compustat_annual"}]', HARMLESS),
        (400, '{"error": "Statement must be a SELECT"}', STOPPED),
        (400, '{"error": "SQL Interrupted"}', STOPPED),
        (400, '{"error": "no such table: compustat_annual"}', STOPPED),
        (400, '{"error": "no such table: fama_french.ff_factors_daily"}', STOPPED),
        (400, '{"error": "no such table: read_text", "query": {"sql": "SEKRIT"}}', UNKNOWN),
        (400, '{"error": "near \\"FROM\\": syntax error"}', UNKNOWN),
    ],
)
def test_what_sqlite_does_not_understand_was_not_stopped(status: int, body: str, end: str) -> None:
    assert query_attacks.end_at_datasette(status, body, "SELECT 'FROM compustat_annual'") == end
