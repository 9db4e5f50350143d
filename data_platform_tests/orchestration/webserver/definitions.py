"""The project's definitions, and a schedule and a sensor for each dataset's team: what a code server loads in tests."""

import dagster as dg

from data_platform.catalog import DATASETS
from data_platform.definitions import build_definitions


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def nothing_job() -> None:
    """A job that belongs to nobody."""
    nothing()


def _schedule(dataset: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        f"schedule_{dataset}", job=nothing_job, cron_schedule="0 0 1 1 *", owners=[f"team:{dataset}"]
    )


def _sensor(dataset: str) -> dg.SensorDefinition:
    @dg.sensor(name=f"sensor_{dataset}", job=nothing_job, owners=[f"team:{dataset}"])
    def watch() -> dg.SkipReason:
        return dg.SkipReason("never")

    return watch


defs = dg.Definitions.merge(
    build_definitions(),
    dg.Definitions(
        jobs=[nothing_job],
        schedules=[_schedule(name) for name in DATASETS],
        sensors=[_sensor(name) for name in DATASETS],
    ),
)
