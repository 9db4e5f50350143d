"""`data-platform db`: the operational database's tables, and how long their rows stay."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import open_session, require_administration
from data_platform.errors import UsageError
from data_platform.governance.record_retention import RetentionRun, apply_retention, plan_retention
from data_platform.records.databases import Databases, open_databases
from data_platform.records.migrations import migrate as apply
from data_platform.records.migrations import migration_status
from data_platform.records.migrations import rollback as undo
from data_platform.records.retention import TableRetention
from data_platform.settings import load_settings

app = typer.Typer(help="The operational database: migrations and retention.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The operational database: migrations and retention."""


@app.command()
def migrate() -> None:
    """Bring the tables to the version of this code."""
    with _databases() as databases:
        applied = apply(databases)
    say(f"Applied: {', '.join(applied)}" if applied else "Nothing to do: the tables are up to date.")


@app.command()
def rollback(
    count: Annotated[int, typer.Option(min=1, help="How many migrations to undo, newest first.")] = 1,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="The data in the tables they made goes with them.")] = False,
) -> None:
    """Undo the newest migrations, together with the data of the tables they made."""
    if not yes:
        raise UsageError("A rollback deletes the data of the tables it removes.", hint="Repeat with --yes to do it.")
    with _databases() as databases:
        undone = undo(databases, count)
    say(f"Undone: {', '.join(undone)}" if undone else "Nothing to undo.")


@app.command()
def status(*, as_json: Json = False) -> None:
    """List the migrations and whether the database has them."""
    with _databases() as databases:
        states = migration_status(databases)
    if as_json:
        print_json([{"name": state.name, "applied": state.applied} for state in states])
        return
    print_table("Migrations", ["Migration", "Applied"], [[state.name, state.applied] for state in states])


@app.command()
def retention(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be archived; write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Archive rows that are older than their table keeps, then delete them. Audit chains go on from their archives."""
    with open_session() as session:
        if dry_run:
            run = RetentionRun(plan_retention(session.records, session.user), [])
        else:
            run = apply_retention(session.records, session.settings, session.user)
    if as_json:
        print_json(run.reports)
    else:
        _print_retention(run.reports, dry_run=dry_run)
    if run.errors:
        raise run.errors[0]


def _print_retention(reports: list[TableRetention], *, dry_run: bool) -> None:
    print_table(
        "Would be archived" if dry_run else "Archived",
        ["Table", "Keeps", "Rows", "From (UTC)", "To (UTC)", "Archives", "Why"],
        [
            [
                report.table,
                _days(report.keep_days),
                report.rows if report.keep_days is not None else None,
                f"{report.oldest:%Y-%m-%d %H:%M}" if report.oldest else None,
                f"{report.newest:%Y-%m-%d %H:%M}" if report.newest else None,
                len(report.files) if report.files else None,
                report.problem or report.reason,
            ]
            for report in reports
        ],
    )
    if not any(report.rows for report in reports):
        say("Nothing is old enough.")


def _days(days: float | None) -> str:
    if days is None:
        return "for good"
    return "1 day" if days == 1 else f"{days:g} days"


@contextmanager
def _databases() -> Generator[Databases]:
    settings = load_settings()
    require_administration(settings)
    with open_databases(settings) as databases:
        yield databases
