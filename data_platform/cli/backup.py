"""`data-platform backup`: make, list, restore and rehearse backups; for administrators."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

import typer

from data_platform.cli.backup_progress import byte_bar, describe_set, print_drill
from data_platform.cli.options import Json, given_path
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import open_session, reading_session
from data_platform.governance.permissions import require_administrator
from data_platform.sync.backing_up import back_up, rotate_key
from data_platform.sync.drill import drill as run_drill
from data_platform.sync.restoring_home import restore_home
from data_platform.warehouse.backup import Backups, open_backups
from data_platform.warehouse.backup.backups import is_due
from data_platform.warehouse.backup.destination import VARIABLE as URL_VARIABLE
from data_platform.warehouse.backup.keys import VARIABLE, make_key
from data_platform.warehouse.backup.selecting import Finding

_HOURS = 87_600  # Ten years: no timedelta holds infinity, or 1e300 hours.
app = typer.Typer(help="Encrypted backups of everything that must not be lost.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Encrypted backups of everything that must not be lost."""


@app.command("new-key")
def new_key(*, as_json: Json = False) -> None:
    """Make a key for backups; it is shown this once and kept nowhere."""
    secret, key = make_key()
    if as_json:
        print_json({"identity": secret, "recipient": key.recipient, "key": key.name})
        return
    say(f"Key {key.name} ({key.recipient}). Keep a copy where the backups are not: without it they are lost.")
    say(f"Set it as {VARIABLE}; put it before an older one, with a comma, to rotate. It is shown this once:")
    typer.echo(secret)


@app.command()
def run(
    *,
    kind: Annotated[
        Literal["daily", "weekly"], typer.Option(help="A weekly run also checks what lies at the place already.")
    ] = "daily",
    as_json: Json = False,
) -> None:
    """Back up what is new. Exit 1 when a file of the warehouse is damaged; the rest is backed up then."""
    with open_session() as session:
        require_administrator(session.user)
        backups = open_backups(session.settings)
        with byte_bar("Sending") as progress:
            report = back_up(
                session.settings,
                session.warehouse,
                session.records,
                backups,
                kind,
                user=session.user.user_id,
                progress=progress,
            )
        _warn_of_key(backups)
    if as_json:
        print_json(report)
    else:
        print_table(
            f"Backup {report.set_id} at {backups.place}",
            ["Files", "Bytes", "New files", "New bytes", "Seconds", "Key"],
            [
                [
                    report.files,
                    report.bytes,
                    report.sent_files,
                    report.sent_bytes,
                    round(report.seconds, 1),
                    backups.keyring.newest.name,
                ]
            ],
        )
    if session.settings.backup_url is None:
        say(f"{backups.place} is lost with the home's disk: set {URL_VARIABLE} to a place elsewhere.")
    _tell(report.findings)


@app.command("list")
def list_backups(*, as_json: Json = False) -> None:
    """List the backups, oldest first."""
    with reading_session() as session:
        require_administrator(session.user)
        backups = open_backups(session.settings)
        rows = [describe_set(backups, name.set_id, name.key_name) for name in backups.names()]
        _warn_of_key(backups)
    if as_json:
        print_json(rows)
        return
    if not rows:
        say(f"There is no backup at {backups.place}. Make one with: data-platform backup run")
        return
    print_table(
        f"Backups at {backups.place}",
        ["Backup", "Kind", "Read at (UTC)", "Objects", "Bytes", "Key", "Note"],
        [
            [row["id"], row["kind"], row["created_at"], row["objects"], row["bytes"], row["key"], row["note"]]
            for row in rows
        ],
    )


@app.command()
def restore(
    backup: Annotated[str | None, typer.Argument(metavar="[BACKUP]", help="As `list` names it; the newest.")] = None,
    *,
    into: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", parser=given_path, help="The new home: a folder that is empty or does not exist."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Restore a home from a backup. Exit 1 when the backup itself was incomplete."""
    with reading_session() as session:
        require_administrator(session.user)
        backups = open_backups(session.settings)
        chosen = backups.get(backup)
        with byte_bar("Receiving") as progress:
            restored = restore_home(
                session.settings,
                backups,
                chosen,
                into.expanduser().absolute(),
                user=session.user.user_id,
                progress=progress,
            )
    if as_json:
        print_json(restored)
    else:
        say(f"{restored.files:,} files of {restored.set_id} were restored and checked. The new home is:")
        typer.echo(str(restored.home))
        if restored.load_command:
            say(f"The records are to be loaded into your own server: {restored.load_command}")
        say("Use it by setting DATA_PLATFORM_HOME.")
        if not restored.noted:
            say(f"The audit of {session.settings.home} does not know of this: there are no records, or they are away.")
    _tell(restored.findings)


@app.command()
def drill(
    *,
    max_age_hours: Annotated[float, typer.Option(min=0, max=_HOURS, help="How old the newest backup may be.")] = 24,
    max_restore_hours: Annotated[float, typer.Option(min=0, max=_HOURS, help="How long restoring may take.")] = 4,
    as_json: Json = False,
) -> None:
    """Restore the newest backup into an empty home, check everything, measure. Exit 1 when anything is missed."""
    with open_session() as session:
        require_administrator(session.user)
        backups = open_backups(session.settings)
        with byte_bar("Receiving") as progress:
            report = run_drill(
                session.settings,
                session.warehouse,
                session.records,
                backups,
                user=session.user.user_id,
                progress=progress,
                point_limit=dt.timedelta(hours=max_age_hours),
                time_limit=dt.timedelta(hours=max_restore_hours),
            )
        _warn_of_key(backups)
    if as_json:
        print_json(report)
    else:
        print_drill(report)
    if not report.passed:
        raise typer.Exit(1)


@app.command()
def rotate(*, as_json: Json = False) -> None:
    """Encrypt every backup again with the first key of DATA_PLATFORM_BACKUP_KEY. Exit 1 when something stays behind."""
    with open_session() as session:
        require_administrator(session.user)
        backups = open_backups(session.settings)
        with byte_bar("Encrypting") as progress:
            report = rotate_key(session.records, backups, user=session.user.user_id, progress=progress)
    if as_json:
        print_json(report)
    elif not report.replaced_keys:
        say(f"Everything is under the key {backups.keyring.newest.name} already.")
    else:
        say(
            f"{report.objects:,} objects and {report.sets} backups are under the key {backups.keyring.newest.name} now."
            + ("" if report.findings else f" {', '.join(report.replaced_keys)} is not needed any more.")
        )
    _tell(report.findings)


def _tell(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        say(f"{finding.key}: {finding.message}")
    if findings:
        raise typer.Exit(1)


def _warn_of_key(backups: Backups) -> None:
    age = backups.key_age(dt.datetime.now(dt.UTC))
    if is_due(age) and age is not None:
        say(f"The key {backups.keyring.newest.name} is {age.days} days old: rotate it (backup new-key, backup rotate).")
