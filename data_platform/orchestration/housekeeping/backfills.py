"""Pruning finished backfills: Dagster keeps each for ever, and its interface cannot delete one. Exported first."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Final

import dagster as dg
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, BulkActionsFilter, PartitionBackfill
from dagster._core.storage.runs.schema import BackfillTagsTable, BulkActionsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from data_platform.governance.archiving import archive_documents
from data_platform.governance.permissions import User, require_administrator
from data_platform.orchestration.resource import Platform

KEEP_BACKFILLS: Final = dt.timedelta(days=90)
"""After its end, as runs are kept."""

ARCHIVE: Final = "dagster_backfills"


@dataclass(frozen=True, slots=True)
class PrunedBackfills:
    """How many went, or would go, and how many old ones stay because a run of theirs does."""

    backfills: int = 0
    kept: int = 0


def prune_backfills(
    instance: dg.DagsterInstance, platform: Platform, user: User, now: dt.datetime, *, dry_run: bool
) -> PrunedBackfills:
    """Export and delete the backfills that ended more than 90 days ago and have no run left.

    One whose runs hold the newest materialization of something stays with them: a run names its backfill, and who
    asked for it.

    Raises:
        NotPermittedError: for everyone but administrators.
        LockBusyError, ConfigurationError, ChecksumMismatchError, DatabaseUnavailableError: when the export could not be
            made; nothing is deleted then.
    """
    require_administrator(user)
    storage = instance.run_storage
    if not isinstance(storage, SqlRunStorage):
        return PrunedBackfills()
    before = now - KEEP_BACKFILLS
    filters = BulkActionsFilter(statuses=BULK_ACTION_TERMINAL_STATUSES, created_before=before)
    old = [each for each in instance.get_backfills(filters=filters) if _ended_at(each) < before]
    going = [each for each in old if not instance.get_runs_count(dg.RunsFilter.for_backfill(each.backfill_id))]
    done = PrunedBackfills(len(going), len(old) - len(going))
    if dry_run or not going:
        return done
    documents = [
        {
            "backfill_id": each.backfill_id,
            "at": _ended_at(each).isoformat(),
            "exported_at": now.isoformat(),
            "backfill": json.loads(dg.serialize_value(each)),
        }
        for each in going
    ]
    times = [_ended_at(each) for each in going]
    archive_documents(platform.records, platform.settings, user, ARCHIVE, documents, (min(times), max(times)))
    names = [each.backfill_id for each in going]
    with storage.connect() as connection:
        connection.execute(BackfillTagsTable.delete().where(BackfillTagsTable.c.backfill_id.in_(names)))
        connection.execute(BulkActionsTable.delete().where(BulkActionsTable.c.key.in_(names)))
    return done


def _ended_at(backfill: PartitionBackfill) -> dt.datetime:
    moment = backfill.backfill_end_timestamp or backfill.backfill_timestamp
    return dt.datetime.fromtimestamp(moment, dt.UTC)
