"""`data-platform db`: the operational database's tables."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import require_administration
from data_platform.errors import UsageError
from data_platform.records.databases import Databases, open_databases
from data_platform.records.migrations import migrate as apply
from data_platform.records.migrations import migration_status
from data_platform.records.migrations import rollback as undo
from data_platform.settings import load_settings

app = typer.Typer(help="The operational database: migrations.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The operational database: migrations."""


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


@contextmanager
def _databases() -> Generator[Databases]:
    settings = load_settings()
    require_administration(settings)
    with open_databases(settings) as databases:
        yield databases
