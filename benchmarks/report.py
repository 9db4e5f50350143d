"""The result of one run: the JSON document, and the tables for people."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from benchmarks.commits import CommitTimes
from benchmarks.power import BROKEN, KEPT, LOST
from benchmarks.speed import REPLACEMENTS
from benchmarks.targets import Target
from data_platform.cli.output import print_table, say

LABELS: Final = {
    "ours": "this project",
    "files": "DuckDB, our files",
    "plain": "Parquet + DuckDB",
    "delta": "Delta (snappy)",
    "delta-zstd": "Delta (zstd 3)",
    "arcticdb": "ArcticDB (LMDB)",
    "pyiceberg": "pyiceberg + SQLite",
}


class Report(BaseModel):
    """Everything measured: medians and every single measurement in seconds, sizes in MB (10^6 bytes)."""

    made_at: dt.datetime
    machine: str
    rows: int
    repeat: int
    stores: list[str]
    generated_seconds: float
    wall_seconds: float
    medians: dict[str, dict[str, float]]
    measurements: dict[str, dict[str, list[float]]]
    megabytes: dict[str, float]
    peak_mb: dict[str, int]
    commits: dict[str, CommitTimes]
    power_loss: dict[str, dict[str, Counter[str]]]
    skipped: list[str]
    failures: list[str]
    targets: list[Target]


def machine() -> str:
    """Processor count, memory, kernel and Python: what the figures hang on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def show(report: Report) -> None:
    """Print the tables."""
    labels = [LABELS[store] for store in report.stores]
    print_table(
        f"Seconds, medians: {report.rows:,} rows, 36 columns, 10 years",
        ["", *labels],
        [[operation, *_cells(report.stores, values)] for operation, values in report.medians.items()],
    )
    sizes = {store: round(value, 1) for store, value in report.megabytes.items()}
    print_table(
        "MB",
        ["", *labels],
        [
            [f"on disk after {REPLACEMENTS} replacements", *_cells(report.stores, sizes)],
            ["peak memory of the process", *_cells(report.stores, report.peak_mb)],
        ],
    )
    print_table(
        "Milliseconds of one small commit",
        ["store", "at version 10", "at version", "", "growth"],
        [
            [LABELS[store], times.early_ms, times.last, times.last_ms, f"{times.growth:.2f} x"]
            for store, times in report.commits.items()
        ],
    )
    for file_system, stores in report.power_loss.items():
        print_table(
            f"Power cut right after an acknowledged commit, {file_system}",
            ["store", KEPT, LOST, BROKEN],
            [[LABELS[store], counts[KEPT], counts[LOST], counts[BROKEN]] for store, counts in stores.items()],
        )
    print_table(
        "Targets",
        ["", "measured", "at most", "met"],
        [[target.name, f"{target.figure:.2f}", f"{target.limit:.2f}", target.met] for target in report.targets],
    )
    for line in (*report.skipped, *report.failures):
        say(line)


def write(report: Report, path: Path) -> None:
    """Write the JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.model_dump_json(indent=1) + "\n")


def _cells(stores: Sequence[str], values: Mapping[str, float]) -> list[float | None]:
    return [values.get(store) for store in stores]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
