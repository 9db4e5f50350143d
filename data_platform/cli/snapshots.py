"""`data-platform snapshot`: tags, each for one version of several tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from data_platform.catalog import TABLES, find_table
from data_platform.cli.options import Json, Reason
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import Reading, Session, open_session, reading_session
from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.governance.permissions import Action, is_administrator, require, require_administrator
from data_platform.warehouse.manifest import FileEntry
from data_platform.warehouse.rollback import changed_partitions
from data_platform.warehouse.version_sets import VersionSet, VersionSets, no_such_set

app = typer.Typer(help="Tags that keep a version of every table, for good.", no_args_is_help=True)
Tag = Annotated[str, typer.Argument(metavar="TAG")]


@app.callback()
def group() -> None:
    """Tags that keep a version of every table, for good."""


@app.command()
def create(
    tag: Tag,
    *,
    table: Annotated[list[str] | None, typer.Option(help="Only this table; may be given again.")] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: Json = False,
) -> None:
    """Tag the latest version of every table that you may see. Tagged versions are never dropped."""
    chosen = [find_table(name) for name in table] if table else list(TABLES.values())
    with open_session() as session:
        versions: dict[str, int] = {}
        for declared in chosen:
            if table or declared.dataset in session.datasets:
                require(session.user, Action.TRIGGER_DATA_SYNC, declared.dataset)
                number = session.warehouse.manifests(declared.name).latest_number()
                if number:
                    versions[declared.name] = number
                elif table:
                    raise UsageError(
                        f"{declared.name} was never synced.", hint=f"Run: data-platform sync {declared.name} --all"
                    )
        named = session.warehouse.snapshots.create(
            tag, versions, created_by=session.user.user_id, description=description
        )
        session.record("snapshot.create", subject=tag, new_value=named.model_dump(mode="json"))
    if as_json:
        print_json(named)
        return
    say(f"{tag} names {', '.join(f'{name} version {number}' for name, number in named.versions.items())}.")


@app.command("list")
def list_tags(*, as_json: Json = False) -> None:
    """List the tags, oldest first."""
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, None)
        found, damaged = session.warehouse.snapshots.readable()
        tags = seen_by(session, found)
    say_damaged(session, damaged)
    if as_json:
        print_json(tags)
    elif not tags and not damaged:
        say("There is no snapshot yet. Make one: data-platform snapshot create TAG")
    else:
        print_sets("Snapshots", tags)


@app.command()
def show(tag: Tag, *, as_json: Json = False) -> None:
    """Show which versions a tag names."""
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, None)
        found = set_for(session, session.warehouse.snapshots, tag)
    if as_json:
        print_json(found)
    else:
        print_versions(found)


@app.command()
def diff(older: Tag, newer: Tag, *, as_json: Json = False) -> None:
    """Show which partitions differ between two tags; `data-platform diff` compares their rows."""
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, None)
        before, after = (set_for(session, session.warehouse.snapshots, tag).versions for tag in (older, newer))
        tables = sorted({*before, *after})
        changed = {
            name: changed_partitions(_files(session, name, before), _files(session, name, after)) for name in tables
        }
    if as_json:
        print_json(
            [
                {"table": name, "older": before.get(name), "newer": after.get(name), "partitions": changed[name]}
                for name in tables
            ]
        )
        return
    print_table(
        f"{older} to {newer}",
        ["Table", "Older", "Newer", "Partitions that differ"],
        [[name, before.get(name), after.get(name), ", ".join(changed[name]) or "none"] for name in tables],
    )


@app.command()
def drop(tag: Tag, *, reason: Reason = "") -> None:
    """Remove a tag, for administrators. The versions that it kept follow the rolling retention again."""
    with open_session() as session:
        require_administrator(session.user)
        drop_set(session, session.warehouse.snapshots, tag, reason)
    say(f"{tag} is dropped.")


def print_sets(title: str, sets: list[VersionSet]) -> None:
    """Print named versions, a line for each name."""
    print_table(
        title,
        ["Name", "Made (UTC)", "By", "Versions", "Description"],
        [
            [
                named.name,
                f"{named.created_at:%Y-%m-%d %H:%M:%S}",
                named.created_by,
                ", ".join(f"{table} {number}" for table, number in named.versions.items()),
                named.description,
            ]
            for named in sets
        ],
    )


def print_versions(named: VersionSet) -> None:
    """Print one name's versions, a line for each table."""
    print_table(
        f"{named.name}, made {named.created_at:%Y-%m-%d %H:%M:%S} UTC by {named.created_by}",
        ["Table", "Version", "Checksum"],
        [[table, number, named.checksums[table][:12]] for table, number in named.versions.items()],
    )
    if named.description:
        say(named.description)


def set_for(session: Reading, sets: VersionSets, name: str) -> VersionSet:
    """A set as far as the user may know of it.

    Raises:
        UsageError: when there is none, or the user may know nothing of it: the two are not told apart.
        ChecksumMismatchError: when its file is damaged.
    """
    found = seen_by(session, [sets.get(name)])
    if not found:
        raise no_such_set(sets.kind, name)
    return found[0]


def seen_by(session: Reading, sets: list[VersionSet]) -> list[VersionSet]:
    """The sets, each with the tables that the user may know of; those without any are left out."""
    seen: list[VersionSet] = []
    for named in sets:
        versions = {table: number for table, number in named.versions.items() if _dataset(table) in session.datasets}
        checksums = {table: named.checksums[table] for table in versions}
        if versions:
            seen.append(named.model_copy(update={"versions": versions, "checksums": checksums}))
    return seen


def say_damaged(session: Reading, damaged: list[ChecksumMismatchError]) -> None:
    """Tell administrators which names cannot be read; nobody can know what they are of."""
    for error in damaged if is_administrator(session.user) else []:
        say(str(error))


def drop_set(session: Session, sets: VersionSets, name: str, reason: str) -> None:
    """Remove a name and write that to the audit, even of one that can no longer be read."""
    if name not in sets.names():
        raise no_such_set(sets.kind, name)
    readable = {named.name: named for named in sets.readable()[0]}
    old = readable[name].model_dump(mode="json") if name in readable else {"name": name, "readable": False}
    session.record(f"{sets.kind}.drop", subject=name, old_value=old, reason=reason)
    sets.drop(name)


def _dataset(table: str) -> str:
    return TABLES[table].dataset if table in TABLES else ""


def _files(session: Reading, table: str, versions: Mapping[str, int]) -> tuple[FileEntry, ...]:
    if table not in versions:
        return ()
    manifest = session.warehouse.manifests(table).load(versions[table])
    return manifest.files
