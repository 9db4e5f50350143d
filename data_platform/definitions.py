"""The Dagster definitions: one factory for production, the command line and tests."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from data_platform.catalog import DATASETS, TABLES
from data_platform.orchestration.assets import table_asset
from data_platform.orchestration.drift_watching import price_drift
from data_platform.orchestration.housekeeping.build import JOBS, housekeeping_schedules
from data_platform.orchestration.query_job import export_job, query_job
from data_platform.orchestration.resource import EnvironmentPlatform
from data_platform.orchestration.sync_sensors import schedule_sensor
from data_platform.orchestration.watching import watchers
from data_platform.settings import Settings, load_settings


def build_definitions(
    settings: Settings | None = None, resources: Mapping[str, Any] | None = None, *, pooled: bool = True
) -> dg.Definitions:
    """Everything Dagster runs here: an asset per table, a sensor per dataset, queries, housekeeping, the watchers.

    `resources` replaces the resource ``platform``, which by default opens everything from the environment. `pooled` is
    False for runs inside a command.
    """
    settings = settings or load_settings()
    with warnings.catch_warnings():
        # Partitioned checks are a preview in the pinned Dagster; our tests fail when they change.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        assets = [table_asset(table, settings, pooled=pooled) for table in TABLES.values()]
    return dg.Definitions(
        assets=assets,
        jobs=[query_job, export_job, *JOBS.values()],
        schedules=housekeeping_schedules(settings),
        sensors=[*(schedule_sensor(dataset) for dataset in DATASETS.values()), watchers, price_drift],
        resources={"platform": EnvironmentPlatform(), **(resources or {})},
        # A process for each step would cost several seconds of start-up; a run is a process already.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What the code server loads."""
    return build_definitions()
