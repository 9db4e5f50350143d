"""The use case: extract, validate, publish and record one partition of one table.

The one place where sources, warehouse, quality and records meet. It decides what a sync does and in which order; how
each step is done belongs to those rooms. Backing up, restoring and rehearsing a whole home is here too, because
warehouse and records must come back together. Nothing here knows Dagster, permissions or the terminal.
"""

from data_platform.sync.context import SyncContext
from data_platform.sync.outcome import NotDelivered, PartitionResult, SyncFailure, SyncOutcome, SyncStatus
from data_platform.sync.partition import sync_partition
from data_platform.sync.plan import choose_partitions, partitions_of
from data_platform.sync.run import sync_partitions
from data_platform.sync.state import TableState, table_state

__all__ = [
    "NotDelivered",
    "PartitionResult",
    "SyncContext",
    "SyncFailure",
    "SyncOutcome",
    "SyncStatus",
    "TableState",
    "choose_partitions",
    "partitions_of",
    "sync_partition",
    "sync_partitions",
    "table_state",
]
