"""`data-platform snapshot`: tags, each for one version of several tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from data_platform.catalog import TABLES, find_table
from data_platform.cli.named_versions import drop_set, list_sets, set_for, show_set
from data_platform.cli.options import Json, Reason
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import Reading, open_session, reading_session
from data_platform.errors import UsageError
from data_platform.governance.permissions import Action, require
from data_platform.warehouse.manifest import FileEntry
from data_platform.warehouse.rollback import changed_partitions

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
    nothing = "There is no snapshot yet. Make one: data-platform snapshot create TAG"
    list_sets("Snapshots", lambda warehouse: warehouse.snapshots, nothing, as_json=as_json)


@app.command()
def show(tag: Tag, *, as_json: Json = False) -> None:
    """Show which versions a tag names."""
    show_set(lambda warehouse: warehouse.snapshots, tag, as_json=as_json)


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
    drop_set(lambda warehouse: warehouse.snapshots, tag, reason)
    say(f"{tag} is dropped.")


def _files(session: Reading, table: str, versions: Mapping[str, int]) -> tuple[FileEntry, ...]:
    if table not in versions:
        return ()
    manifest = session.warehouse.manifests(table).load(versions[table])
    return manifest.files
