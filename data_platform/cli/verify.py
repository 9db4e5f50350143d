"""`data-platform verify`: hash everything again, and mend what can be mended."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from data_platform.catalog import DATASETS, TABLES, find_table
from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say, stderr
from data_platform.cli.session import Reading, open_session, reading_session
from data_platform.governance.permissions import Action, require, require_administrator
from data_platform.warehouse.backup import open_backups
from data_platform.warehouse.problems import Problem, VerifyReport
from data_platform.warehouse.repair import Repair, clear_healed_marks, repair
from data_platform.warehouse.verify import published_bytes, tables_to_verify, verify_tables


def verify(
    table: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="One table; all of them by default.")] = None,
    *,
    mend: Annotated[
        bool, typer.Option("--repair", help="Mend from backups and from what still stands; for administrators.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every manifest, schema, published file, tag and pin. Exit 1 when anything is wrong and stays wrong."""
    if mend:
        _repair(table, as_json=as_json)
        return
    chosen = [find_table(table)] if table is not None else list(TABLES.values())
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, chosen[0].dataset if table is not None else None)
        names = [item.name for item in chosen if item.dataset in session.datasets]
        everything = table is None and session.datasets == frozenset(DATASETS)
        if everything:
            names = tables_to_verify(session.warehouse)
        reports = _reports(session, names, with_sets=everything)
    if as_json:
        print_json(reports)
    else:
        _print(reports)
    if any(report.problems for report in reports):
        raise typer.Exit(1)


def _reports(session: Reading, names: list[str], *, with_sets: bool) -> list[VerifyReport]:
    """Verify tables, and the tags and pins over all of them for those who may see all."""
    store = session.warehouse.store
    columns = (TextColumn("Hashing"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("", total=sum(published_bytes(store, name) for name in names))
        return verify_tables(store, names, with_names=with_sets, progress=lambda size: progress.advance(task, size))


def _repair(table: str | None, *, as_json: bool) -> None:
    with open_session() as session:
        require_administrator(session.user)
        names = [find_table(table).name] if table is not None else tables_to_verify(session.warehouse)
        reports = _reports(session, names, with_sets=table is None)
        problems = [problem for report in reports for problem in report.problems]
        if problems and session.settings.backup_key is None:
            say("No backup is asked: DATA_PLATFORM_BACKUP_KEY is not set.")
        copies = [open_backups(session.settings)] if problems and session.settings.backup_key else []
        repairs: list[Repair] = []
        for item in repair(session.warehouse, problems, copies):
            session.record("verify.repair", subject=item.problem.key, new_value={"outcome": item.outcome})
            repairs.append(item)
        for name in names:
            clear_healed_marks(session.warehouse.store, name)
    if as_json:
        print_json(repairs)
    elif not repairs:
        say("Nothing is wrong.")
    else:
        print_table(
            "Repaired",
            ["Problem", "Outcome", "How"],
            [[item.problem.message, item.outcome, item.message] for item in repairs],
        )
    if any(item.outcome != "mended" for item in repairs):
        raise typer.Exit(1)


def _print(reports: list[VerifyReport]) -> None:
    print_table(
        "Verified",
        ["Table", "Versions", "Files", "Bytes", "Problems"],
        [
            [r.table or "(tags and pins)", r.versions_checked, r.files_checked, r.bytes_checked, len(r.problems)]
            for r in reports
        ],
    )
    for report in reports:
        for problem in report.problems:
            say(f"{problem.message}{_needed_by(problem)}")


def _needed_by(problem: Problem) -> str:
    """Every version, tag and pin that depends on a bad object, in words."""
    parts = [
        f"{word} {', '.join(map(str, names))}"
        for word, names in (("versions", problem.versions), ("tags", problem.tags), ("pins", problem.pins))
        if names
    ]
    return f" (needed by {'; '.join(parts)})" if parts else ""
