"""What a sync works with: the settings, the warehouse, the records, and who wants to watch."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from data_platform.records.connection import Records
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse


def _unwatched(_rows: int, _expected: int | None) -> None:
    return


@dataclass(frozen=True, slots=True)
class SyncContext:
    """The surroundings of a sync.

    `progress` is called with the rows received so far and the number expected, if known. `run_id` ties log lines and
    validation results of one run together. `lock_wait_seconds` is how long to wait for another living writer;
    `retry_seconds` how long, about, before a cut session is opened again, twice as long the time after.
    """

    settings: Settings
    warehouse: Warehouse
    records: Records
    run_id: uuid.UUID = field(default_factory=uuid.uuid4)
    progress: Callable[[int, int | None], None] = _unwatched
    lock_wait_seconds: float = 0.0
    retry_seconds: float = 2.0
