"""Named versions as people see them: what tags and pins share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from data_platform.catalog import TABLES
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import Reading, open_session, reading_session
from data_platform.governance.permissions import Action, is_administrator, require, require_administrator
from data_platform.warehouse import Warehouse
from data_platform.warehouse.version_sets import VersionSet, VersionSets, no_such_set

Kind: TypeAlias = Callable[[Warehouse], VersionSets]
"""Which sets are meant: a warehouse's snapshots or its pins."""


def list_sets(title: str, kind: Kind, nothing: str, *, as_json: bool) -> None:
    """Print the names whose tables the user may see, oldest first; `nothing` is said where there are none.

    What cannot be read is told to administrators alone: nobody can know what it is of.
    """
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, None)
        readable, damaged = kind(session.warehouse).readable()
        found = seen_by(session, readable)
    for error in damaged if is_administrator(session.user) else []:
        say(str(error))
    if as_json:
        print_json(found)
    elif not found and not damaged:
        say(nothing)
    else:
        print_sets(title, found)


def show_set(kind: Kind, name: str, *, as_json: bool) -> None:
    """Print what a name stands for, as far as the user may know of it."""
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, None)
        found = set_for(session, kind(session.warehouse), name)
    if as_json:
        print_json(found)
    else:
        print_versions(found)


def drop_set(kind: Kind, name: str, reason: str) -> None:
    """Remove a name, for administrators, and write that to the audit, even of one that can no longer be read."""
    with open_session() as session:
        require_administrator(session.user)
        sets = kind(session.warehouse)
        if name not in sets.names():
            raise no_such_set(sets.kind, name)
        readable = {named.name: named for named in sets.readable()[0]}
        old = readable[name].model_dump(mode="json") if name in readable else {"name": name, "readable": False}
        session.record(f"{sets.kind}.drop", subject=name, old_value=old, reason=reason)
        sets.drop(name)


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


def _dataset(table: str) -> str:
    return TABLES[table].dataset if table in TABLES else ""
