"""`data-platform lock`: who holds which table."""

from __future__ import annotations

import datetime as dt

import typer

from data_platform.catalog import TABLES
from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import reading_session
from data_platform.governance.permissions import Action, permitted_datasets, require
from data_platform.warehouse.lock import LockState

app = typer.Typer(help="The locks that writers hold on tables.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The locks that writers hold on tables."""


@app.command("list")
def list_locks(*, as_json: Json = False) -> None:
    """List the locks that exist, and whether their owner lives."""
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, None)
        visible = permitted_datasets(session.user, {table.dataset for table in TABLES.values()})
        states = [
            state
            for state in session.warehouse.locks()
            if state.table not in TABLES or TABLES[state.table].dataset in visible
        ]
    if as_json:
        print_json([_document(state) for state in states])
        return
    if not states:
        say("No table is locked.")
        return
    print_table(
        "Locks",
        ["Table", "Owner", "Process", "Host", "Held since (UTC)", "Note"],
        [
            [
                state.table,
                "lives" if state.alive else "dead",
                str(state.token.pid) if state.token else None,
                state.token.hostname if state.token else None,
                f"{state.token.acquired_at:%Y-%m-%d %H:%M:%S}" if state.token else None,
                _note(state),
            ]
            for state in states
        ],
    )


def _note(state: LockState) -> str:
    if not state.alive:
        return "the next writer takes over by itself"
    if state.token and state.token.expires_at < dt.datetime.now(dt.UTC):
        return "held for more than 4 hours: is its owner stuck?"
    return ""


def _document(state: LockState) -> dict[str, object]:
    token = state.token.model_dump(mode="json") if state.token else {}
    return {"table": state.table, "alive": state.alive, "note": _note(state), **token}
