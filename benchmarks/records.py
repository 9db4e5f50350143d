"""`python -m benchmarks.records`: what the operational records cost, and whether they stay as fast as they grow."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Final

import psycopg
import typer

from benchmarks.client import PROJECT
from benchmarks.records_figures import RecordsReport, StatementTimes, Times, show, write
from benchmarks.records_fill import empty, fill
from benchmarks.records_measures import measure_attempts, measure_chain, measure_statement, measure_transactions
from benchmarks.records_reads import Filled
from benchmarks.records_writes import statements
from benchmarks.report import machine
from data_platform.cli.output import say
from data_platform.governance.audit_key import QueryCipher, new_key
from data_platform.records.addresses import socket_url
from data_platform.records.connection import Records, open_records
from data_platform.records.embedded.bootstrap import PLATFORM_DB
from data_platform.records.embedded.credentials import SUPERUSER, read_credentials
from data_platform.records.embedded.layout import PORT, layout_of
from data_platform.settings import Settings

RESULT: Final = PROJECT / "benchmarks" / "results" / "records.json"
SMALL: Final = 1_000
THREADS: Final = (1, 8, 32)

_TRANSACTIONS: Final = 20
"""So many empty transactions for each run of a statement: they take next to nothing."""


def run(
    *,
    rows: Annotated[int, typer.Option(min=SMALL, help="Rows of every table.")] = 100_000,
    repeat: Annotated[int, typer.Option(min=1, help="Runs of each statement.")] = 50,
    budget: Annotated[float, typer.Option(help="Seconds after which a statement is not run again.")] = 2.0,
    seconds: Annotated[float, typer.Option(help="How long attempts are recorded, for each number of threads.")] = 5.0,
    chain_rows: Annotated[int, typer.Option(min=1, help="Rows of the real audit chain.")] = 20_000,
    output: Annotated[Path, typer.Option(help="The JSON document.")] = RESULT,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: does it work, not how fast is it.")] = False,
) -> None:
    """Measure on an embedded server of its own, print tables, write JSON."""
    if quick:
        rows, repeat, budget, seconds, chain_rows = 2_000, 5, 0.2, 0.5, 500
    started = time.monotonic()
    # A short path: the server's socket has to fit into one.
    home = Path(tempfile.mkdtemp(prefix="dp-bench-", dir="/tmp"))
    cipher = QueryCipher([new_key()])
    try:
        # Whatever server and key the environment names are somebody's: this one's tables are emptied.
        settings = Settings(home=home, postgres_url=None, query_audit_encryption_key=None)
        with open_records(settings) as records:
            superuser = _superuser(home)
            small, _ = _statements(records, superuser, Filled(SMALL, cipher, home), repeat, budget)
            large, filled = _statements(records, superuser, Filled(rows, cipher, home), repeat, budget)
            say("recording attempts")
            attempts = [
                measure_attempts(records.databases, cipher, threads=threads, seconds=seconds) for threads in THREADS
            ]
            transactions = measure_transactions(records.databases, records, repeat=repeat * _TRANSACTIONS)
            say(f"chaining {chain_rows:,} rows")
            empty(superuser)
            chain = measure_chain(records, cipher, home, rows=chain_rows)
            server = _server(superuser)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    report = RecordsReport(
        made_at=dt.datetime.now(dt.UTC),
        machine=machine(),
        server=server,
        small_rows=SMALL,
        rows=rows,
        repeat=repeat,
        filled_seconds=round(filled, 1),
        wall_seconds=round(time.monotonic() - started, 1),
        statements=[StatementTimes(name=name, small=small[name], large=large[name]) for name in large],
        attempts=attempts,
        transactions=transactions,
        chain=chain,
    )
    write(report, output)
    show(report)
    say(f"{report.wall_seconds:.0f} s; every measurement is in {output}")


def _statements(
    records: Records, superuser: str, filled: Filled, repeat: int, budget: float
) -> tuple[dict[str, Times], float]:
    """Fill the tables and measure each statement; return the times, and how long the filling took."""
    say(f"filling every table with {filled.rows:,} rows")
    began = time.monotonic()
    fill(superuser, filled.rows, filled.cipher)
    took = time.monotonic() - began
    documented = statements(filled)
    say(f"running {len(documented)} statements")
    return {
        statement.title: measure_statement(records, statement, repeat=repeat, budget=budget) for statement in documented
    }, took


def _superuser(home: Path) -> str:
    layout = layout_of(home)
    return socket_url(layout.run, PORT, PLATFORM_DB, read_credentials(layout)[SUPERUSER])


def _server(superuser: str) -> str:
    with psycopg.connect(superuser) as connection:
        number = connection.info.server_version
    return f"PostgreSQL {number // 10_000}.{number % 10_000}"


if __name__ == "__main__":
    typer.run(run)
