"""What the tests of housekeeping share: running a job in a real instance, and things that are old already."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from data_platform.definitions import build_definitions
from data_platform.errors import PlatformError
from data_platform.orchestration.housekeeping.timetable import TIMETABLE
from data_platform.orchestration.resource import Platform, watched
from data_platform.records import platform_audit
from data_platform.records.scope import Scope
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.manifest_form import documents_of
from data_platform.warehouse.quarantine import QuarantineEntry, entry_id
from data_platform_tests.warehouse.changing import TABLE, publish_rows

DAY = dt.timedelta(days=1)
NAMES = [chore.name for chore in TIMETABLE]


@dataclass(frozen=True)
class Ran:
    """What came of a run: whether it succeeded, what it shows, and the error that ended it."""

    success: bool
    shown: dict[str, Any]
    error: str


class Housekeeping:
    """The jobs over one platform, in one instance."""

    def __init__(self, platform: Platform, instance: dg.DagsterInstance) -> None:
        self.platform = platform
        self.instance = instance
        self.errors: list[PlatformError] = []
        self.definitions = build_definitions(platform.settings, {"platform": watched(platform, self.errors)})

    def run(self, name: str, *, dry_run: bool = False, tags: dict[str, str] | None = None) -> Ran:
        result = self.definitions.resolve_job_def(name).execute_in_process(
            instance=self.instance,
            run_config={"ops": {f"run_{name}": {"config": {"dry_run": dry_run}}}},
            tags=tags,
            raise_on_error=False,
        )
        for event in result.all_events:
            if event.is_step_failure:
                failure = event.step_failure_data.user_failure_data
                assert failure is not None, event.step_failure_data.error
                shown = {name: value.value for name, value in failure.metadata.items()}
                return Ran(success=False, shown=shown, error=failure.description or "")
        (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
        shown = {name: value.value for name, value in output.step_output_data.metadata.items()}
        return Ran(result.success, shown, "")

    def audited(self) -> list[tuple[str, str]]:
        """Who did what, newest first."""
        with self.platform.records.transaction(Scope.system("test")) as connection:
            return [(entry.actor, entry.action) for entry in platform_audit.recent(connection, limit=1000)]


def old_versions(warehouse: Warehouse, *days_ago: int) -> None:
    """Versions of one table, published so many days ago."""
    for number, days in enumerate(days_ago, start=1):
        published = publish_rows(warehouse, number)
        earlier = published.model_copy(update={"sync_timestamp": published.sync_timestamp - days * DAY})
        key = layout.version(TABLE, number)
        warehouse.store.delete(key)
        warehouse.store.put_if_absent(key, documents_of(earlier)[0])


def quarantined(warehouse: Warehouse, days_ago: int) -> Path:
    """An entry that was set aside so many days ago."""
    made = dt.datetime.now(dt.UTC) - days_ago * DAY
    entry = QuarantineEntry(
        entry_id=entry_id(made),
        dataset="crsp",
        table=TABLE,
        partition="2024",
        created_at=made,
        findings=("row_count: too few",),
        source="demo",
        source_fingerprint="f",
        row_count=3,
        files=("arrived.csv",),
    )
    return warehouse.quarantine.add(entry, moved={}, written={"arrived.csv": b"a" * 1000})
