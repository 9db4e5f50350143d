"""`python -m benchmarks.store`: this project's warehouse beside other stores, on one `crsp_daily`-shaped frame."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks.client import OWN, PEER_PYTHON, PROJECT
from benchmarks.commits import measure_commits
from benchmarks.frame import write_inputs
from benchmarks.power import measure_power_loss
from benchmarks.report import LABELS, Report, machine, show, write
from benchmarks.speed import SpeedRun
from benchmarks.targets import judge
from benchmarks.worker import STORES
from data_platform.cli.output import say

RESULT: Final = PROJECT / "benchmarks" / "results" / "store.json"


def run(  # noqa: PLR0913 - the command's options
    *,
    rows: Annotated[int, typer.Option(min=20_000, help="Rows of the frame, in ten equal years.")] = 5_000_000,
    repeat: Annotated[int, typer.Option(min=1, help="Rounds; the figures are medians.")] = 3,
    versions: Annotated[int, typer.Option(min=30, help="Small commits to make.")] = 1000,
    budget: Annotated[float, typer.Option(help="Seconds that one store's small commits may take.")] = 45.0,
    trials: Annotated[int, typer.Option(min=0, help="Power cuts per store and file system.")] = 4,
    stores: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(STORES),
    scratch: Annotated[Path | None, typer.Option(help="Where to work; about 4 GB. Default: the system's.")] = None,
    output: Annotated[Path, typer.Option(help="The JSON document.")] = RESULT,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: does it work, not how fast is it.")] = False,
) -> None:
    """Measure, print tables, write JSON. Exit code 1 when a store failed or gave a wrong answer."""
    chosen = _chosen(stores)
    if quick:
        rows, repeat, versions, trials, budget = 200_000, 2, 60, min(trials, 1), 10.0
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="bench-store-", dir=scratch))
    try:
        say(f"generating {rows:,} rows")
        inputs = folder / "inputs"
        generated = write_inputs(inputs, rows)
        speed = SpeedRun(chosen, inputs, folder, repeat=repeat, say=say).measure()
        committing = [store for store in chosen if store not in {"files", "delta-zstd"}]
        commits, failed = measure_commits(committing, inputs, folder, versions=versions, budget=budget, say=say)
        power, skipped = measure_power_loss(committing, inputs, folder, trials=trials, say=say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    samples = speed.samples
    report = Report(
        made_at=dt.datetime.now(dt.UTC),
        machine=machine(),
        rows=rows,
        repeat=repeat,
        stores=chosen,
        generated_seconds=round(generated, 1),
        wall_seconds=round(time.monotonic() - started, 1),
        medians=samples.medians(),
        measurements=samples.document(),
        megabytes=speed.megabytes,
        peak_mb=speed.peak_mb,
        commits=commits,
        power_loss=power,
        skipped=skipped,
        failures=[*speed.failures, *failed],
        targets=judge(samples, speed.megabytes, commits),
    )
    write(report, output)
    show(report)
    say(f"{report.wall_seconds:.0f} s; every measurement is in {output}")
    if report.failures:
        raise typer.Exit(1)


def _chosen(stores: str) -> list[str]:
    """The stores asked for, in the order of the table.

    Raises:
        BadParameter: for an unknown store, or peers without their environment.
    """
    names = {name.strip() for name in stores.split(",")}
    if unknown := names - set(STORES):
        raise typer.BadParameter(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(STORES)}")
    if names - OWN and not PEER_PYTHON.exists():
        raise typer.BadParameter(f"{PEER_PYTHON} is missing; `make bench-store` makes it")
    if "files" in names and "ours" not in names:
        raise typer.BadParameter("files reads what ours wrote; ask for both")
    return [name for name in LABELS if name in names]


if __name__ == "__main__":
    typer.run(run)
