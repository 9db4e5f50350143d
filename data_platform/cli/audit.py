"""`data-platform audit`: reading the audit, following its chains, and the key of its texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from data_platform.catalog import find_dataset
from data_platform.cli.audit_tables import print_actions, print_queries
from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say, stderr
from data_platform.cli.session import open_session
from data_platform.errors import ChecksumMismatchError, PlatformError, UsageError
from data_platform.governance.audit_key import VARIABLE
from data_platform.governance.audit_key import new_key as make_key
from data_platform.governance.audit_trail import AuditTrail
from data_platform.governance.explorer import DataExplorerService
from data_platform.records.audit_verification import ChainReport

app = typer.Typer(help="Who did what: reading the audit, and proving that it is whole.", no_args_is_help=True)

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many rows, newest first.")]


@app.callback()
def group() -> None:
    """Who did what: reading the audit, and proving that it is whole."""


@app.command()
def show(  # noqa: PLR0913 - the options of the command
    what: Annotated[Literal["actions", "queries"], typer.Argument(help="Sensitive actions, or queries.")] = "actions",
    *,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Only of this dataset.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, such as users.grant.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only what was done to this user, table or lock.")] = None,
    texts: Annotated[bool, typer.Option("--texts", help="Decrypt the texts of queries; that is audited.")] = False,
    archive: Annotated[str | None, typer.Option(help="All rows of an archive instead, one JSON object a line.")] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Show the newest rows: all of them to administrators, to others their own."""
    if (action, subject) != (None, None) and what == "queries":
        raise UsageError("Queries have no action and no subject.", hint="Leave them out, or show actions.")
    if archive is not None and (user, dataset, action, subject) != (None, None, None, None):
        raise UsageError("An archive is shown whole.", hint="Leave out the filters.")
    if texts and what == "actions":
        raise UsageError("Actions have no texts.", hint="Say: data-platform audit show queries --texts")
    with _trail() as trail:
        if archive is not None:
            rows = trail.read_archive(archive)
            if as_json:
                print_json(list(rows))
            else:
                for row in rows:
                    typer.echo(json.dumps(row, ensure_ascii=False))
        elif what == "actions":
            entries = trail.actions(user, dataset, action, subject, limit)
            _check_dataset(dataset, found=bool(entries))
            print_actions(entries, as_json=as_json)
        else:
            found = trail.queries(user, dataset, limit)
            _check_dataset(dataset, found=bool(found))
            print_queries(found, trail.texts_of(found) if texts else None, as_json=as_json)


def _check_dataset(name: str | None, *, found: bool) -> None:
    """Refuse a name that nothing was found of and nobody knows; what has left the catalog can still be looked up."""
    if name is not None and not found:
        find_dataset(name)


@app.command()
def verify(*, as_json: Json = False) -> None:
    """Follow both chains of the audit, archives and texts included. Exit 6 when one does not hold."""
    with _trail() as trail, _bar("Following") as progress:
        reports = trail.verify(progress)
    if as_json:
        print_json(reports)
    else:
        print_table(
            "Audit chains",
            ["Chain", "Rows", "Of them archived", "Texts checked", "State", "Hash of the last row"],
            [
                [
                    report.chain,
                    report.rows,
                    report.archived_rows,
                    report.texts_checked,
                    _state(report),
                    report.last_hash,
                ]
                for report in reports
            ],
        )
    for report in reports:
        for found in report.breaks:
            say(f"{report.chain}: {found.message}.")
    broken = [report.chain for report in reports if not report.holds]
    if broken:
        raise ChecksumMismatchError(
            f"The audit does not hold: {', '.join(broken)}.",
            hint="Treat it as an incident: keep the database as it is, and compare it with a backup.",
        )


@app.command()
def replay(
    query_id: Annotated[int, typer.Argument(metavar="ID", help="As `audit show queries` shows it.", min=1)],
    *,
    as_json: Json = False,
) -> None:
    """Run an audited query again on the versions that it read. Exit 0 when the result is the same, else 1.

    No row is shown. It counts as a query of the administrator who asks.
    """
    with open_session() as session:
        service = DataExplorerService(session.records, session.warehouse, session.settings)
        found = service.replay(session.user, query_id)
    if as_json:
        print_json(found)
    versions = ", ".join(f"{table} version {version}" for table, version in found.versions.items()) or "no table"
    if found.verdict == "same":
        say(f"Query {found.query_id}: the same, {found.rows_compared:,} rows from {versions}.")
        return
    word = "differs" if found.verdict == "differs" else "nobody can tell"
    raise PlatformError(f"Query {found.query_id}: {word}; {found.reason}.", hint=f"Read again: {versions}.")


@app.command("new-key")
def new_key(*, as_json: Json = False) -> None:
    """Make a key for the texts of queries; it is shown this once and kept nowhere."""
    key = make_key()
    if as_json:
        print_json({"key": key})
        return
    say(f"Set it as {VARIABLE}; put it before the one there is, with a comma, to rotate. Keep a copy elsewhere:")
    typer.echo(key)


@app.command()
def rotate(*, as_json: Json = False) -> None:
    """Encrypt every kept text and every archive under the newest key. Exit 1 when something could not be."""
    with _trail() as trail, _bar("Encrypting") as progress:
        report = trail.rotate_key(progress)
    if as_json:
        print_json(report)
    else:
        say(
            f"{report.texts:,} texts looked at: {report.renewed:,} rows and {report.archives_renewed:,} archives were "
            "encrypted anew."
        )
        if report.old_form:
            say(f"{report.old_form:,} texts of old rows stay under their key until they are archived: keep that key.")
        elif report.complete:
            say("Nothing is under an older key any more.")
    for finding in report.findings:
        say(finding)
    if report.findings:
        raise PlatformError("Not everything could be encrypted anew.", hint="Keep the older keys, and run it again.")


@app.command()
def archives(*, as_json: Json = False) -> None:
    """List what retention took out of the tables; `show --archive` prints one."""
    with _trail() as trail:
        found = trail.archived()
    if as_json:
        print_json(
            [
                {
                    "archive": archive.file_name,
                    "table": archive.table_name,
                    "rows": archive.row_count,
                    "first_at": archive.first_at.isoformat(),
                    "last_at": archive.last_at.isoformat(),
                    "first_id": archive.first_id,
                    "last_id": archive.last_id,
                }
                for archive in found
            ]
        )
        return
    if not found:
        say("Nothing was archived yet. What would be: data-platform db retention --dry-run")
        return
    print_table(
        "Archives",
        ["Archive", "Rows", "From (UTC)", "To (UTC)"],
        [[a.file_name, a.row_count, f"{a.first_at:%Y-%m-%d %H:%M}", f"{a.last_at:%Y-%m-%d %H:%M}"] for a in found],
    )


def _state(report: ChainReport) -> str:
    if report.holds:
        return "holds"
    places = len(report.breaks)
    return f"broken in {places} place{'' if places == 1 else 's'}"


@contextmanager
def _trail() -> Generator[AuditTrail]:
    with open_session() as session:
        yield AuditTrail(session.records, session.settings, session.user)


@contextmanager
def _bar(doing: str) -> Generator[Callable[[int, int], None]]:
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def moved(rows: int, total: int) -> None:
            bar.update(task, advance=rows, total=total)

        yield moved
