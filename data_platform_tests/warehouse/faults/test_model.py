"""All interleavings of the protocol's steps: ours holds, and each safeguard is there for a reason."""

from __future__ import annotations

import pytest

from data_platform_tests.warehouse.faults.checker import check
from data_platform_tests.warehouse.faults.protocol import Protocol

OURS = Protocol()


@pytest.mark.parametrize(("crashes", "forced"), [(0, 0), (2, 0), (1, 1)])
def test_no_interleaving_of_three_writers_and_a_sweeper_breaks_the_rules(crashes: int, forced: int) -> None:
    verdict = check(OURS, writers=3, crashes=crashes, forced=forced)
    assert verdict.breach is None, "\n".join([verdict.breach or "", *verdict.steps])
    assert verdict.states > 1_000, "too few states: the model does not move"


@pytest.mark.parametrize(("crashes", "forced"), [(1, 1)])
def test_no_interleaving_of_four_writers_and_a_sweeper_breaks_the_rules(
    crashes: int, forced: int, torture: bool
) -> None:
    if not torture:
        pytest.skip("with --torture only")
    verdict = check(OURS, writers=4, crashes=crashes, forced=forced)
    assert verdict.breach is None, "\n".join([verdict.breach or "", *verdict.steps])
    assert verdict.states > 100_000


@pytest.mark.parametrize(
    ("broken", "breach", "crashes", "forced"),
    [
        (Protocol(guard=False), "two owners of the lock", 0, 0),
        (Protocol(guard=False), "a writer without the lock published", 0, 1),
        (Protocol(kernel_proof=False), "two owners of the lock", 0, 0),
        (Protocol(guard=False, kernel_proof=False), "two owners of the lock", 0, 0),
        (Protocol(fence=False), "a writer without the lock published", 0, 1),
        (Protocol(fence=False, exclusive_link=False), "two results on one base", 0, 1),
        (Protocol(sweep_flock=False), "a version without its file", 0, 0),
        (Protocol(guard=False, kernel_proof=False, fence=False, exclusive_link=False), "two results on one base", 0, 0),
    ],
    ids=str,
)
def test_without_one_of_its_safeguards_the_protocol_breaks(
    broken: Protocol, breach: str, crashes: int, forced: int
) -> None:
    verdict = check(broken, writers=2, crashes=crashes, forced=forced, only=breach)
    assert verdict.breach == breach
    assert 3 < len(verdict.steps) < 40
    held = check(OURS, writers=2, crashes=crashes, forced=forced)
    assert held.breach is None, "\n".join(held.steps)


def test_a_counterexample_reads_as_a_story() -> None:
    told = check(Protocol(sweep_flock=False), writers=1, crashes=0, forced=0).steps
    assert told.index("the sweeper looks what is needed") < told.index("writer 0 publishes on base 0")
    assert told[-1] == "the sweeper removes the file"
