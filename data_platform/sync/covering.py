"""What the newest version of each partition covers, in the form in which the records keep it."""

from __future__ import annotations

from data_platform.catalog import Table
from data_platform.quality.coverage import Coverage
from data_platform.records.coverage import PartitionCoverage


def coverage_record(table: Table, partition: str, version: int, found: Coverage) -> PartitionCoverage:
    """A version's coverage in the form in which the records keep it."""
    return PartitionCoverage(
        dataset=table.dataset,
        table_name=table.name,
        partition=partition,
        manifest_version=version,
        start_date=found.start,
        end_date=found.end,
        row_count=found.rows,
        symbols=found.symbols,
        dates=found.dates,
        missing_dates=found.missing_dates,
        gaps=[(gap.first.isoformat(), gap.last.isoformat(), gap.dates) for gap in found.gaps],
        symbols_by_month=dict(found.symbols_by_month),
    )
