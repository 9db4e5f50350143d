"""`data-platform sync TABLE`: bring partitions up to date, as a real Dagster run, watched from the terminal."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from data_platform.catalog import Partitioning, Table, find_table
from data_platform.cli.options import Json, Reason, TableName
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.progress import SyncProgress
from data_platform.cli.session import Session, open_session
from data_platform.errors import PlatformError
from data_platform.governance.permissions import Action, require
from data_platform.sync import (
    NotDelivered,
    PartitionResult,
    SyncContext,
    SyncFailure,
    SyncOutcome,
    SyncStatus,
    choose_partitions,
    partitions_of,
)

Results = list[PartitionResult]


def sync(
    table: TableName,
    partition: Annotated[
        list[str] | None, typer.Option("--partition", "-p", help="A partition, such as 2024; may be repeated.")
    ] = None,
    *,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every partition of the table.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Extract even what the source says has not changed.")] = False,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Sync partitions of a table: extract, validate, publish a new version or quarantine.

    Exit codes: 0 done, 1 failed, 6 validation failed (quarantined), 7 locked by another writer.
    """
    declared = find_table(table)
    with open_session() as session:
        require(session.user, Action.TRIGGER_DATA_SYNC, declared.dataset)
        today = dt.datetime.now(dt.UTC).date()
        known = partitions_of(declared, session.settings, today)
        chosen = choose_partitions(declared, known, partition or [], all_of_them=all_of_them)
        results, error = run_sync(session, declared, chosen, full=full, reason=reason)
    if as_json:
        print_json([document(declared, result) for result in results])
    else:
        _print(declared, results)
    failures = [result.error for result in results if isinstance(result, SyncFailure)]
    if error or failures:
        raise error or failures[0]


def run_sync(
    session: Session, table: Table, partitions: list[str], *, full: bool, reason: str
) -> tuple[Results, PlatformError | None]:
    """Sync partitions in Dagster runs of this process; the error, if any, that ended them before the last one."""
    # Dagster takes seconds to import, and the other commands do without it.
    from data_platform.definitions import build_definitions  # noqa: PLC0415 - see above
    from data_platform.orchestration.instance import open_instance  # noqa: PLC0415 - see above
    from data_platform.orchestration.launching import run_asset, run_failure  # noqa: PLC0415 - see above
    from data_platform.orchestration.resource import Platform, WatchedPlatform  # noqa: PLC0415 - see above

    results: Results = []
    errors: list[PlatformError] = []

    def listen(result: PartitionResult | PlatformError) -> None:
        if isinstance(result, PlatformError):
            errors.append(result)
        else:
            results.append(result)
            progress.finished(result)

    platform = Platform(session.settings, session.records, session.warehouse)
    tags = {"data_platform/user": session.user.user_id}
    config = {"full": full, "reason": reason}
    keys = [] if table.partitioning is Partitioning.WHOLE else partitions
    with (
        open_instance(session.settings, session.records.databases) as instance,
        SyncProgress(table.name, partitions) as progress,
    ):
        context = SyncContext(session.settings, session.warehouse, session.records, progress=progress.rows)
        definitions = build_definitions(
            session.settings, {"platform": WatchedPlatform(platform, context, listen)}, pooled=False
        )
        said = 0
        for success, run_id in run_asset(definitions, instance, table, keys, config=config, tags=tags):
            explained = bool(errors) or any(isinstance(result, SyncFailure) for result in results[said:])
            said = len(results)
            if not success and not explained:
                errors.append(run_failure(table.name, run_id))
            if errors:
                break
    return results, errors[0] if errors else None


def document(table: Table, result: PartitionResult) -> dict[str, object]:
    """One partition's result for `--json`."""
    if isinstance(result, NotDelivered):
        return {"table": table.name, "partition": result.partition, "status": "not_delivered"}
    if isinstance(result, SyncFailure):
        return {
            "table": table.name,
            "partition": result.partition,
            "status": "quarantined",
            "error": result.error.message,
            "checks": {check.validation_type.value: check.status.value for check in result.results},
        }
    return {
        "table": table.name,
        "partition": result.partition,
        "status": result.status.value,
        "manifest_version": result.manifest.manifest_version,
        "rows": result.file.rows,
        "checksum": result.manifest.checksum,
        "seconds": round(result.seconds, 3),
        "checks": {check.validation_type.value: check.status.value for check in result.results},
        "warnings": list(result.warnings),
    }


def _print(table: Table, results: Results) -> None:
    if not results:
        return
    print_table(
        f"Synced {table.name}",
        ["Partition", "Result", "Version", "Rows", "Rows/s", "Seconds", "Checks"],
        [_row(result) for result in results],
    )
    if all(isinstance(r, SyncOutcome) and r.status is SyncStatus.UP_TO_DATE for r in results):
        say("Nothing has changed at the source; nothing was published.")
    for result in results:
        for warning in result.warnings if isinstance(result, SyncOutcome) else ():
            say(f"Warning, {result.partition}: {warning}")


def _row(result: PartitionResult) -> list[object]:
    if isinstance(result, NotDelivered):
        return [result.partition, "not delivered yet", None, None, None, None, "-"]
    if isinstance(result, SyncFailure):
        return [result.partition, "quarantined", None, None, None, None, _checks(result)]
    return [
        result.partition,
        result.status.value.replace("_", " "),
        result.manifest.manifest_version,
        result.file.rows,
        round(result.rows_per_second) or None,
        round(result.seconds, 2),
        _checks(result),
    ]


def _checks(result: SyncOutcome | SyncFailure) -> str:
    if not result.results:
        return "-"
    counts = {
        status: sum(check.status == status for check in result.results) for status in ("passed", "warning", "failed")
    }
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)
