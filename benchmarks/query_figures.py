"""What the query benchmark measured: the JSON document, verdicts, and the tables for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from pydantic import BaseModel

from benchmarks.query_attacks import ALLOW_LIST, DATASETTE, DOOR, HARMLESS, STOPPED, THROUGH, UNKNOWN
from benchmarks.query_clients import Served
from benchmarks.query_speed import ANEW, OPEN, PARTS, POINT, SCANS, WAYS
from benchmarks.records_figures import Times
from benchmarks.samples import Samples
from benchmarks.targets import Target
from data_platform.cli.output import print_table

ADDED_MS: Final = 80.0
SCAN_RATIO: Final = 1.05
_ENDS: Final = (STOPPED, THROUGH, HARMLESS, UNKNOWN)
_LABELS: Final = {DOOR: "this project", OPEN: "DuckDB, open", ANEW: "DuckDB, made anew"}
_GUARDS: Final = {DOOR: "this project", ALLOW_LIST: "sqlglot allow-list", DATASETTE: "Datasette"}


class Attacked(BaseModel):
    """One collection of attacks: by door and family, how many came to which end."""

    source: str
    ends: dict[str, dict[str, dict[str, int]]]

    def total(self, guard: str, end: str) -> int:
        """Over all families."""
        return sum(counts.get(end, 0) for counts in self.ends.get(guard, {}).values())


class QueryReport(BaseModel):
    """Everything measured: seconds of queries by way, milliseconds of the parts of a point query."""

    made_at: dt.datetime
    machine: str
    rows: int
    files: int
    threads: int
    sandbox: str
    medians: dict[str, dict[str, float]]
    measurements: dict[str, dict[str, list[float]]]
    added: dict[str, Times]
    parts: dict[str, Times]
    served: list[Served]
    attacks: list[Attacked]
    honest: dict[str, tuple[int, int]]
    skipped: list[str]
    targets: list[Target]
    wall_seconds: float


def added(samples: Samples) -> dict[str, Times]:
    """What the door adds to each kind of query, round by round, over a DuckDB that is open already."""
    return {
        name: Times.of([mine - theirs for mine, theirs in zip(ways[DOOR], ways[OPEN], strict=True)])
        for name, ways in samples.document().items()
        if DOOR in ways and OPEN in ways
    }


def judge(samples: Samples, served: Sequence[Served], attacks: Sequence[Attacked]) -> list[Target]:
    """Every promise that was measured."""
    targets: list[Target] = []
    extra = added(samples)
    if POINT in extra:
        targets.append(Target(name="ms added to a point query, median", figure=extra[POINT].median_ms, limit=ADDED_MS))
    for name in SCANS:
        ratio = samples.ratio(name, DOOR, OPEN)
        if ratio is not None:
            targets.append(Target(name=f"{name} / DuckDB", figure=round(ratio, 3), limit=SCAN_RATIO))
    for each in served:
        name = f"queries that failed, {each.clients} at once, {each.way}"
        targets.append(Target(name=name, figure=each.failed, limit=0))
    for collection in attacks:
        name = f"attacks let through, {collection.source}"
        targets.append(Target(name=name, figure=collection.total(DOOR, THROUGH), limit=0))
    return targets


def show(report: QueryReport) -> None:
    """Print the tables."""
    print_table(
        f"Milliseconds, median and range: {report.rows:,} rows, {report.files} files, {report.threads} threads",
        ["", *(_LABELS[way] for way in WAYS), "added, median", "p95", "ratio"],
        [[name, *_query_cells(report, name, ways)] for name, ways in report.measurements.items()],
    )
    if report.parts:
        print_table(
            "Where the milliseconds of a point query go",
            ["", "median", "p95"],
            [[name, *_two(report.parts[name])] for name in PARTS if name in report.parts],
        )
    if report.served:
        print_table(
            "Clients at once, point queries",
            ["", "clients", "queries per second", "median ms", "p95 ms", "failed"],
            [
                [each.way, each.clients, round(each.per_second, 1), *_two(each.times), each.failed]
                for each in report.served
            ],
        )
    for collection in report.attacks:
        _show_attacks(collection)
    if report.honest:
        print_table(
            "Honest queries that are let pass",
            ["", "let pass", "of"],
            [[_GUARDS[guard], passed, total] for guard, (passed, total) in report.honest.items()],
        )
    print_table(
        "Targets",
        ["", "measured", "at most", "met"],
        [[target.name, f"{target.figure:.2f}", f"{target.limit:.2f}", target.met] for target in report.targets],
    )


def _show_attacks(collection: Attacked) -> None:
    guards = [guard for guard in _GUARDS if guard in collection.ends]
    families = list(collection.ends[DOOR])
    rows: list[list[object]] = [
        [
            family,
            sum(collection.ends[DOOR][family].values()),
            *(_ends(collection.ends[guard].get(family, {})) for guard in guards),
        ]
        for family in families
    ]
    totals = [{end: collection.total(guard, end) for end in _ENDS} for guard in guards]
    rows.append(["all", sum(totals[0].values()), *map(_ends, totals)])
    print_table(
        f"Attacks, {collection.source}: {' / '.join(_ENDS)}",
        ["family", "attacks", *(_GUARDS[guard] for guard in guards)],
        rows,
    )


def _query_cells(report: QueryReport, name: str, ways: Mapping[str, Sequence[float]]) -> list[object]:
    ratios = [mine / theirs for mine, theirs in zip(ways[DOOR], ways[OPEN], strict=True)]
    return [*(_spread(ways[way]) for way in WAYS), *_two(report.added[name]), f"{median(ratios):.2f} x"]


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1000:.1f} ({min(seconds) * 1000:.1f} to {max(seconds) * 1000:.1f})"


def _two(times: Times) -> list[str]:
    return [f"{times.median_ms:.1f}", f"{times.p95_ms:.1f}"]


def _ends(counts: Mapping[str, int]) -> str:
    return " / ".join(str(counts.get(end, 0)) for end in _ENDS)
