"""`python -m benchmarks.query`: what the governed door costs beside plain DuckDB, whom it serves, and what it stops.

Queries go through the service that the command line and the HTTP interface call, with all that belongs to it: a real
PostgreSQL for permission, limit, audit and requests, and the engine with a confined process for each statement. Beside
it a DuckDB of the same version that is open already in the asking process, over the same files and with as many
threads; and one that is made anew for every query.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks.client import PEER_PYTHON, PROJECT
from benchmarks.query_attacks import (
    ALLOW_LIST,
    DATASETTE,
    DOOR,
    at_datasette,
    at_our_door,
    at_the_allow_list,
    honest_answered,
    read_sample,
)
from benchmarks.query_clients import CLIENTS, IN_PROCESS, OVER_HTTP, Served, in_process, serve
from benchmarks.query_figures import Attacked, QueryReport, added, judge, show
from benchmarks.query_server import callers, served
from benchmarks.query_speed import Bench
from benchmarks.query_stage import Stage, open_stage
from benchmarks.records_figures import Times
from benchmarks.report import machine
from benchmarks.samples import Samples
from data_platform.cli.output import print_json, say
from data_platform.governance.engine.confinement import confinement_report
from data_platform_tests.governance.corpus.reading import Case, cases

RESULT: Final = PROJECT / "benchmarks" / "results" / "query.json"


def run(  # noqa: PLR0913 - each is an option of the command
    *,
    rows: Annotated[int, typer.Option(min=5_000, help="Rows of the table.")] = 20_000_000,
    years: Annotated[int, typer.Option(min=1, max=25, help="Equal years, a file each.")] = 25,
    points: Annotated[int, typer.Option(min=2, help="Point queries; figures are medians.")] = 200,
    scans: Annotated[int, typer.Option(min=2, help="Rounds of each scan.")] = 7,
    seconds: Annotated[float, typer.Option(help="How long so many clients ask; 0: not at all.")] = 10.0,
    http: Annotated[bool, typer.Option(help="Whether clients ask over HTTP too.")] = True,
    attacks: Annotated[Path | None, typer.Option(help="Further attacks, a JSONL file.")] = None,
    corpus: Annotated[int, typer.Option(help="Attacks of the corpus from each family; 0: none.")] = 1_000,
    honest: Annotated[int, typer.Option(help="Honest queries of the corpus.")] = 1_000,
    output: Annotated[Path, typer.Option(help="The JSON document.")] = RESULT,
    as_json: Annotated[bool, typer.Option("--json", help="The document instead of tables.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: does it work, not how fast is it.")] = False,
) -> None:
    """Measure on an embedded server of its own, print tables, write JSON."""
    if quick:
        rows, points, scans, seconds = min(rows, 1_000_000), min(points, 40), min(scans, 3), min(seconds, 2.0)
    started = time.monotonic()
    samples, skipped = Samples(), list[str]()
    with open_stage(rows, years, say) as stage:
        bench = Bench(stage)
        say(f"{points} point queries, scans in {scans} rounds")
        bench.points(points, samples)
        bench.scans(scans, samples)
        parts = bench.parts(points)
        clients = _serve(stage, seconds, http=http)
        collections = _attack(stage, attacks, corpus, skipped)
        say("honest queries")
        report = QueryReport(
            made_at=dt.datetime.now(dt.UTC),
            machine=machine(),
            rows=rows,
            files=len(stage.files),
            threads=stage.engine.limits.threads,
            sandbox=str(confinement_report()),
            medians=samples.medians(),
            measurements=samples.document(),
            added=added(samples),
            parts={name: Times.of([value / 1000 for value in values]) for name, values in parts.items()},
            served=clients,
            attacks=collections,
            honest=honest_answered(stage.engine, honest) if honest else {},
            skipped=skipped,
            targets=judge(samples, clients, collections),
            wall_seconds=round(time.monotonic() - started, 1),
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(report.model_dump_json(indent=1) + "\n")
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        show(report)
    for line in skipped:
        say(line)
    say(f"{report.machine}. Queries run under {report.sandbox}.")
    say(f"{report.wall_seconds:.0f} s; every measurement is in {output}")


def _serve(stage: Stage, seconds: float, *, http: bool) -> list[Served]:
    found: list[Served] = []
    if seconds <= 0:
        return found
    for clients in CLIENTS:
        say(f"{clients} in one process")
        names = [f"caller-{clients}-{number}" for number in range(clients)]
        found.append(serve(stage, IN_PROCESS, in_process(stage, names), seconds))
    if http:
        say("starting the server")
        with served(stage) as url:
            for clients in CLIENTS:
                say(f"{clients} over HTTP")
                with callers(stage, url, [f"client-{clients}-{number}" for number in range(clients)]) as asking:
                    found.append(serve(stage, OVER_HTTP, asking, seconds))
    return found


def _attack(stage: Stage, sample: Path | None, each: int, skipped: list[str]) -> list[Attacked]:
    """Every collection against every door that there is."""
    chosen = {"the corpus": _first_of_each(cases("attacks"), each)}
    if sample is not None:
        chosen[sample.name] = read_sample(sample)
    with_peers = PEER_PYTHON.exists()
    if not with_peers:
        skipped.append("Datasette was left out: its environment is not there; `make bench-query` makes it.")
    found: list[Attacked] = []
    for source, statements in chosen.items():
        if not statements:
            continue
        say(f"{len(statements)} attacks of {source}")
        folder = Path(tempfile.mkdtemp(prefix="dp-attacks-", dir="/tmp"))
        try:
            ends = {
                DOOR: at_our_door(statements, stage.records, folder / "door", stage.engine),
                ALLOW_LIST: at_the_allow_list(statements, folder / "list"),
            }
            if with_peers:
                ends[DATASETTE] = at_datasette(statements, folder / "datasette")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        counted = {
            guard: {family: dict(counts) for family, counts in verdicts.items()} for guard, verdicts in ends.items()
        }
        found.append(Attacked(source=source, ends=counted))
    return found


def _first_of_each(statements: Sequence[Case], each: int) -> list[Case]:
    taken: dict[str, int] = {}
    chosen: list[Case] = []
    for case in statements:
        taken[case.family] = taken.get(case.family, 0) + 1
        if taken[case.family] <= each:
            chosen.append(case)
    return chosen


if __name__ == "__main__":
    typer.run(run)
