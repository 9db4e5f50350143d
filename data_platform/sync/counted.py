"""Counting what came of a partition's sync, and how long it took, however it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from data_platform.catalog import Table
from data_platform.errors import SchemaError, SyncValidationError
from data_platform.metrics import counting
from data_platform.metrics.counting import SyncResult
from data_platform.sync.context import SyncContext
from data_platform.sync.outcome import NotDelivered, SyncOutcome

Options = ParamSpec("Options")
Synced = SyncOutcome | NotDelivered


def counted(
    sync: Callable[Concatenate[SyncContext, Table, str, Options], Synced],
) -> Callable[Concatenate[SyncContext, Table, str, Options], Synced]:
    """Let a function that syncs one partition be counted: its result, its time, its rows a second."""

    @wraps(sync)
    def counting_it(
        context: SyncContext, table: Table, partition: str, /, *args: Options.args, **kwargs: Options.kwargs
    ) -> Synced:
        began = time.monotonic()
        result: SyncResult = "failed"
        try:
            synced = sync(context, table, partition, *args, **kwargs)
            result = "not_delivered" if isinstance(synced, NotDelivered) else synced.status.value
        except (SyncValidationError, SchemaError):
            result = "rejected"
            raise
        finally:
            counting.partition_synced(table.dataset, table.name, result, time.monotonic() - began)
        if isinstance(synced, SyncOutcome) and synced.extract_seconds > 0:
            counting.partition_extracted(table.name, synced.file.rows, synced.extract_seconds)
        return synced

    return counting_it
