"""The orchestration benchmark in small: two real Dagsters, a run in each way, requests to both; and its figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import orchestration
from benchmarks.orchestration_figures import RequestTimes, judge
from benchmarks.orchestration_rounds import BACKFILL, PARTITION, next_moment
from benchmarks.records_figures import Times
from benchmarks.samples import Samples


def test_a_run_serves_both_sides_and_writes_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "results" / "orchestration.json"
    orchestration.run(partitions=1, rounds=0, backfills=0, requests=3, output=output)
    document = json.loads(output.read_text())
    assert document["partitions"] == 1
    # Each of them launched a run that succeeded, ours in an operator's name.
    assert set(document["warm_up_seconds"]) == {"ours", "bare", "empty"}
    assert all(seconds > 0 for seconds in document["warm_up_seconds"].values())
    assert [each["query"] for each in document["requests"]] == ["{ version }", "all assets with permissions"]
    for each in document["requests"]:
        for side in ("ours", "bare"):
            assert len(each[side]["measured_ms"]) == 3
            assert min(each[side]["measured_ms"]) > 0
    assert [target["limit"] for target in document["targets"]] == [2.0, 2.0]
    assert "all assets with permissions" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (100.0, 102.5),  # the next look is at 105
        (102.5, 102.5),
        (102.6, 107.5),
        (131.0, 132.5),
        (90.0, 92.5),  # a look that is still to come counts as one
    ],
)
def test_a_launch_is_sent_a_set_time_before_the_next_look(now: float, expected: float) -> None:
    assert next_moment(100.0, 5.0, 2.5, now) == expected


def test_a_promise_is_judged_by_the_ratios_within_rounds_and_by_what_a_request_takes_longer() -> None:
    samples = Samples()
    for ours, bare in ((8.0, 8.0), (21.6, 18.0), (9.0, 9.0)):
        samples.add(PARTITION, "ours", ours)
        samples.add(PARTITION, "bare", bare)
    samples.add(BACKFILL, "ours", 60.0)
    samples.add(BACKFILL, "bare", 50.0)
    requests = [
        RequestTimes(query="cheap", ours=Times.of([0.0035] * 3), bare=Times.of([0.001, 0.0015, 0.002])),
        RequestTimes(query="dear", ours=Times.of([0.008] * 3), bare=Times.of([0.005] * 3)),
    ]
    judged = [(target.figure, target.limit, target.met) for target in judge(samples, requests)]
    assert judged == [(1.0, 1.1, True), (1.2, 1.1, False), (2.0, 2.0, True), (3.0, 2.0, False)]
