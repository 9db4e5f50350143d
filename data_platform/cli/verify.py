"""`data-platform verify`: hash everything again."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from data_platform.catalog import TABLES, find_table
from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say, stderr
from data_platform.cli.session import reading_session
from data_platform.governance.permissions import Action, require
from data_platform.warehouse.verify import VerifyReport, published_bytes, verify_table


def verify(
    table: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="One table; all of them by default.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Check every manifest and every published file. Exit 1 when anything is wrong."""
    chosen = [find_table(table)] if table else list(TABLES.values())
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, chosen[0].dataset if table else None)
        names = [item.name for item in chosen if item.dataset in session.datasets]
        store = session.warehouse.store
        columns = (TextColumn("Hashing"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
            task = progress.add_task("", total=sum(published_bytes(store, name) for name in names))
            reports = [verify_table(store, name, lambda size: progress.advance(task, size)) for name in names]
    problems = [problem for report in reports for problem in report.problems]
    if as_json:
        print_json(reports)
    else:
        _print(reports)
    if problems:
        raise typer.Exit(1)


def _print(reports: list[VerifyReport]) -> None:
    print_table(
        "Verified",
        ["Table", "Versions", "Files", "Bytes", "Problems"],
        [[r.table, r.versions_checked, r.files_checked, r.bytes_checked, len(r.problems)] for r in reports],
    )
    for report in reports:
        for problem in report.problems:
            needed = f" (needed by versions {', '.join(map(str, problem.versions))})" if problem.versions else ""
            say(f"{problem.message}{needed}")
