"""What the orchestration benchmark measured: the JSON document, verdicts, and the tables for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel

from benchmarks.orchestration_rounds import BACKFILL, BACKFILL_BUSY, BARE, OURS, PARTITION, PARTITION_BUSY, WAYS
from benchmarks.records_figures import Times
from benchmarks.samples import Samples
from benchmarks.targets import Target
from data_platform.cli.output import print_table

RATIO: Final = 1.1
REQUEST_MS: Final = 2.0
_LABELS: Final = {"ours": "this project", "bare": "bare Dagster", "empty": "bare, empty asset"}


class RequestTimes(BaseModel):
    """The same GraphQL query to both sides."""

    query: str
    ours: Times
    bare: Times

    @property
    def added_ms(self) -> float:
        """Milliseconds that ours takes longer, at the median."""
        return self.ours.median_ms - self.bare.median_ms


class OrchestrationReport(BaseModel):
    """Everything measured: seconds by operation and way, and each request in milliseconds."""

    made_at: dt.datetime
    machine: str
    partitions: int
    warm_up_seconds: dict[str, float]
    medians: dict[str, dict[str, float]]
    measurements: dict[str, dict[str, list[float]]]
    requests: list[RequestTimes]
    targets: list[Target]
    wall_seconds: float


def judge(samples: Samples, requests: Sequence[RequestTimes]) -> list[Target]:
    """Every promise whose two sides were measured; a ratio is the median of the rounds' own."""
    targets: list[Target] = []
    for operation in (PARTITION, PARTITION_BUSY, BACKFILL, BACKFILL_BUSY):
        ratio = samples.ratio(operation, OURS, BARE)
        if ratio is not None:
            targets.append(Target(name=f"{operation} / bare Dagster", figure=round(ratio, 3), limit=RATIO))
    for each in requests:
        name = f"ms of permissions, {each.query}"
        targets.append(Target(name=name, figure=round(each.added_ms, 3), limit=REQUEST_MS))
    return targets


def show(report: OrchestrationReport) -> None:
    """Print the tables."""
    print_table(
        f"Seconds, median and range; a backfill has {report.partitions} partitions",
        ["", *(_LABELS[way] for way in WAYS)],
        [[operation, *(_cell(ways, way) for way in WAYS)] for operation, ways in report.measurements.items()],
    )
    print_table(
        "Milliseconds of a GraphQL request over one connection",
        ["", "ours, median", "p95", "bare, median", "p95", "added, median", "p95"],
        [
            [
                each.query,
                *(round(value, 2) for times in (each.ours, each.bare) for value in (times.median_ms, times.p95_ms)),
                round(each.added_ms, 2),
                round(each.ours.p95_ms - each.bare.p95_ms, 2),
            ]
            for each in report.requests
        ],
    )
    print_table(
        "Targets",
        ["", "measured", "at most", "met"],
        [[target.name, f"{target.figure:.2f}", f"{target.limit:.2f}", target.met] for target in report.targets],
    )


def _cell(ways: Mapping[str, Sequence[float]], way: str) -> str | None:
    seconds = sorted(ways.get(way, ()))
    if not seconds:
        return None
    middle = (seconds[(len(seconds) - 1) // 2] + seconds[len(seconds) // 2]) / 2
    return f"{middle:.2f} ({seconds[0]:.2f} to {seconds[-1]:.2f})"
