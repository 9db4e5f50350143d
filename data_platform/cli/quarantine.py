"""`data-platform quarantine`: what failed validation, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from data_platform.catalog import find_table
from data_platform.cli.options import Json, Reason
from data_platform.cli.output import print_json, print_table, say, stdout
from data_platform.cli.session import Reading, Session, open_session, reading_session
from data_platform.errors import UsageError
from data_platform.governance.housekeeping import clean_quarantine
from data_platform.governance.permissions import Action, is_administrator, require
from data_platform.sync.context import SyncContext
from data_platform.sync.restoring import restore_quarantined
from data_platform.warehouse.quarantine import QuarantineEntry, no_such_entry

EntryId = Annotated[str, typer.Argument(metavar="ENTRY", help="As `quarantine list` names it.")]

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
    dataset = find_table(table).dataset if table is not None else None
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_QUALITY, dataset)
        entries = [entry for entry in session.warehouse.quarantine.entries(table) if _may_know(session, entry)]
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
def show(entry_id: EntryId, *, as_json: Json = False) -> None:
    """Show one entry: findings, source, and where its files lie."""
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_QUALITY, None)
        quarantine = session.warehouse.quarantine
        entry = quarantine.get(entry_id)
        if not _may_know(session, entry):
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


@app.command()
def restore(
    entry_id: EntryId,
    *,
    accept_anomalies: Annotated[
        bool, typer.Option("--accept-anomalies", help="Publish it though statistics find it odd; give a reason.")
    ] = False,
    reason: Reason = "",
) -> None:
    """Validate an entry again and publish it when it passes. Exit 6 when it still fails."""
    if accept_anomalies and not reason:
        raise UsageError("Accepting anomalies needs a reason.", hint="Say what was looked at: --reason TEXT")
    with open_session() as session:
        entry = _entry_for(session, entry_id, Action.TRIGGER_DATA_SYNC)
        context = SyncContext(session.settings, session.warehouse, session.records)
        manifest = restore_quarantined(context, entry, accept_anomalies=accept_anomalies)
        session.record(
            "quarantine.restore",
            dataset=entry.dataset,
            subject=f"{entry.table}/{entry.entry_id}",
            new_value={
                "partition": entry.partition,
                "version": manifest.manifest_version,
                "accept_anomalies": accept_anomalies,
            },
            reason=reason,
        )
    say(f"{entry.table} {entry.partition} passed and is published as version {manifest.manifest_version}.")


@app.command()
def delete(entry_id: EntryId, *, reason: Reason = "") -> None:
    """Remove an entry and its files."""
    with open_session() as session:
        entry = _entry_for(session, entry_id, Action.TRIGGER_DATA_SYNC)
        session.record(
            "quarantine.delete",
            dataset=entry.dataset,
            subject=f"{entry.table}/{entry.entry_id}",
            old_value=entry.model_dump(mode="json"),
            reason=reason,
        )
        session.warehouse.quarantine.delete(entry)
    say(f"{entry.entry_id} is removed.")


@app.command()
def clean(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Remove entries that are older than seven days; for administrators."""
    with open_session() as session:
        old = clean_quarantine(session.records, session.warehouse, session.user, dry_run=dry_run)
    if as_json:
        print_json(old)
        return
    rows = [[entry.entry_id, entry.table, entry.partition, entry.row_count] for entry in old]
    if rows:
        print_table("Would go" if dry_run else "Removed", ["Entry", "Table", "Partition", "Rows"], rows)
    else:
        say("Nothing is older than seven days.")


def _entry_for(session: Session, entry_id: str, action: Action) -> QuarantineEntry:
    """The entry, for someone who may do this to its dataset; others are told that it does not exist."""
    require(session.user, action, None)
    entry = session.warehouse.quarantine.get(entry_id)
    if not _may_know(session, entry):
        raise no_such_entry(entry_id)
    if entry.dataset:
        require(session.user, action, entry.dataset)
    return entry


def _may_know(session: Reading, entry: QuarantineEntry) -> bool:
    """Whether the user may know of an entry; one that belongs to no dataset (a damaged tag) is for administrators."""
    return entry.dataset in session.datasets or (not entry.dataset and is_administrator(session.user))
