"""`data-platform versions TABLE`: a table's history."""

from __future__ import annotations

from data_platform.catalog import find_table
from data_platform.cli.options import Json, TableName
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import reading_session
from data_platform.errors import ChecksumMismatchError
from data_platform.governance.permissions import Action, require
from data_platform.warehouse import SyncManifest
from data_platform.warehouse.manifests import Manifests

_FIELDS = ("manifest_version", "sync_timestamp", "start_date", "end_date", "row_count", "checksum", "schema_version")


def versions(table: TableName, *, as_json: Json = False) -> None:
    """List the versions of a table, oldest first."""
    declared = find_table(table)
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, declared.dataset)
        manifests, damaged = _readable(session.warehouse.manifests(declared.name))
        tags, pinned = (sets.by_version(table) for sets in (session.warehouse.snapshots, session.warehouse.pins))
        names = {number: (*tags.get(number, ()), *pinned.get(number, ())) for number in tags | pinned}
    for error in damaged:
        say(str(error))
    if as_json:
        documents = [manifest.model_dump(mode="json") for manifest in manifests]
        print_json([{name: document[name] for name in _FIELDS} for document in documents])
        return
    if not manifests and not damaged:
        say(f"{table} was never synced. Start with: data-platform sync {table} --all")
        return
    print_table(
        f"Versions of {table}",
        [
            "Version",
            "Published (UTC)",
            "From",
            "To",
            "Rows",
            "Changed",
            "Validation",
            "Schema",
            "Checksum",
            "Names",
        ],
        [
            [
                manifest.manifest_version,
                f"{manifest.sync_timestamp:%Y-%m-%d %H:%M:%S}",
                manifest.start_date,
                manifest.end_date,
                manifest.row_count,
                ", ".join(manifest.changed_partitions),
                manifest.validation_status,
                manifest.schema_version,
                manifest.checksum[:12],
                ", ".join(names.get(manifest.manifest_version, ())),
            ]
            for manifest in manifests
        ],
    )


def _readable(manifests: Manifests) -> tuple[list[SyncManifest], list[ChecksumMismatchError]]:
    """The versions that can be read, and why the others cannot."""
    found: list[SyncManifest] = []
    damaged: list[ChecksumMismatchError] = []
    for number in manifests.numbers():
        try:
            found.append(manifests.load(number))
        except ChecksumMismatchError as error:
            damaged.append(error)
    return found, damaged
