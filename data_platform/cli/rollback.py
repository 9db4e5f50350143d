"""`data-platform rollback TABLE`: an earlier state becomes the next version."""

from __future__ import annotations

from typing import Annotated

import typer

from data_platform.catalog import Table, find_table
from data_platform.cli.options import Json, Reason, TableName
from data_platform.cli.output import print_json, say
from data_platform.cli.session import Session, open_session
from data_platform.errors import PlatformError
from data_platform.governance.permissions import Action, require
from data_platform.sync.context import SyncContext
from data_platform.sync.remembering import refresh_coverage
from data_platform.warehouse import SyncManifest
from data_platform.warehouse.rollback import roll_back


def rollback(
    table: TableName,
    *,
    to: Annotated[int | None, typer.Option(min=1, help="The version whose state to publish; the previous one.")] = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Publish an earlier state as a new version; no version is ever removed or changed by it."""
    declared = find_table(table)
    with open_session() as session:
        require(session.user, Action.TRIGGER_DATA_SYNC, declared.dataset)
        with session.warehouse.lock(table).acquire() as lock:
            manifest = roll_back(session.warehouse.store, lock, table, to)
        session.record(
            "table.rollback",
            dataset=declared.dataset,
            subject=table,
            old_value={"version": manifest.manifest_version - 1},
            new_value={"version": manifest.manifest_version, "checksum": manifest.checksum, "asked_for": to},
            reason=reason,
        )
        _look_again(session, declared, manifest)
    if as_json:
        print_json(manifest)
        return
    changed = ", ".join(manifest.changed_partitions)
    say(f"{table} version {manifest.manifest_version} has the earlier state; partitions that changed: {changed}.")
    say("A sync fetches what the source has now: keep it from running, if that is what is wrong.")


def _look_again(session: Session, table: Table, manifest: SyncManifest) -> None:
    """Keep what the partitions that changed look like now, by which the next sync is judged; the version stands."""
    context = SyncContext(session.settings, session.warehouse, session.records)
    try:
        refresh_coverage(context, table, manifest.changed_partitions)
    except PlatformError as error:
        say(f"What it covers is not kept: {error.message} Catch up with: data-platform coverage {table.name} --refresh")
