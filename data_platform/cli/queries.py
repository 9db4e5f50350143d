"""`data-platform queries`: what ran, what runs, and stopping it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.services import open_services
from data_platform.errors import UsageError
from data_platform.governance.dto import QueryRequestDTO
from data_platform.records.texts import reason as checked_reason

app = typer.Typer(help="Queries and exports: what ran, what runs, and stopping it.", no_args_is_help=True)

RequestId = Annotated[str, typer.Argument(metavar="ID", help="As `queries list` shows it.")]

_SHOWN = 24


@app.callback()
def group() -> None:
    """Queries and exports: what ran, what runs, and stopping it."""


@app.command("list")
def list_(
    *,
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Only of this dataset.")] = None,
    running: Annotated[bool, typer.Option("--running", help="Everybody's that run or wait; administrators.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List your queries and exports of the last 24 hours, newest first."""
    if running and dataset is not None:
        raise UsageError("What runs is listed whole.", hint="Leave out --dataset.")
    with open_services() as services:
        user, service = services.user, services.explorer
        found = service.list_running(user) if running else service.history(user, limit, dataset)
    if as_json:
        print_json(found)
    elif not found:
        say("Nothing runs or waits." if running else "No queries in the last 24 hours.")
    else:
        title = "Running and waiting" if running else "Queries of the last 24 hours, newest first"
        print_requests(title, found, everybodys=running)


@app.command()
def cancel(request_id: RequestId, *, as_json: Json = False) -> None:
    """Stop a query or export of yours, whichever process runs it."""
    with open_services() as services:
        _told(services.explorer.cancel(services.user, _id(request_id)), as_json=as_json)


@app.command()
def kill(
    request_id: RequestId,
    *,
    reason: Annotated[str, typer.Option(help="Why; its user is told, and the audit keeps it.")],
    as_json: Json = False,
) -> None:
    """Stop anybody's query or export. For administrators; audited."""
    checked_reason(reason)
    with open_services() as services:
        _told(services.explorer.kill(services.user, _id(request_id), reason), as_json=as_json)


def print_requests(title: str, requests: Sequence[QueryRequestDTO], *, everybodys: bool = False) -> None:
    """Print requests as a table; everybody's with their names, one's own with their texts. Ids stay in one piece."""
    print_table(
        title,
        ["Id", "Asked (UTC)", "Dataset", "What", "State", "Rows", "Seconds", "Who" if everybodys else "Query"],
        [
            [
                str(each.id),
                f"{each.created_at:%m-%d %H:%M}",
                each.dataset,
                each.format or each.kind,
                each.error_kind or each.state,
                each.row_count,
                _seconds(each),
                each.user_id if everybodys else _short(each.query),
            ]
            for each in requests
        ],
        essential=("State",),
    )


def _told(request: QueryRequestDTO, *, as_json: bool) -> None:
    if as_json:
        print_json(request)
    elif request.state == "running" and request.cancel_requested:
        say(f"{request.id} is told to stop; the process that runs it does so within about a second.")
    else:
        say(f"{request.id} is {request.state}.")


def _seconds(request: QueryRequestDTO) -> float | None:
    if request.started_at is None or request.finished_at is None:
        return None
    return round((request.finished_at - request.started_at).total_seconds(), 2)


def _short(query: str | None) -> str | None:
    if query is None:
        return None
    words = " ".join(query.split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UsageError("That is no id of a query.", hint="`data-platform queries list` shows them.") from None
