"""`data-platform demo`: the main job, end to end, on synthetic data: a market, its sync, a governed query."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Final

import typer
from rich.panel import Panel
from rich.text import Text

from data_platform.catalog import find_table
from data_platform.cli.demo_progress import load_bar
from data_platform.cli.output import print_table, say, stdout
from data_platform.cli.query import print_rows, run_as_job, summary
from data_platform.cli.session import Session, open_session
from data_platform.cli.sync import run_sync
from data_platform.cli.sync_report import Results
from data_platform.errors import PlatformError
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.permissions import require_administrator
from data_platform.quality import Status
from data_platform.settings import Settings, load_settings
from data_platform.sources.demo.load import load_demo
from data_platform.sources.demo.size import DEFAULT_ROWS
from data_platform.sync import SyncFailure, SyncOutcome, SyncStatus, choose_partitions, partitions_of
from data_platform.sync.state import table_state
from data_platform.warehouse.verify import verify_table

_QUERY: Final = """
SELECT year(date) AS year, count(DISTINCT permno) AS securities, count(*) AS "rows",
       round(100 * avg(ret), 4) AS mean_daily_return_pct, count(*) - count(ret) AS missing_returns
FROM crsp_daily GROUP BY ALL ORDER BY year
"""
_TABLES: Final = (
    "crsp_daily",
    "crsp_names",
    "compustat_annual",
    "ff_factors_daily",
    "ff_factors_monthly",
)
"""One or two of each dataset: enough for the queries that one tries first, and soon done."""


def demo(
    rows: Annotated[
        int, typer.Option(metavar="N", help="Daily rows of the synthetic CRSP, about: 5,000 to 5,000,000.")
    ] = DEFAULT_ROWS,
    vintage: Annotated[int, typer.Option(help="1, or 2: the same market after its source restated a few rows.")] = 1,
) -> None:
    """Run the whole main job on synthetic data: load a market, sync it, query it through the governed door."""
    started = time.monotonic()
    timings: dict[str, float] = {}
    # The demo is the demo whatever else is configured: its rows come from this machine.
    settings = load_settings().model_copy(update={"wrds_username": None, "ken_french_url": None})
    with _timed("start PostgreSQL and open the records", timings), ExitStack() as stack:
        session = stack.enter_context(open_session(settings))
        kept = stack.pop_all()
    with kept:
        require_administrator(session.user)
        with _timed("generate the market and load the synthetic WRDS", timings), load_bar() as watch:
            loaded = load_demo(settings, session.records.databases, rows=rows, vintage=vintage, watch=watch)
        results: dict[str, Results] = {}
        for name in _TABLES:
            with _timed(f"sync {name}", timings):
                results[name] = _sync(session, name)
        with _timed("query through the governed door", timings):
            service = DataExplorerService(session.records, session.warehouse, settings)
            answer = service.execute_query(session.user, "crsp", _QUERY)
        with _timed("the same query as Dagster's query_job", timings):
            request_id = service.submit_query(session.user, "crsp", _QUERY).id
            run_as_job(session, request_id)
            same = service.get_result(session.user, request_id).table.equals(answer.table)
        with _timed("verify every published byte", timings):
            reports = [verify_table(session.warehouse.store, name) for name in _TABLES]
        problems = [problem.message for report in reports for problem in report.problems]
        stdout.print()
        say(f"A synthetic market: {loaded.marker.securities} securities, {loaded.marker.rows:,} daily rows.")
        _summarise(session, results)
    print_rows("A governed query: SELECT … FROM crsp_daily GROUP BY year", answer.table)
    say(summary(answer.dto))
    print_table("Timings", ["Step", "Seconds"], [[step, round(seconds, 2)] for step, seconds in timings.items()])
    if problems:
        raise PlatformError("Verification found problems: " + "; ".join(problems))
    if not same:
        raise PlatformError("The query job gave other rows than the query itself.")
    stdout.print(Panel(_next_steps(settings), title="What to do next", expand=False))
    stdout.print(f"The demo took {time.monotonic() - started:.1f} seconds.", style="bold green")


def _sync(session: Session, name: str) -> Results:
    table = find_table(name)
    known = partitions_of(table, session.settings, dt.datetime.now(dt.UTC).date())
    chosen = choose_partitions(table, known, [], all_of_them=True)
    results, error = run_sync(session, table, chosen, full=False, reason="demo")
    failures = [result.error for result in results if isinstance(result, SyncFailure)]
    if error or failures:
        raise error or failures[0]
    return results


def _summarise(session: Session, results: dict[str, Results]) -> None:
    rows: list[list[object]] = []
    for name, outcomes in results.items():
        state = table_state(session.warehouse, find_table(name))
        published = [o for o in outcomes if isinstance(o, SyncOutcome)]
        fresh = sum(o.status is SyncStatus.PUBLISHED for o in published)
        checks = [check for o in published for check in o.results]
        passed = sum(check.status is Status.PASSED for check in checks)
        speed = round(sum(o.file.rows for o in published) / max(sum(o.extract_seconds for o in published), 1e-9))
        rows.append(
            [
                name,
                state.row_count,
                f"{state.start_date} to {state.end_date}",
                f"{fresh} of {len(published)}",
                state.manifest_version,
                f"{passed} of {len(checks)}",
                speed if fresh else None,
            ]
        )
    print_table(
        "Synced",
        ["Table", "Rows", "Dates", "Partitions published", "Version", "Checks passed", "Rows/s extracted"],
        rows,
    )


def _next_steps(settings: Settings) -> Text:
    command = "data-platform" if shutil.which("data-platform") else ".venv/bin/data-platform"
    lines = [
        f"{command} up                    the Dagster UI on http://127.0.0.1:3000, with these runs in it",
        f"{command} status                every table at a glance",
        f"{command} versions crsp_daily   its history",
        f"{command} quality crsp_daily    how its checks went; and: coverage, alerts list",
        f'{command} query -d fama_french "FROM ff_factors_daily LIMIT 5"',
        f"{command} sync crsp_daily -p 2024 --full",
        f"{command} sync --all             the other tables too",
        "",
        f"Everything lies in {settings.home}; remove that folder and the demo is gone.",
        "For real data: set DATA_PLATFORM_WRDS_USERNAME and _PASSWORD and another DATA_PLATFORM_HOME.",
    ]
    return Text("\n".join(lines))


@contextmanager
def _timed(step: str, timings: dict[str, float]) -> Generator[None]:
    say(f"• {step} …")
    started = time.monotonic()
    yield
    timings[step] = time.monotonic() - started
