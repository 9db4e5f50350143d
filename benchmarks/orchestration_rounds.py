"""What is done to both sides in turn: runs of one partition, backfills, requests.

Dagster's daemon looks at its queue every five seconds and at its backfills every thirty. When a launch comes in between
decides how long it waits, which is neither side's merit; so both are launched the same time before the next look.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.orchestration_bare import EMPTY, TABLE
from benchmarks.orchestration_side import RunTimes, Side
from benchmarks.orchestration_stage import Stage
from benchmarks.samples import Samples
from data_platform.orchestration.assets import PARTITIONS_PER_RUN

OURS: Final = "ours"
BARE: Final = "bare"
NOTHING: Final = "empty"
WAYS: Final = (OURS, BARE, NOTHING)

PARTITION: Final = "one partition, launch to finished"
BACKFILL: Final = "backfill, launch to last run finished"
PARTITION_BUSY: Final = "one partition, without its wait"
BACKFILL_BUSY: Final = "backfill, first run queued to last finished"

QUERIES: Final = {
    "{ version }": "{ version }",
    "all assets with permissions": """{
      assetNodes {
        id groupName isPartitioned assetKey { path } owners { ... on TeamAssetOwner { team } }
        hasMaterializePermission hasWipePermission hasReportRunlessAssetEventPermission
      }
      permissions { permission value disabledReason }
    }""",
}

_QUEUE_SECONDS: Final = 5.0
_QUEUE_LEAD: Final = 2.5
_BACKFILL_SECONDS: Final = 30.0
_BACKFILL_LEAD: Final = 5.0
_UNCOUNTED: Final = 20


@dataclass(frozen=True, slots=True)
class Launched:
    """A run and its launch: Unix seconds before the request and after its answer."""

    asked: float
    answered: float
    run: RunTimes

    def add_to(self, samples: Samples, way: str) -> None:
        """Note its parts, in seconds."""
        waited = self.run.dequeued - self.answered
        samples.add(PARTITION, way, self.run.ended - self.asked)
        samples.add("… its launch request", way, self.answered - self.asked)
        samples.add("… its wait in the queue", way, waited)
        samples.add("… its run", way, self.run.running)
        samples.add(PARTITION_BUSY, way, self.run.ended - self.asked - waited)


def warm_up(stage: Stage) -> dict[str, Launched]:
    """Launch a run in every way at once; it is not counted, and tells when each daemon looks at its queue."""
    started = {way: _launch(stage, way) for way in WAYS}
    return {way: _finish(stage, way, *moments) for way, moments in started.items()}


def measure_runs(stage: Stage, before: dict[str, Launched], rounds: int, samples: Samples) -> Iterator[str]:
    """Launch a run in each way in turn, every round beginning with another; yields what it is about to do."""
    looked = {_side(stage, way).name: each.run.dequeued for way, each in before.items()}
    for number in range(rounds):
        yield f"runs, round {number + 1} of {rounds}"
        for way in _turned(WAYS, number):
            side = _side(stage, way)
            _sleep_until(next_moment(looked[side.name], _QUEUE_SECONDS, _QUEUE_LEAD, time.time()))
            launched = _finish(stage, way, *_launch(stage, way))
            looked[side.name] = launched.run.dequeued
            launched.add_to(samples, way)


def measure_backfills(stage: Stage, rounds: int, samples: Samples) -> Iterator[str]:
    """Backfill all partitions on each side in turn; yields what it is about to do."""
    runs = -(-len(stage.partitions) // PARTITIONS_PER_RUN)
    earlier: dict[str, str] = {}
    for number in range(rounds):
        yield f"backfills, round {number + 1} of {rounds}"
        for way in _turned((OURS, BARE), number):
            side = _side(stage, way)
            if way in earlier:
                side.settle(earlier[way])
            ticked = side.last_tick("BACKFILL") or time.time()
            _sleep_until(next_moment(ticked, _BACKFILL_SECONDS, _BACKFILL_LEAD, time.time()))
            stage.forget_limits()
            asked = time.time()
            earlier[way] = side.backfill(TABLE, stage.partitions)
            answered = time.time()
            found = side.follow_backfill(earlier[way], runs)
            queued, ended = min(run.queued for run in found), max(run.ended for run in found)
            samples.add(BACKFILL, way, ended - asked)
            samples.add("… the backfill's launch request", way, answered - asked)
            samples.add("… its wait for the daemon", way, queued - answered)
            samples.add(BACKFILL_BUSY, way, ended - queued)
            samples.add("… its runs together", way, sum(run.running for run in found))


def measure_requests(stage: Stage, query: str, requests: int) -> tuple[list[float], list[float]]:
    """Seconds of each request to our side and to the bare one, which are asked by turns."""
    ours: list[float] = []
    bare: list[float] = []
    for number in range(_UNCOUNTED + requests):
        for way in _turned((OURS, BARE), number):
            took = _side(stage, way).timed(query)
            if number >= _UNCOUNTED:
                (ours if way == OURS else bare).append(took)
    return ours, bare


def next_moment(looked: float, period: float, lead: float, now: float) -> float:
    """The first moment from now on that is `lead` seconds before something that last happened at `looked`."""
    periods = -(-(now + lead - looked) // period)
    return looked + periods * period - lead


def _launch(stage: Stage, way: str) -> tuple[float, float, str]:
    stage.forget_limits()
    asked = time.time()
    run_id = _side(stage, way).launch(EMPTY if way == NOTHING else TABLE, stage.partitions[-1])
    return asked, time.time(), run_id


def _finish(stage: Stage, way: str, asked: float, answered: float, run_id: str) -> Launched:
    return Launched(asked, answered, _side(stage, way).follow(run_id))


def _side(stage: Stage, way: str) -> Side:
    return stage.ours if way == OURS else stage.bare


def _turned(ways: Sequence[str], number: int) -> list[str]:
    first = number % len(ways)
    return [*ways[first:], *ways[:first]]


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))
