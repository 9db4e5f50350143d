"""`data-platform schedule list|set|enable|disable`: when tables are synced by themselves."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from data_platform.catalog import find_table
from data_platform.cli.options import Json, Reason, TableName
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.services import open_services
from data_platform.errors import UsageError
from data_platform.governance.sync_dto import SyncScheduleDTO, SyncScheduleUpdateDTO

app = typer.Typer(help="Schedules: when tables are synced by themselves.", no_args_is_help=True)

Version = Annotated[
    int | None,
    typer.Option("--version", help="Change it only while it is this version of the schedule; otherwise any."),
]


@app.callback()
def group() -> None:
    """Schedules: when tables are synced by themselves."""


@app.command("list")
def list_schedules(*, as_json: Json = False) -> None:
    """List the schedules of your datasets. They are carried out while `data-platform up` runs."""
    with open_services() as services:
        found = services.syncs.get_sync_schedule(services.user)
    if as_json:
        print_json(found)
        return
    print_table(
        "Schedules",
        ["Dataset", "Table", "On", "Cron", "Time zone", "Last run (UTC)", "Next run (UTC)", "Version", "Changed by"],
        [
            [
                each.dataset,
                each.table_name,
                each.enabled,
                each.cron_expression,
                each.timezone,
                _moment(each.last_scheduled_run),
                _moment(each.next_scheduled_run),
                each.version,
                each.updated_by,
            ]
            for each in found
        ],
        essential=("Table", "On", "Next run (UTC)"),
    )


@app.command("set")
def set_schedule(
    table: TableName,
    *,
    cron: Annotated[
        str | None, typer.Option(help="Minute, hour, day of the month, month, day of the week: '0 2 * * *'.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Of the IANA database, such as America/New_York.")] = None,
    version: Version = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Change when a table is synced; it stays on or off as it is."""
    if cron is None and timezone is None:
        raise UsageError("Say what to change.", hint="Give --cron, --timezone or both.")
    change = SyncScheduleUpdateDTO(
        table=table, expected_version=version or 0, cron_expression=cron, timezone=timezone, reason=reason
    )
    _report(_change(change, version), as_json=as_json)


@app.command()
def enable(table: TableName, *, version: Version = None, reason: Reason = "", as_json: Json = False) -> None:
    """Turn a table's schedule on, from its next time on."""
    change = SyncScheduleUpdateDTO(table=table, expected_version=version or 0, enabled=True, reason=reason)
    _report(_change(change, version), as_json=as_json)


@app.command()
def disable(table: TableName, *, version: Version = None, reason: Reason = "", as_json: Json = False) -> None:
    """Turn a table's schedule off; a run that has begun goes on."""
    change = SyncScheduleUpdateDTO(table=table, expected_version=version or 0, enabled=False, reason=reason)
    _report(_change(change, version), as_json=as_json)


def _change(change: SyncScheduleUpdateDTO, version: int | None) -> SyncScheduleDTO:
    """Make the change, on the version of this moment unless one was named."""
    dataset = find_table(change.table).dataset
    with open_services() as services:
        if version is None:
            current = [
                each.version
                for each in services.syncs.get_sync_schedule(services.user)
                if each.table_name == change.table
            ]
            change = change.model_copy(update={"expected_version": current[0] if current else 0})
        return services.syncs.update_sync_schedule(services.user, dataset, change)


def _report(schedule: SyncScheduleDTO, *, as_json: bool) -> None:
    if as_json:
        print_json(schedule)
        return
    upcoming = _moment(schedule.next_scheduled_run)
    what = f"on: '{schedule.cron_expression}' {schedule.timezone}, next at {upcoming} UTC" if upcoming else "off"
    say(f"The schedule of {schedule.table_name} is {what} (version {schedule.version}).")


def _moment(moment: dt.datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
