"""`data-platform lock`: who holds which table."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

import typer

from data_platform.catalog import TABLES, find_table
from data_platform.cli.options import Json, Reason, TableName
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import Reading, open_session, reading_session
from data_platform.governance.permissions import Action, is_administrator, require, require_administrator
from data_platform.warehouse.conditions import lock_condition
from data_platform.warehouse.lock import LockState
from data_platform.warehouse.lock_token import is_foreign

_ODD: Final = {
    "lock_suspect": "held for more than 4 hours: is its owner stuck?",
    "lock_silent": "no sign of life: is its owner stopped?",
}

app = typer.Typer(help="The locks that writers hold on tables.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The locks that writers hold on tables."""


@app.command("list")
def list_locks(*, as_json: Json = False) -> None:
    """List the locks that exist, and whether their owner lives."""
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, None)
        states = [state for state in session.warehouse.locks() if _may_know(session, state.table)]
    if as_json:
        print_json([_document(state) for state in states])
        return
    if not states:
        say("No table is locked.")
        return
    print_table(
        "Locks",
        ["Table", "Owner", "Process", "Host", "Held since (UTC)", "Sign of life (UTC)", "Writer", "Note"],
        [
            [
                state.table,
                "lives" if state.alive else "dead",
                str(state.token.pid) if state.token else None,
                state.token.hostname if state.token else None,
                f"{state.token.acquired_at:%Y-%m-%d %H:%M:%S}" if state.token else None,
                f"{state.heartbeat_at:%Y-%m-%d %H:%M:%S}",
                state.token.writer_id if state.token else None,
                _note(state),
            ]
            for state in states
        ],
    )


@app.command()
def release(
    table: TableName,
    writer: Annotated[str, typer.Argument(metavar="WRITER", help="As `lock list` names it.")],
    *,
    reason: Reason = "",
) -> None:
    """Take a lock away from a writer that is surely dead or stuck; for administrators. It can publish nothing then."""
    with open_session() as session:
        require_administrator(session.user)
        if table not in {state.table for state in session.warehouse.locks()}:
            find_table(table)  # says which there are, when it is none
        token = session.warehouse.lock(table).force_release(writer)
        session.record(
            "lock.release",
            dataset=TABLES[table].dataset if table in TABLES else None,
            subject=table,
            old_value=token.model_dump(mode="json"),
            reason=reason,
        )
    say(f"{table} is free. Its former writer, {token.owner()}, can no longer publish.")


def _note(state: LockState) -> str:
    if not state.alive:
        if state.token and is_foreign(state.token):
            return "another host's: release it by hand when its owner is surely dead"
        return "the next writer takes over by itself"
    odd = lock_condition(state, dt.datetime.now(dt.UTC))
    return _ODD[odd.kind] if odd else ""


def _document(state: LockState) -> dict[str, object]:
    token = state.token.model_dump(mode="json") if state.token else {}
    heartbeat = state.heartbeat_at.isoformat()
    return {"table": state.table, "alive": state.alive, "heartbeat_at": heartbeat, "note": _note(state), **token}


def _may_know(session: Reading, name: str) -> bool:
    """Tables of the user's datasets; a lock that is not a table's (a backup's) is for administrators."""
    return TABLES[name].dataset in session.datasets if name in TABLES else is_administrator(session.user)
