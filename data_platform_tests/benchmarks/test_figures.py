"""From measurements to figures and verdicts."""

from __future__ import annotations

import pytest

from benchmarks.commits import EARLY, WINDOW, CommitTimes, summarise
from benchmarks.power import BROKEN, KEPT, LOST, verdict
from benchmarks.samples import Samples
from benchmarks.targets import judge

BEFORE, AFTER = (100, 1), (100, 2)


@pytest.mark.parametrize(
    ("read", "writes_again", "expected"),
    [
        (AFTER, True, KEPT),
        (BEFORE, True, LOST),
        ((50, 1), True, BROKEN),
        (None, False, BROKEN),
        (AFTER, False, BROKEN),
    ],
)
def test_a_power_cut_is_judged_by_what_can_be_read_and_written_afterwards(
    read: tuple[int, int] | None, writes_again: bool, expected: str
) -> None:
    assert verdict(read, before=BEFORE, acknowledged=AFTER, writes_again=writes_again) == expected


def test_a_ratio_compares_what_was_measured_in_the_same_round() -> None:
    samples = Samples()
    for mine, theirs in ((1.0, 2.0), (10.0, 20.0), (3.0, 2.0)):
        samples.add("read", "ours", mine)
        samples.add("read", "peer", theirs)
    assert samples.ratio("read", "ours", "peer") == 0.5
    assert samples.ratio("read", "ours", "absent") is None
    assert samples.medians() == {"read": {"ours": 3.0, "peer": 2.0}}


def test_growth_compares_the_commits_around_ten_with_the_last() -> None:
    seconds = [9.0] * EARLY + [0.010] * WINDOW + [0.5] * 70 + [0.030] * WINDOW
    assert summarise(seconds) == CommitTimes(early_ms=10.0, last=100, last_ms=30.0)


def test_too_few_commits_give_no_growth() -> None:
    assert summarise([0.01] * (EARLY + WINDOW)) is None


@pytest.mark.parametrize(("ours", "met"), [(1.0, True), (1.29, True), (1.31, False)])
def test_a_target_is_met_up_to_its_limit(ours: float, met: bool) -> None:
    samples = Samples()
    samples.add("write ten years", "ours", ours)
    samples.add("write ten years", "arcticdb", 1.0)
    assert [target.met for target in judge(samples, {}, {})] == [met]
