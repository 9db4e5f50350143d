"""`data-platform versions TABLE`: a table's history."""

from __future__ import annotations

from data_platform.catalog import find_table
from data_platform.cli.options import Json, TableName
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import reading_session
from data_platform.governance.permissions import Action, require

_FIELDS = ("manifest_version", "sync_timestamp", "start_date", "end_date", "row_count", "checksum", "schema_version")


def versions(table: TableName, *, as_json: Json = False) -> None:
    """List the versions of a table, oldest first."""
    declared = find_table(table)
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, declared.dataset)
        manifests = list(session.warehouse.manifests(declared.name))
    if as_json:
        documents = [manifest.model_dump(mode="json") for manifest in manifests]
        print_json([{name: document[name] for name in _FIELDS} for document in documents])
        return
    if not manifests:
        say(f"{table} was never synced. Start with: data-platform sync {table} --all")
        return
    print_table(
        f"Versions of {table}",
        ["Version", "Published (UTC)", "From", "To", "Rows", "Changed", "Validation", "Schema", "Checksum"],
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
            ]
            for manifest in manifests
        ],
    )
