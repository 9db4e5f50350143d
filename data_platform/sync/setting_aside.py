"""Putting a partition that is not fit into quarantine, with everything a person needs to judge it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from data_platform.catalog import Table
from data_platform.warehouse import StagedFile, Warehouse
from data_platform.warehouse.quarantine import QuarantineEntry, entry_id


def set_aside(  # noqa: PLR0913 - what an entry consists of, by keyword
    warehouse: Warehouse,
    table: Table,
    partition: str,
    *,
    findings: tuple[str, ...],
    source: str,
    fingerprint: str,
    source_rows: int | None = None,
    query_hash: str | None = None,
    staged: StagedFile | None = None,
    written: Mapping[str, bytes] | None = None,
) -> QuarantineEntry:
    """Quarantine a staged file, or the bytes that arrived, or, where nothing did, the reason alone."""
    now = dt.datetime.now(dt.UTC)
    moved = {staged.path.name: staged.path} if staged else {}
    entry = QuarantineEntry(
        entry_id=entry_id(now),
        dataset=table.dataset,
        table=table.name,
        partition=partition,
        created_at=now,
        findings=findings,
        source=source,
        source_fingerprint=fingerprint,
        row_count=staged.rows if staged else None,
        source_rows=source_rows,
        query_hash=query_hash,
        files=(*moved, *(written or {})),
    )
    warehouse.quarantine.add(entry, moved=moved, written=written or {})
    return entry
