"""Pruning Dagster's history of asset checks, for which its interface has no deletion: rows of its own table.

They are not exported: each verdict is a row of the records too (`data_validation_results`), and those stay.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable

KEEP_CHECKS: Final = dt.timedelta(days=90)
"""As runs are kept."""


def prune_checks(instance: dg.DagsterInstance, now: dt.datetime, *, dry_run: bool) -> int:
    """Delete evaluations of checks that are older than 90 days; return how many were, or would be, deleted.

    Of each check of each partition the newest stays, however old it is, so that the UI goes on to show it: the newest
    that passed, the newest that failed, and the newest that never came to an end.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    rows = AssetCheckExecutionsTable.c
    newest = sa.select(sa.func.max(rows.id)).group_by(
        rows.asset_key, rows.check_name, rows.partition, rows.execution_status
    )
    before = (now - KEEP_CHECKS).astimezone(dt.UTC).replace(tzinfo=None)
    old = sa.and_(rows.create_timestamp < before, rows.id.not_in(newest))
    with storage.index_connection() as connection:
        if dry_run:
            counted = sa.select(sa.func.count()).select_from(AssetCheckExecutionsTable).where(old)
            return int(connection.execute(counted).scalar_one())
        return int(connection.execute(AssetCheckExecutionsTable.delete().where(old)).rowcount)
