"""What starts the syncs that people order: runs of the instance, here in this process, and what is running already."""

from __future__ import annotations

from typing import Final

import dagster as dg
from typing_extensions import override

from data_platform.catalog import Partitioning, Table
from data_platform.governance.sync_service import SyncLauncher, SyncOrder
from data_platform.orchestration.audit import USER_TAG
from data_platform.orchestration.launching import run_asset

_UNFINISHED: Final = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def running_sync(instance: dg.DagsterInstance, table: Table) -> str | None:
    """The id of a run that is to sync a table and has not ended; None when there is none."""
    key = dg.AssetKey(table.name)
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED)):
        if key in (run.asset_selection or ()):
            return run.run_id
    return None


class InProcessLauncher(SyncLauncher):
    """Runs what is ordered in this process, and is back when it has ended."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._definitions = definitions
        self._instance = instance

    @override
    def running(self, table: Table) -> str | None:
        return running_sync(self._instance, table)

    @override
    def launch(self, order: SyncOrder) -> str:
        """Run the order, one run for each stretch of adjacent partitions, and return the last run's id."""
        keys = [] if order.table.partitioning is Partitioning.WHOLE else list(order.partitions)
        runs = run_asset(
            self._definitions,
            self._instance,
            order.table,
            keys,
            config={"full": order.full, "reason": order.reason},
            tags={USER_TAG: order.user_id},
        )
        return [run_id for _, run_id in runs][-1]
