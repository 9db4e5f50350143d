"""`python -m benchmarks.quality`: all checks of one year, beside what it takes to extract it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer
from pydantic import BaseModel

from benchmarks.client import PROJECT
from benchmarks.extract_relation import YEAR, load_relation
from benchmarks.report import machine
from benchmarks.targets import Target
from data_platform.cli.output import print_table, say
from data_platform.records.embedded.bootstrap import DEMO_DB
from data_platform.records.embedded.credentials import DEMO_READER
from data_platform.records.embedded.layout import PORT
from data_platform.records.embedded.service import EmbeddedServer, open_embedded

RESULT: Final = PROJECT / "benchmarks" / "results" / "quality.json"
SHARE_OF_EXTRACTION: Final = 0.15
SHARE_OF_FRAME: Final = 1.5


class QualityReport(BaseModel):
    """Everything measured: seconds of each round, and the most memory that the judging process had."""

    made_at: dt.datetime
    machine: str
    rows: int
    extract_seconds: list[float]
    judge_seconds: list[float]
    judge_cpu_seconds: list[float]
    frame_mb: float
    judge_peak_mb: float
    checks: dict[str, str]
    targets: list[Target]
    wall_seconds: float


def run(
    *,
    rows: Annotated[int, typer.Option(min=1_000, help="Rows of the year.")] = 2_500_000,
    repeat: Annotated[int, typer.Option(min=1, help="Rounds; figures are medians.")] = 5,
    output: Annotated[Path, typer.Option(help="The JSON document.")] = RESULT,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: does it work, not how fast is it.")] = False,
) -> None:
    """Measure on an embedded server of its own, print tables, write JSON."""
    if quick:
        rows, repeat = 20_000, 1
    started = time.monotonic()
    # A short path: the server's socket has to fit into one.
    home = Path(tempfile.mkdtemp(prefix="dp-bench-", dir="/tmp"))
    try:
        with open_embedded(home) as server:
            say(f"loading {rows:,} rows")
            load_relation(server, rows)
            extracted, judged = _rounds(server, home / "year.parquet", repeat)
            frame = _part("frame", {"target": str(home / "year.parquet")})
    finally:
        shutil.rmtree(home, ignore_errors=True)
    report = _report(rows, extracted, judged, frame["bytes"] / 1e6, time.monotonic() - started)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(report.model_dump_json(indent=1) + "\n")
    _show(report)
    say(f"Written to {output}.")


def _rounds(server: EmbeddedServer, target: Path, repeat: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    account = server.credentials[DEMO_READER]
    job = {
        "host": str(server.layout.run),
        "port": PORT,
        "dbname": DEMO_DB,
        "user": account.role,
        "password": account.password,
        "year": YEAR,
        "target": str(target),
    }
    extracted: list[dict[str, Any]] = []
    judged: list[dict[str, Any]] = []
    for number in range(repeat):
        say(f"round {number + 1} of {repeat}")
        target.unlink(missing_ok=True)
        extracted.append(_part("extract", job))
        judged.append(_part("judge", {**job, "extracted": extracted[-1], "with_history": True}))
    return extracted, judged


def _part(name: str, job: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.quality_worker", name, json.dumps(job)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _report(
    rows: int, extracted: list[dict[str, Any]], judged: list[dict[str, Any]], frame_mb: float, wall_seconds: float
) -> QualityReport:
    peak_mb = max(each["peak_kb"] for each in judged) * 1024 / 1e6
    shares = [one["seconds"] / other["seconds"] for one, other in zip(judged, extracted, strict=True)]
    return QualityReport(
        made_at=dt.datetime.now(dt.UTC),
        machine=machine(),
        rows=rows,
        extract_seconds=[each["seconds"] for each in extracted],
        judge_seconds=[each["seconds"] for each in judged],
        judge_cpu_seconds=[each["cpu_seconds"] for each in judged],
        frame_mb=frame_mb,
        judge_peak_mb=peak_mb,
        checks=judged[-1]["checks"],
        targets=[
            Target(name="all checks / extraction", figure=round(median(shares), 3), limit=SHARE_OF_EXTRACTION),
            Target(name="memory of the process / frame", figure=round(peak_mb / frame_mb, 3), limit=SHARE_OF_FRAME),
        ],
        wall_seconds=wall_seconds,
    )


def _show(report: QualityReport) -> None:
    print_table(
        f"One year, {report.rows:,} rows, 36 columns: medians of {len(report.judge_seconds)}",
        ["", "Seconds", "Processor s", "Peak MB"],
        [
            ["extraction", round(median(report.extract_seconds), 2), None, None],
            [
                "all checks",
                round(median(report.judge_seconds), 2),
                round(median(report.judge_cpu_seconds), 2),
                round(report.judge_peak_mb),
            ],
            ["the rows as a frame", None, None, round(report.frame_mb)],
        ],
    )
    print_table("Verdicts", ["Check", "Status"], [[name, status] for name, status in report.checks.items()])
    print_table(
        "Targets",
        ["", "measured", "at most", "met"],
        [[target.name, f"{target.figure:.2f}", f"{target.limit:.2f}", target.met] for target in report.targets],
    )


if __name__ == "__main__":
    typer.run(run)
