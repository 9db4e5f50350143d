"""`data-platform quarantine`: what failed validation, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from data_platform.catalog import find_table
from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say, stdout
from data_platform.cli.session import reading_session
from data_platform.governance.permissions import Action, decide, require
from data_platform.warehouse.quarantine import no_such_entry

app = typer.Typer(help="Partitions that failed validation and were set aside.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Partitions that failed validation and were set aside."""


@app.command("list")
def list_entries(
    table: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="One table; all by default.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List what is in quarantine, newest first."""
    dataset = find_table(table).dataset if table else None
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_QUALITY, dataset)
        entries = [entry for entry in session.warehouse.quarantine.entries(table) if entry.dataset in session.datasets]
    if as_json:
        print_json(entries)
        return
    if not entries:
        say("Nothing is in quarantine.")
        return
    print_table(
        "Quarantine",
        ["Entry", "Table", "Partition", "Rows", "Findings"],
        [[e.entry_id, e.table, e.partition, e.row_count, "; ".join(e.findings)] for e in entries],
    )


@app.command()
def show(entry_id: Annotated[str, typer.Argument(metavar="ENTRY")], *, as_json: Json = False) -> None:
    """Show one entry: findings, source, and where its files lie."""
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_QUALITY, None)
        quarantine = session.warehouse.quarantine
        entry = quarantine.get(entry_id)
        if not decide(session.user, Action.VIEW_DATA_QUALITY, entry.dataset).allowed:
            raise no_such_entry(entry_id)
        folder = quarantine.folder(entry)
    if as_json:
        print_json({**entry.model_dump(mode="json"), "folder": str(folder)})
        return
    stdout.print(f"{entry.table} {entry.partition}, set aside {entry.created_at:%Y-%m-%d %H:%M:%S} UTC", style="bold")
    for finding in entry.findings:
        stdout.print(f"  • {finding}", markup=False)
    stdout.print(f"Source: {entry.source}; rows: {entry.row_count if entry.row_count is not None else 'none'}")
    stdout.print(f"Files: {', '.join(entry.files) or 'none'} in {folder}", markup=False)
