"""The result of a run: the JSON document, and the tables for people."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from statistics import median
from typing import Final, Self

from pydantic import BaseModel

from benchmarks.quality_faults.scoring import INJECTORS, Score
from benchmarks.quality_faults.severities import WARNINGS
from data_platform.cli.output import print_table, say

RECALL: Final = 0.95
ALARMS: Final = 1.0
"""Per thousand clean partitions, fewer than."""


class Figures(BaseModel):
    """What one kind of partition gave."""

    injected: dict[str, int]
    caught: dict[str, int]
    error_recall: float
    clean: int
    alarmed: int
    alarms_per_thousand: float
    median_ms: float
    missed: list[str]
    alarms: list[str]

    @classmethod
    def of(cls, score: Score) -> Self:
        """Summarise."""
        return cls(
            injected=dict(score.injected),
            caught={fault: score.caught[fault] for fault in score.injected},
            error_recall=round(score.error_recall, 4),
            clean=score.clean,
            alarmed=score.alarmed,
            alarms_per_thousand=round(score.alarms_per_thousand, 2),
            median_ms=round(1000 * median(score.seconds), 1) if score.seconds else 0.0,
            missed=score.missed,
            alarms=score.alarms,
        )

    def below_target(self) -> list[str]:
        """The faults that are errors and are found too seldom."""
        return [
            fault
            for fault, number in self.injected.items()
            if fault not in WARNINGS and self.caught[fault] < RECALL * number
        ]


class FaultsReport(BaseModel):
    """Everything measured; `real` is None without the file of real prices."""

    made_at: dt.datetime
    machine: str
    seeds: tuple[int, int]
    wall_seconds: float
    synthetic: Figures
    real: Figures | None

    @property
    def met(self) -> bool:
        """Whether both targets are, on both kinds."""
        both = [each for each in (self.synthetic, self.real) if each is not None]
        return all(not each.below_target() and each.alarms_per_thousand < ALARMS for each in both)


def show(report: FaultsReport) -> None:
    """Print the tables."""
    kinds = {"synthetic": report.synthetic, **({"real": report.real} if report.real else {})}
    print_table(
        "Faults found, of those injected",
        ["fault", "grade", *(f"{kind} {what}" for kind in kinds for what in ("injected", "found"))],
        [
            [fault, "warning" if fault in WARNINGS else "error", *_cells(fault, list(kinds.values()))]
            for fault in INJECTORS
        ],
    )
    print_table(
        "Clean partitions",
        ["", "judged", "with an alarm", "per 1,000", "median ms"],
        [
            [kind, each.clean, each.alarmed, f"{each.alarms_per_thousand:.2f}", f"{each.median_ms:.1f}"]
            for kind, each in kinds.items()
        ],
    )
    for each in kinds.values():
        for line in (*each.alarms[:10], *each.missed[:10]):
            say(line)
    say(f"targets (95 % of each error, fewer than 1 alarm in 1,000): {'met' if report.met else 'NOT met'}")


def write(report: FaultsReport, path: Path) -> None:
    """Write the JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.model_dump_json(indent=1) + "\n")


def _cells(fault: str, kinds: list[Figures]) -> list[object]:
    cells: list[object] = []
    for each in kinds:
        number = each.injected.get(fault, 0)
        cells += [number, f"{each.caught[fault] / number:.1%}" if number else None]
    return cells
