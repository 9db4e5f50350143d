"""What came of a sync, as a table for people and as documents for scripts."""

from __future__ import annotations

from data_platform.catalog import Table
from data_platform.cli.output import print_table, say
from data_platform.sync import NotDelivered, PartitionResult, SyncFailure, SyncOutcome, SyncStatus

Results = list[PartitionResult]


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


def print_results(table: Table, results: Results) -> None:
    """Print one table's partitions, and what its source warned of."""
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
