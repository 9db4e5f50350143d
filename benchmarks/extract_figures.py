"""From measurements of extraction to figures, verdicts and tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from pydantic import BaseModel

from benchmarks.extract_measure import Taken
from benchmarks.samples import Samples
from benchmarks.targets import Target
from data_platform.cli.output import print_table, say

LABELS: Final = {
    "ours": "this project",
    "db2pq": "db2pq (DuckDB scanner)",
    "connectorx": "polars + connectorx",
    "raw_sql": "wrds.raw_sql + to_parquet",
}
FLOOR_FACTOR: Final = 1.25
DB2PQ_FACTOR: Final = 1.5
RAW_SQL_FACTOR: Final = 12.0
PEAK_MB: Final = 300.0


class Flatness(BaseModel):
    """The peak memory of our process, in MB, when it extracts a year of so many rows."""

    rows: int
    peak_mb: float


class ExtractReport(BaseModel):
    """Everything measured: every run of every way, and what the server alone took."""

    made_at: dt.datetime
    machine: str
    rows: int
    repeat: int
    floor_seconds: list[float]
    ways: dict[str, list[Taken]]
    bytes_received: dict[str, int]
    shuffled_seconds: dict[str, float]
    memory: list[Flatness]
    targets: list[Target]
    failures: list[str]
    wall_seconds: float


def judge(samples: Samples, memory: Sequence[Flatness]) -> list[Target]:
    """What extraction promises, where both sides were measured; ratios are within rounds."""
    targets: list[Target] = []

    def promise(name: str, figure: float | None, limit: float) -> None:
        if figure is not None:
            targets.append(Target(name=name, figure=round(figure, 3), limit=round(limit, 3)))

    promise("whole process / the server alone", samples.ratio("seconds", "ours", "floor"), FLOOR_FACTOR)
    promise("whole process / db2pq", samples.ratio("seconds", "ours", "db2pq"), 1 / DB2PQ_FACTOR)
    promise("whole process / wrds.raw_sql", samples.ratio("seconds", "ours", "raw_sql"), 1 / RAW_SQL_FACTOR)
    for each in memory:
        promise(f"MB of memory at {each.rows:,} rows", each.peak_mb, PEAK_MB)
    return targets


def show(report: ExtractReport) -> None:
    """Print the tables."""
    floor = median(report.floor_seconds)
    print_table(
        f"One year, {report.rows:,} rows, 36 columns: medians of {report.repeat}",
        ["", "Seconds", "of which imports", "x the server alone", "Processor s", "Peak MB", "MB received"],
        [["the server alone", round(floor, 2), None, 1.0, None, None, None]]
        + [_row(way, runs, floor, report.bytes_received) for way, runs in report.ways.items()],
    )
    print_table(
        "The same rows in no order",
        ["", "Seconds"],
        [[name, round(seconds, 2)] for name, seconds in report.shuffled_seconds.items()],
    )
    print_table(
        "Memory of this project's process",
        ["Rows of the year", "Peak MB"],
        [[each.rows, round(each.peak_mb)] for each in report.memory],
    )
    print_table(
        "Targets",
        ["", "measured", "at most", "met"],
        [[target.name, f"{target.figure:.2f}", f"{target.limit:.2f}", target.met] for target in report.targets],
    )
    for line in report.failures:
        say(line)


def write(report: ExtractReport, path: Path) -> None:
    """Write the JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.model_dump_json(indent=1) + "\n")


def _row(way: str, runs: Sequence[Taken], floor: float, received: Mapping[str, int]) -> list[object]:
    seconds = median(each.seconds for each in runs)
    return [
        LABELS[way],
        round(seconds, 2),
        round(median(each.import_seconds for each in runs), 2),
        round(seconds / floor, 2),
        round(median(each.cpu_seconds for each in runs), 1),
        round(median(each.peak_mb for each in runs)),
        round(received[way] / 1e6) if way in received else None,
    ]
