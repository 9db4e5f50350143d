"""`python -m benchmarks.quality_faults`: injected faults that are found, and alarms on clean data."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks.client import PROJECT
from benchmarks.quality_faults.figures import FaultsReport, Figures, show, write
from benchmarks.quality_faults.real import FILE
from benchmarks.quality_faults.running import score_real, score_synthetic
from benchmarks.quality_faults.severities import EVALUATION_SEEDS, TUNING_SEEDS
from benchmarks.report import machine
from data_platform.cli.output import print_json, say

RESULT: Final = PROJECT / "benchmarks" / "results" / "quality_faults.json"
DATA: Final = PROJECT.parent / "shared" / "data"


def run(
    *,
    markets: Annotated[int, typer.Option(min=1, help="Markets of four clean years each.")] = 250,
    rounds: Annotated[int, typer.Option(min=1, help="Times each fault is put into each year of real prices.")] = 8,
    data: Annotated[Path, typer.Option(help="Where the file of real prices is; left out where it is not.")] = DATA,
    output: Annotated[Path, typer.Option(help="The JSON document.")] = RESULT,
    tuning: Annotated[bool, typer.Option("--tuning", help="Use the seeds for tuning.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Few markets: does it work.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document instead of tables.")] = False,
) -> None:
    """Inject, judge, print tables, write JSON. Exit code 1 when a target is missed."""
    if quick:
        markets, rounds = 5, 1
    seeds = (TUNING_SEEDS if tuning else EVALUATION_SEEDS)[:markets]
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="bench-faults-"))
    try:
        say(f"{len(seeds)} markets")
        synthetic = Figures.of(score_synthetic(seeds, folder))
        real = None
        if (data / FILE).exists():
            say("real prices")
            real = Figures.of(score_real(data, folder, rounds=rounds, seed=seeds[0]))
        else:
            say(f"{data / FILE} is not here: no figures of real prices")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = FaultsReport(
        made_at=dt.datetime.now(dt.UTC),
        machine=machine(),
        seeds=(seeds[0], seeds[-1]),
        wall_seconds=round(time.monotonic() - started, 1),
        synthetic=synthetic,
        real=real,
    )
    write(report, output)
    if as_json:
        print_json(report)
    else:
        show(report)
    say(f"{report.wall_seconds:.0f} s; everything is in {output}")
    if not report.met:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(run)
