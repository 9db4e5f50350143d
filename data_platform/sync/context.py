"""What a sync works with: the settings, the warehouse, the records, and who wants to watch."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from data_platform.records.connection import Records
from data_platform.settings import Settings
from data_platform.sync.pace import Pace
from data_platform.warehouse import Warehouse


def _unwatched(_seen: object) -> None:
    return


@dataclass(frozen=True, slots=True)
class SyncContext:
    """The surroundings of a sync.

    `progress` is called after each batch, `tell` with a line about it at most every `line_seconds` and once at the end
    of each extraction; both in the thread that syncs. `run_id` ties log lines and validation results of one run
    together. `lock_wait_seconds` is how long to wait for another living writer; `retry_seconds` how long, about,
    before a cut session is opened again, twice as long the time after.
    """

    settings: Settings
    warehouse: Warehouse
    records: Records
    run_id: uuid.UUID = field(default_factory=uuid.uuid4)
    progress: Callable[[Pace], None] = _unwatched
    tell: Callable[[str], None] = _unwatched
    line_seconds: float = 5.0
    lock_wait_seconds: float = 0.0
    retry_seconds: float = 2.0
