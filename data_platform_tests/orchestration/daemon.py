"""Dagster's own sensor daemon over two tables, with a clock that a test sets; runs happen at once, in this process."""

from __future__ import annotations

import datetime as dt
import logging
import warnings
from collections import deque
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.scheduler.instigation import InstigatorTick
from dagster._core.test_utils import freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.sensor import (
    execute_sensor_iteration,  # pyright: ignore[reportUnknownVariableType] - partly untyped in Dagster
)
from typing_extensions import override

from data_platform.catalog import find_dataset, find_table
from data_platform.errors import PlatformError
from data_platform.orchestration.assets import table_asset
from data_platform.orchestration.resource import Platform, PlatformResource
from data_platform.orchestration.sync_sensors import schedule_sensor
from data_platform.records import schedules
from data_platform.records.schedules import SyncSchedule
from data_platform.records.scope import Scope
from data_platform.sync import PartitionResult, SyncContext

YEARLY: Final = find_table("crsp_daily")
WHOLE: Final = find_table("crsp_names")
SENSOR: Final = "sync_schedule_crsp"
SYSTEM: Final = Scope.system("test")
_DATASET: Final = replace(find_dataset("crsp"), tables=(YEARLY, WHOLE))
_LAUNCHER: Final = {"module": "dagster._core.launcher.sync_in_memory_run_launcher", "class": "SyncInMemoryRunLauncher"}
_AT_ONCE: Final = {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}
_ORIGIN: Final = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name=__name__, attribute="defs"))
_open: list[Daemon] = []


class OfTheTest(PlatformResource):
    """The platform of the test that runs: Dagster loads definitions once in a process and keeps them."""

    @override
    def open(self) -> AbstractContextManager[Platform]:
        context = _open[-1].context
        return nullcontext(Platform(context.settings, context.records, context.warehouse))

    @override
    def sync_context(self, platform: Platform) -> SyncContext:
        return _open[-1].context

    @override
    def report(self, result: PartitionResult | PlatformError) -> None:
        """Dagster's own events say it all."""


@dg.definitions
def defs() -> dg.Definitions:
    """What the daemon loads."""
    with warnings.catch_warnings():
        # Partitioned checks are a preview in the pinned Dagster.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        assets = [table_asset(table, _open[-1].context.settings) for table in _DATASET.tables]
    return dg.Definitions(
        assets=assets,
        sensors=[schedule_sensor(_DATASET, lambda: _open[-1].now)],
        resources={"platform": OfTheTest()},
        executor=dg.in_process_executor,
    )


class Daemon:
    """The daemon, the records it works with, and the moment that it takes for now."""

    def __init__(self, context: SyncContext, instance: dg.DagsterInstance, now: dt.datetime) -> None:
        self.context = context
        self.instance = instance
        self.now = now
        # Loads the definitions, which look for this daemon.
        _open.append(self)
        self._workspace = WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(_ORIGIN))

    def __enter__(self) -> Self:
        self._workspace.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._workspace.__exit__(None, None, None)  # pyright: ignore[reportUnknownMemberType] - untyped in Dagster
        _open.remove(self)

    def evaluate(self, now: dt.datetime | None = None) -> InstigatorTick:
        """Let the daemon evaluate the sensor at a moment, by default half a minute later, and return its tick."""
        self.now = now or self.now + dt.timedelta(seconds=30)
        with freeze_time(self.now):
            # What goes wrong stands in the tick.
            deque(
                execute_sensor_iteration(  # pyright: ignore[reportUnknownArgumentType] - as above
                    self._workspace, logging.getLogger("test"), None, None
                ),
                maxlen=0,
            )
        location = self._workspace.create_request_context().get_code_location(_ORIGIN.location_name)
        (repository,) = location.get_repositories().values()
        (sensor,) = repository.get_sensors()
        (tick,) = self.instance.get_ticks(sensor.get_remote_origin_id(), sensor.selector_id, limit=1)
        return tick

    def schedule(self, table: str = WHOLE.name) -> SyncSchedule:
        """A table's schedule as it is."""
        with self.context.records.transaction(SYSTEM) as connection:
            found = schedules.get(connection, "crsp", table)
        assert found is not None
        return found

    def plan(self, cron: str, first: dt.datetime, timezone: str = "America/New_York", table: str = WHOLE.name) -> None:
        """Turn a table's schedule on and give it an expression, as if it had been so since before `first`, a tick."""
        with self.context.records.transaction(SYSTEM) as connection:
            current = schedules.ensure(connection, "crsp", table, enabled=False)
            schedules.update(
                connection,
                "crsp",
                table,
                expected_version=current.version,
                changed_by="adm",
                enabled=True,
                cron_expression=cron,
                timezone=timezone,
            )
            connection.execute(
                "UPDATE platform.data_sync_schedule SET next_scheduled_run = %s, updated_at = %s WHERE table_name = %s",
                (first, first - dt.timedelta(days=1), table),
            )

    def runs(self) -> list[dg.DagsterRun]:
        """Every run, oldest first."""
        return list(reversed(self.instance.get_runs()))

    def keys(self) -> list[str]:
        """The runs' keys, oldest first."""
        return [run.tags["dagster/run_key"] for run in self.runs()]


@contextmanager
def open_daemon(context: SyncContext, folder: Path, now: dt.datetime) -> Generator[Daemon]:
    """A daemon over an instance of its own in a folder."""
    overrides = {"run_launcher": _LAUNCHER, "run_coordinator": _AT_ONCE}
    with (
        dg.instance_for_test(temp_dir=str(folder), overrides=overrides) as instance,
        Daemon(context, instance, now) as daemon,
    ):
        yield daemon
