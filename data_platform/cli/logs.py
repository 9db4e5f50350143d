"""`data-platform logs`: what happened while syncing."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.services import open_services
from data_platform.governance.sync_service import LEVELS, MOST_LINES


def logs(
    *,
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Only of this dataset.")] = None,
    level: Annotated[str | None, typer.Option(help=f"Only {', '.join(LEVELS[:-1])} or {LEVELS[-1]}.")] = None,
    limit: Annotated[int, typer.Option(help=f"How many lines, at most {MOST_LINES:,}.")] = 100,
    as_json: Json = False,
) -> None:
    """Show the log of syncs of your datasets, newest first."""
    with open_services() as services:
        found = services.syncs.get_sync_logs(services.user, dataset, level, limit)
    if as_json:
        print_json(found)
    elif found:
        print_table(
            "Log of syncs",
            ["When (UTC)", "Level", "Dataset", "Table", "Message"],
            [
                [
                    f"{line.created_at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}",
                    line.level,
                    line.dataset,
                    line.table_name,
                    line.message,
                ]
                for line in found
            ],
            essential=("Table", "Message"),
        )
    else:
        say("The log has no such lines. They are written by each sync and kept for 30 days.")
