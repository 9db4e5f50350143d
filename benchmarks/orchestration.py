"""`python -m benchmarks.orchestration`: what our control room costs beside bare Dagster with the same assets.

Both sides run the same definitions (the same code, checks, executor and metadata) over the same home, with the same
launcher, the same limits and a database each on the same server. What differs is ours: the governed webserver, which
asks the records who each request comes from; the coordinator, which asks whether they may, writes the audit and stamps
the run; and the coordinator in the daemon, which asks again for every run of a backfill. A partition that is launched
is current already, so that neither side extracts anything. An asset that does nothing, on the bare side, is there for
scale: what Dagster alone takes for a run.
"""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks.client import PROJECT
from benchmarks.orchestration_figures import OrchestrationReport, RequestTimes, judge, show
from benchmarks.orchestration_rounds import QUERIES, measure_backfills, measure_requests, measure_runs, warm_up
from benchmarks.orchestration_stage import open_stage
from benchmarks.records_figures import Times
from benchmarks.report import machine
from benchmarks.samples import Samples
from data_platform.cli.output import print_json, say

RESULT: Final = PROJECT / "benchmarks" / "results" / "orchestration.json"


def run(
    *,
    partitions: Annotated[int, typer.Option(min=1, max=25, help="Partitions of a backfill.")] = 25,
    rounds: Annotated[int, typer.Option(min=0, help="Rounds of single runs; figures are medians.")] = 7,
    backfills: Annotated[int, typer.Option(min=0, help="Rounds of backfills.")] = 3,
    requests: Annotated[int, typer.Option(min=2, help="Requests of each query to each side.")] = 500,
    output: Annotated[Path, typer.Option(help="The JSON document.")] = RESULT,
    as_json: Annotated[bool, typer.Option("--json", help="The document instead of tables.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: does it work, not how fast is it.")] = False,
) -> None:
    """Measure on an embedded server of its own, print tables, write JSON."""
    if quick:
        partitions, rounds, backfills, requests = min(partitions, 6), 2, 1, 50
    started = time.monotonic()
    samples = Samples()
    say(f"publishing {partitions} partitions, starting both sides")
    with open_stage(partitions) as stage:
        first = warm_up(stage)
        for step in measure_runs(stage, first, rounds, samples):
            say(step)
        for step in measure_backfills(stage, backfills, samples):
            say(step)
        say("requests")
        asked = {name: measure_requests(stage, query, requests) for name, query in QUERIES.items()}
    answered = [
        RequestTimes(query=name, ours=Times.of(ours), bare=Times.of(bare)) for name, (ours, bare) in asked.items()
    ]
    report = OrchestrationReport(
        made_at=dt.datetime.now(dt.UTC),
        machine=machine(),
        partitions=partitions,
        warm_up_seconds={way: round(each.run.ended - each.asked, 3) for way, each in first.items()},
        medians=samples.medians(),
        measurements=samples.document(),
        requests=answered,
        targets=judge(samples, answered),
        wall_seconds=round(time.monotonic() - started, 1),
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(report.model_dump_json(indent=1) + "\n")
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        show(report)
    say(f"{report.wall_seconds:.0f} s; every measurement is in {output}")


if __name__ == "__main__":
    typer.run(run)
