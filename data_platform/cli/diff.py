"""`data-platform diff TABLE OLD NEW`: what lies between two versions, by file and by row."""

from __future__ import annotations

from typing import Annotated, Final

import polars as pl
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from data_platform.catalog import Table, find_table
from data_platform.cli.options import Json, TableName
from data_platform.cli.output import print_json, print_table, say, stderr
from data_platform.cli.rows import print_fitting
from data_platform.cli.session import Reading, open_session, reading_session
from data_platform.governance.permissions import Action, require
from data_platform.governance.result_rows import row_objects
from data_platform.warehouse import PinnedVersion
from data_platform.warehouse.as_of import parse_as_of
from data_platform.warehouse.diff.comparing import compare_versions, differing_rows
from data_platform.warehouse.diff.row_diff import combined
from data_platform.warehouse.diff.version_diff import PartitionDiff, VersionDiff

MOST_ROWS: Final = 1_000

_Version = Annotated[str, typer.Argument(metavar="VERSION", help="A version, a tag, or a date such as 2024-01-15.")]


def diff(
    table: TableName,
    old: _Version,
    new: _Version,
    *,
    rows: Annotated[
        int, typer.Option(min=0, max=MOST_ROWS, help="Show that many differing rows too; their values are licensed.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Show what changed from one version of a table to another: partitions, rows, columns, dates."""
    declared = find_table(table)
    if not rows:
        with reading_session() as session:
            require(session.user, Action.VIEW_DATA_SYNC, declared.dataset)
            with session.warehouse.sweeping.shared():  # an old version's files may expire at any moment
                found = _compare(*_pin(session, declared, old, new), declared)
        _print(found, None, as_json=as_json)
        return
    with open_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, declared.dataset)
        require(session.user, Action.QUERY_DATA, declared.dataset)
        with session.warehouse.sweeping.shared():
            older, newer = _pin(session, declared, old, new)
            found = _compare(older, newer, declared)
            # Written before the rows are seen: who cannot be written down sees nothing.
            versions = {"older": older.version, "newer": newer.version, "rows": rows}
            session.record("diff.rows", dataset=declared.dataset, subject=declared.name, new_value=versions)
            _print(found, differing_rows(older, newer, declared, rows), as_json=as_json)


def _pin(session: Reading, table: Table, old: str, new: str) -> tuple[PinnedVersion, PinnedVersion]:
    reader = session.warehouse.reader(table.name)
    return reader.pin(parse_as_of(old)), reader.pin(parse_as_of(new))


def _compare(older: PinnedVersion, newer: PinnedVersion, table: Table) -> VersionDiff:
    columns = (TextColumn("Comparing partitions"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("", total=None)
        return compare_versions(
            older, newer, table, lambda done, total: progress.update(task, completed=done, total=total)
        )


def _print(found: VersionDiff, rows: pl.DataFrame | None, *, as_json: bool) -> None:
    if as_json:
        document = found.model_dump(mode="json")
        print_json(document if rows is None else {**document, "rows": row_objects(rows.to_arrow())})
        return
    differing = [item for item in found.partitions if item.change != "unchanged"]
    same = len(found.partitions) - len(differing)
    if not differing:
        say(f"Versions {found.older} and {found.newer} of {found.table} have the same rows.")
        return
    print_table(
        f"{found.table}, version {found.older} to {found.newer}",
        ["Partition", "Change", "Rows before", "Rows after", "Added", "Removed", "Changed", "From", "To"],
        [_line(item) for item in differing],
    )
    if same:
        say(f"{same} partition{' is' if same == 1 else 's are'} the same.")
    details = [item.detail for item in differing if item.detail is not None]
    total = combined(details)
    if total.columns:
        print_table("Changed values", ["Column", "Rows"], [[name, count] for name, count in total.columns.items()])
    for names, what in ((total.columns_added, "New"), (total.columns_removed, "No longer there")):
        if names:
            say(f"{what}: {', '.join(names)}")
    if rows is not None and rows.height:
        print_fitting("Differing rows", rows.columns, [list(row) for row in rows.iter_rows()], "take --json")


def _line(item: PartitionDiff) -> list[object]:
    detail = item.detail
    counts: list[object] = [None, None, None, None, None]
    if detail is not None:
        counts = [detail.added, detail.removed, detail.changed, detail.first_date, detail.last_date]
    elif item.change == "added":
        counts[0] = item.rows_after
    elif item.change == "removed":
        counts[1] = item.rows_before
    return [item.partition, item.change, item.rows_before, item.rows_after, *counts]
