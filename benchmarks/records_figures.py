"""What the records benchmark measured: the JSON document, and the tables for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Self

from pydantic import BaseModel

from data_platform.cli.output import print_table


class Times(BaseModel):
    """How long the same thing took, in milliseconds, each time it was done."""

    median_ms: float
    p95_ms: float
    measured_ms: list[float]

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """Summarise measurements."""
        measured = [round(value * 1000, 4) for value in seconds]
        high = quantiles(measured, n=20, method="inclusive")[-1] if len(measured) > 1 else measured[0]
        return cls(median_ms=round(median(measured), 4), p95_ms=round(high, 4), measured_ms=measured)


class StatementTimes(BaseModel):
    """One documented read or write, on small tables and on large ones."""

    name: str
    small: Times
    large: Times

    @property
    def growth(self) -> float:
        """How many times as long it takes on the large ones."""
        return self.large.median_ms / self.small.median_ms


class Attempts(BaseModel):
    """Attempts with their outcomes, by so many threads at once."""

    threads: int
    attempts: int
    seconds: float

    @property
    def per_second(self) -> float:
        """How many were recorded in a second, two transactions each."""
        return self.attempts / self.seconds


class ChainTimes(BaseModel):
    """A real chain: how many rows, and the seconds each thing took with all of them.

    `verified` with the texts decrypted, `verified_hashes` without, `verified_archives` from the archives.
    """

    rows: int
    appended: float
    verified: float
    verified_hashes: float
    archived: float
    verified_archives: float


class RecordsReport(BaseModel):
    """Everything measured."""

    made_at: dt.datetime
    machine: str
    server: str
    small_rows: int
    rows: int
    repeat: int
    filled_seconds: float
    wall_seconds: float
    statements: list[StatementTimes]
    attempts: list[Attempts]
    transactions: dict[str, Times]
    chain: ChainTimes


def show(report: RecordsReport) -> None:
    """Print the tables."""
    small, large = f"{report.small_rows:,}", f"{report.rows:,}"
    print_table(
        f"Milliseconds of each read and write, with {small} and with {large} rows in every table",
        ["", f"median, {small}", f"p95, {small}", f"median, {large}", f"p95, {large}", "growth"],
        [
            [
                each.name,
                *(f"{value:.2f}" for times in (each.small, each.large) for value in (times.median_ms, times.p95_ms)),
                f"{each.growth:.1f} x",
            ]
            for each in report.statements
        ],
    )
    print_table(
        "Attempts and outcomes",
        ["threads at once", "attempts", "per second"],
        [[each.threads, each.attempts, round(each.per_second)] for each in report.attempts],
    )
    print_table(
        "Milliseconds of a transaction",
        ["", "median", "p95"],
        [[name, f"{times.median_ms:.3f}", f"{times.p95_ms:.3f}"] for name, times in report.transactions.items()],
    )
    chain = report.chain
    print_table(
        f"Rows per second of an audit chain of {chain.rows:,} rows",
        ["", "rows per second"],
        [
            [name, round(chain.rows / seconds)]
            for name, seconds in {
                "appended, 1,000 in a transaction": chain.appended,
                "verified": chain.verified,
                "verified, hashes only": chain.verified_hashes,
                "archived": chain.archived,
                "verified in the archives": chain.verified_archives,
            }.items()
        ],
    )


def write(report: RecordsReport, path: Path) -> None:
    """Write the JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.model_dump_json(indent=1) + "\n")
