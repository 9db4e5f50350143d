"""Settling `sync_failed`: the alert is over when its table has been synced since, by whomever."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from data_platform.catalog import Partitioning, Table
from data_platform.records import acknowledgments, alerts
from data_platform.records.alerts import StoredAlert
from data_platform.records.connection import Connection, Records
from data_platform.records.scope import Scope
from data_platform.sync.alert_metrics import SYNC_FAILED
from data_platform.sync.scheduling import RunState, ScheduledRun
from data_platform.sync.watchers.telling import OVER


def open_alerts(connection: Connection, dataset: str) -> Mapping[str, Sequence[StoredAlert]]:
    """The alerts of a dataset's failed syncs that nobody has settled, by table."""
    found: defaultdict[str, list[StoredAlert]] = defaultdict(list)
    for alert in alerts.open_of(connection, [SYNC_FAILED]):
        if alert.dataset == dataset:
            found[alert.table_name].append(alert)
    return found


def settle(
    instance: dg.DagsterInstance,
    records: Records,
    scope: Scope,
    opened: Iterable[StoredAlert],
    table: Table,
    partitions: Sequence[str],
    last: ScheduledRun | None,
) -> None:
    """Acknowledge those of a table's open alerts that are over.

    Raises:
        DatabaseUnavailableError: when the records are away; the next evaluation settles what is left.
    """
    # An alert tells of a run that was the newest of the schedule then: a newest that has ended well is a later one.
    ended_well = last is not None and last.state is RunState.DONE
    for alert in opened:
        if ended_well or synced_since(instance, table, partitions, alert.created_at):
            with records.transaction(scope) as connection:
                acknowledgments.acknowledge(connection, alert.id, scope.user, OVER)


def synced_since(instance: dg.DagsterInstance, table: Table, partitions: Sequence[str], moment: dt.datetime) -> bool:
    """Whether all the partitions that a schedule syncs were brought up to date after a moment, also by hand."""
    whole = table.partitioning is Partitioning.WHOLE
    return all(
        instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(table.name),
                asset_partitions=None if whole else [partition],
                after_timestamp=moment.timestamp(),
            ),
            limit=1,
        ).records
        for partition in partitions
    )
