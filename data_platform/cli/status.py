"""`data-platform status`: every table of the catalog at a glance, or what happened day by day."""

from __future__ import annotations

from typing import Annotated

import typer

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.services import open_services, table_states

Days = Annotated[
    int | None, typer.Option("--days", metavar="N", help="What happened on each of the last N days instead.")
]


def status(*, days: Days = None, as_json: Json = False) -> None:
    """Show every table: last sync, rows, versions, validation. Tables that were never synced are listed too.

    With --days: syncs, failures, rows, bytes and seconds, queries, denials and alerts of each day that is over (UTC).
    """
    if days is not None:
        _history(days, as_json=as_json)
        return
    states, needed = table_states()
    if as_json:
        print_json(states)
        return
    print_table(
        "Tables",
        ["Dataset", "Table", "Last sync (UTC)", "Rows", "From", "To", "Partitions", "Validation", "Schema", "Version"],
        [
            [
                state.dataset,
                state.table,
                f"{state.last_sync:%Y-%m-%d %H:%M:%S}" if state.last_sync else None,
                state.row_count,
                state.start_date,
                state.end_date,
                state.partitions,
                state.validation_status,
                state.schema_version,
                state.manifest_version,
            ]
            for state in states
        ],
        essential=("Table", "Last sync (UTC)", "Validation"),
    )
    if all(state.manifest_version is None for state in states):
        say("No datasets synced yet. Start with: data-platform sync TABLE --all (or try: data-platform demo)")
    for condition in needed:
        say(f"{condition.severity.capitalize()}: {condition.message}. {condition.hint}")


def _history(days: int, *, as_json: bool) -> None:
    with open_services() as services:
        found = services.syncs.get_sync_history(services.user, days=days)
    if as_json:
        print_json(found)
        return
    happened = [day for day in found if day.syncs or day.queries or day.alerts_raised or day.alerts_acknowledged]
    print_table(
        "Days (UTC)",
        ["Day", "Dataset", "Table", "Syncs", "Failed", "Rows", "MB", "Median s", "Longest s", "Queries", "Denied",
         "Alerts", "Settled"],
        [
            [
                day.day,
                day.dataset,
                day.table_name or "all",
                day.syncs,
                day.failures,
                day.rows_published,
                round(day.bytes_published / 1e6, 1),
                None if day.seconds_median is None else round(day.seconds_median, 1),
                None if day.seconds_longest is None else round(day.seconds_longest, 1),
                sum(day.queries.values()) if day.table_name is None else None,
                day.denials if day.table_name is None else None,
                day.alerts_raised,
                day.alerts_acknowledged,
            ]
            for day in happened
        ],
    )  # fmt: skip
    if not found:
        say("No day is summed up yet: the job roll_up_metrics does it each evening, while `data-platform up` runs.")
    elif not happened:
        say("Nothing happened on these days.")
