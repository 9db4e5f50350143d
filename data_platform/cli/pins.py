"""`data-platform pin`: the versions that a backtest used, kept for as long as it may be asked for them."""

from __future__ import annotations

from typing import Annotated

import typer

from data_platform.catalog import find_table
from data_platform.cli.named_versions import drop_set, list_sets, print_versions, show_set
from data_platform.cli.options import Json, Reason
from data_platform.cli.output import print_json, say
from data_platform.cli.session import open_session
from data_platform.errors import UsageError
from data_platform.governance.permissions import Action, require
from data_platform.warehouse.as_of import parse_as_of

app = typer.Typer(help="The versions that backtests used, kept from being dropped.", no_args_is_help=True)
BacktestId = Annotated[str, typer.Argument(metavar="ID", help="The backtest's name.")]


@app.callback()
def group() -> None:
    """The versions that backtests used, kept from being dropped."""


@app.command()
def create(
    backtest_id: BacktestId,
    tables: Annotated[
        list[str], typer.Argument(metavar="TABLE[=VERSION|TAG|DATE]...", help="The latest version unless said.")
    ],
    *,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: Json = False,
) -> None:
    """Pin versions for a backtest. Pinned versions are never dropped."""
    with open_session() as session:
        versions: dict[str, int] = {}
        for text in tables:
            name, equals, when = text.partition("=")
            declared = find_table(name)
            if name in versions:
                raise UsageError(f"{name} is given twice.", hint="A pin keeps one version of a table: name it once.")
            require(session.user, Action.QUERY_DATA, declared.dataset)
            versions[name] = session.warehouse.reader(name).pin(parse_as_of(when) if equals else None).version
        named = session.warehouse.pins.create(
            backtest_id, versions, created_by=session.user.user_id, description=description
        )
        session.record("pin.create", subject=backtest_id, new_value=named.model_dump(mode="json"))
    if as_json:
        print_json(named)
    else:
        print_versions(named)


@app.command("list")
def list_pins(*, as_json: Json = False) -> None:
    """List the pins, oldest first."""
    list_sets("Pins", lambda warehouse: warehouse.pins, "Nothing is pinned.", as_json=as_json)


@app.command()
def show(backtest_id: BacktestId, *, as_json: Json = False) -> None:
    """Show which versions a pin keeps."""
    show_set(lambda warehouse: warehouse.pins, backtest_id, as_json=as_json)


@app.command()
def drop(backtest_id: BacktestId, *, reason: Reason = "") -> None:
    """Remove a pin, for administrators. The versions that it kept follow the rolling retention again."""
    drop_set(lambda warehouse: warehouse.pins, backtest_id, reason)
    say(f"{backtest_id} is no longer pinned.")
