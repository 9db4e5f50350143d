"""What starts the syncs that people order: runs of the instance, here in this process, and what is running already."""

from __future__ import annotations

import dagster as dg
from typing_extensions import override

from data_platform.catalog import Partitioning
from data_platform.governance.manual_syncs import Syncing
from data_platform.governance.sync_service import SyncLauncher, SyncOrder
from data_platform.orchestration.audit import USER_TAG
from data_platform.orchestration.launches import Span, find_syncing
from data_platform.orchestration.launching import run_asset


class InProcessLauncher(SyncLauncher):
    """Runs what is ordered in this process, and is back when it has ended."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._definitions = definitions
        self._instance = instance

    @override
    def syncing(self, order: SyncOrder) -> Syncing | None:
        return find_syncing(self._instance, [order.table], [Span(key, key) for key in _keys(order)])

    @override
    def launch(self, order: SyncOrder) -> str:
        """Run the order, one run for each stretch of adjacent partitions, and return the last run's id."""
        runs = run_asset(
            self._definitions,
            self._instance,
            order.table,
            _keys(order),
            config={"full": order.full, "reason": order.reason},
            tags={USER_TAG: order.user_id},
        )
        return [run_id for _, run_id in runs][-1]


def _keys(order: SyncOrder) -> list[str]:
    return [] if order.table.partitioning is Partitioning.WHOLE else list(order.partitions)
