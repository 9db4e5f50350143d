"""What Dagster shows of a table and of each materialization: counts, hashes and timings, never a row."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any, Final

import dagster as dg

from data_platform.catalog import Column, Partitioning, Table
from data_platform.errors import DatabaseUnavailableError
from data_platform.quality import CheckResult, Status
from data_platform.quality.coverage import Gap
from data_platform.quality.coverage_chart import draw_partitions
from data_platform.records import coverage
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform.sync import SyncOutcome
from data_platform.sync.validation import Verdict
from data_platform.warehouse import Warehouse, layout

_SCOPE: Final = Scope.system("dagster")
_MOST_MISSING: Final = 10
_MOST_FINDINGS: Final = 20


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns as Dagster's own table schema, with units and the source's names."""
    return dg.TableSchema(columns=[_column(table, column) for column in table.columns])


def materialization_metadata(table: Table, outcome: SyncOutcome, warehouse: Warehouse) -> dict[str, Any]:
    """Metadata of one partition's materialization. Numbers become plots in the UI."""
    manifest, file = outcome.manifest, outcome.file
    metadata: dict[str, Any] = {
        "dagster/row_count": manifest.row_count,
        "dagster/column_schema": column_schema(table),
        "dagster/uri": warehouse.store.path(layout.blob(file.sha256)).as_uri(),
        "version": manifest.manifest_version,
        "schema_version": manifest.schema_version,
        "checksum": manifest.checksum,
        "source": file.source,
        "source_fingerprint": file.source_fingerprint,
        "rows": file.rows,
        "bytes": file.bytes,
        "up_to_date": outcome.status.value == "up_to_date",
        "seconds": round(outcome.seconds, 3),
    }
    if file.min_date is not None and file.max_date is not None:
        metadata["first_date"] = file.min_date.isoformat()
        metadata["last_date"] = file.max_date.isoformat()
    if table.partitioning is not Partitioning.WHOLE:
        metadata["dagster/partition_row_count"] = file.rows
    if outcome.extract_seconds:
        metadata["extract_seconds"] = round(outcome.extract_seconds, 3)
        metadata["rows_per_second"] = round(outcome.rows_per_second)
        metadata["bytes_received"] = outcome.bytes_received
        metadata["mb_per_second"] = round(outcome.megabytes_per_second, 3)
        metadata["progress_lines"] = outcome.progress_lines
    if outcome.verdict is not None:
        metadata |= _quality(outcome.verdict)
    if outcome.warnings:
        metadata["warnings"] = dg.MetadataValue.md("\n".join(f"- {warning}" for warning in outcome.warnings))
    return metadata


def check_evaluation(table: Table, partition: str | None, result: CheckResult) -> dg.AssetCheckEvaluation:
    """One validator's verdict as an asset check's evaluation. `partition` is None for a table kept whole."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(table.name),
        check_name=result.validation_type.value,
        passed=result.status is Status.PASSED,
        severity=dg.AssetCheckSeverity.WARN if result.status is Status.WARNING else dg.AssetCheckSeverity.ERROR,
        description=result.message or None,
        metadata={"expected": result.expected, "actual": result.actual, **_findings(result)},
        partition=partition,
    )


def coverage_chart(table: Table, records: Records) -> dict[str, Any]:
    """The coverage of a table's published partitions as a picture; nothing for one without dates.

    Nor when the records have just gone away: what was published is published, with or without a picture.
    """
    try:
        with records.transaction(_SCOPE) as connection:
            found = coverage.of_tables(connection, table.dataset, table.name)
    except DatabaseUnavailableError:
        return {}
    png = draw_partitions(
        table.title,
        (
            (
                each.symbols_by_month,
                [
                    Gap(dt.date.fromisoformat(first), dt.date.fromisoformat(last), dates)
                    for first, last, dates in each.gaps
                ],
                each.missing_dates,
            )
            for each in found
        ),
    )
    if png is None:
        return {}
    picture = base64.b64encode(png).decode()
    return {"coverage_chart": dg.MetadataValue.md(f"![coverage](data:image/png;base64,{picture})")}


def _quality(verdict: Verdict) -> dict[str, Any]:
    """Numbers that are worth a plot from version to version, and the columns with most missing values."""
    metadata: dict[str, Any] = {
        "anomalies": len(verdict.anomalies),
        "warnings_found": sum(len(result.findings) or result.status is Status.WARNING for result in verdict.results),
    }
    if verdict.coverage is not None:
        metadata["dates"] = verdict.coverage.dates
        for name in ("symbols", "missing_dates"):
            value = getattr(verdict.coverage, name)
            if value is not None:
                metadata[name] = value
    if verdict.statistics is not None and verdict.statistics.columns:
        shares = {name: column.null_share for name, column in verdict.statistics.columns.items()}
        metadata["null_pct"] = round(100 * sum(shares.values()) / len(shares), 4)
        worst = sorted(((share, name) for name, share in shares.items() if share > 0), reverse=True)[:_MOST_MISSING]
        if worst:
            lines = [f"| {name} | {share:.2%} |" for share, name in worst]
            metadata["null_shares"] = dg.MetadataValue.md("\n".join(["| column | missing |", "|---|---:|", *lines]))
    return metadata


def _findings(result: CheckResult) -> dict[str, Any]:
    """What a check found in detail: columns, rules, counts, shares and keys, as a table; nothing when it found none."""
    if not result.findings:
        return {}
    head = ["| column | rule | severity | rows | share | at | why |", "|---|---|---|---:|---:|---|---|"]
    lines = [
        f"| {f.column} | {_cell(f.rule)} | {f.severity.value} | {f.count:,} | {f.share:.2%} "
        f"| {_cell('; '.join(f.keys))} | {_cell(f.reason)} |"
        for f in result.findings[:_MOST_FINDINGS]
    ]
    return {"findings": dg.MetadataValue.md("\n".join([*head, *lines])), "findings_count": len(result.findings)}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _column(table: Table, column: Column) -> dg.TableColumn:
    unit = f" Unit: {column.unit}." if column.unit else ""
    return dg.TableColumn(
        name=column.name,
        type=column.dtype,
        description=f"{column.description}{unit} Source: {column.source}.",
        constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=table.key == (column.name,)),
    )
