"""`python -m benchmarks.extract`: a year of daily stocks out of Postgres, by our transport and by others."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import typer

from benchmarks.client import PROJECT
from benchmarks.extract_figures import ExtractReport, Flatness, judge, show, write
from benchmarks.extract_measure import Taken, WayFailedError, measure, measure_floor, missing, received
from benchmarks.extract_relation import load_relation, shuffle_relation
from benchmarks.report import machine
from benchmarks.samples import Samples
from data_platform.cli.output import say
from data_platform.records.embedded.service import EmbeddedServer, open_embedded

RESULT: Final = PROJECT / "benchmarks" / "results" / "extract.json"
WAYS: Final = ("ours", "db2pq", "connectorx", "raw_sql")
FLOOR: Final = "floor"


def run(
    *,
    rows: Annotated[int, typer.Option(min=1_000, help="Rows of the year.")] = 2_500_000,
    repeat: Annotated[int, typer.Option(min=1, help="Rounds; figures are medians.")] = 5,
    ways: Annotated[str, typer.Option(help="Which to measure, by comma.")] = ",".join(WAYS),
    memory: Annotated[str, typer.Option(help="Rows of the years for the memory of ours, by comma.")] = (
        "500000,10000000"
    ),
    output: Annotated[Path, typer.Option(help="The JSON document.")] = RESULT,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: does it work, not how fast is it.")] = False,
) -> None:
    """Measure on an embedded server of its own, print tables, write JSON."""
    if quick:
        rows, repeat, memory = 20_000, 1, "5000"
    started = time.monotonic()
    failures: list[str] = []
    chosen = [way for way in ways.split(",") if way in WAYS]
    for way in [way for way in chosen if missing(way)]:
        chosen.remove(way)
        failures.append(f"{way}: not measured, its environment is not installed (make bench-extract does it)")
    # A short path: the server's socket has to fit into one.
    home = Path(tempfile.mkdtemp(prefix="dp-bench-", dir="/tmp"))
    try:
        with open_embedded(home) as server:
            say(f"loading {rows:,} rows")
            load_relation(server, rows)
            taken, floors = _rounds(server, chosen, rows, repeat, failures)
            sent = {way: received(server, way) for way in chosen if way in taken}
            say("the same rows in no order")
            shuffle_relation(server)
            shuffled = {
                "floor, sorted by the server": median(measure_floor(server, ordered=True) for _ in range(repeat)),
                "ours": median(measure(server, "ours").seconds for _ in range(repeat)),
            }
            flat = [_flat(server, int(size)) for size in memory.split(",") if size]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    samples = Samples()
    for floor in floors:
        samples.add("seconds", FLOOR, floor)
    for way, runs in taken.items():
        for each in runs:
            samples.add("seconds", way, each.seconds)
    if "ours" in taken:
        flat.append(Flatness(rows=rows, peak_mb=max(each.peak_mb for each in taken["ours"])))
    report = ExtractReport(
        made_at=dt.datetime.now(dt.UTC),
        machine=machine(),
        rows=rows,
        repeat=repeat,
        floor_seconds=floors,
        ways=taken,
        bytes_received=sent,
        shuffled_seconds=shuffled,
        memory=sorted(flat, key=lambda each: each.rows),
        targets=judge(samples, flat),
        failures=failures,
        wall_seconds=time.monotonic() - started,
    )
    write(report, output)
    show(report)
    say(f"Written to {output}.")


def _rounds(
    server: EmbeddedServer, ways: list[str], rows: int, repeat: int, failures: list[str]
) -> tuple[dict[str, list[Taken]], list[float]]:
    """Ask every way in turn, each round beginning with another one; a way that fails is asked no more."""
    taken: dict[str, list[Taken]] = defaultdict(list)
    floors: list[float] = []
    for number in range(repeat):
        order = [FLOOR, *ways]
        first = number % len(order)
        for way in order[first:] + order[:first]:
            say(f"round {number + 1} of {repeat}: {way}")
            if way == FLOOR:
                floors.append(measure_floor(server, ordered=False))
                continue
            try:
                each = measure(server, way)
            except WayFailedError as error:
                failures.append(f"{way}: {error}")
                ways.remove(way)
                continue
            if each.rows != rows:
                failures.append(f"{way}: {each.rows:,} rows came, not {rows:,}")
            taken[way].append(each)
    return dict(taken), floors


def _flat(server: EmbeddedServer, rows: int) -> Flatness:
    say(f"memory of ours at {rows:,} rows")
    load_relation(server, rows)
    return Flatness(rows=rows, peak_mb=measure(server, "ours").peak_mb)


if __name__ == "__main__":
    typer.run(run)
