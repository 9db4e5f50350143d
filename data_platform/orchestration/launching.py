"""Running an asset in this process as a real run of the instance, for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

import dagster as dg

from data_platform.catalog import Table
from data_platform.errors import PlatformError

_RANGE_START: Final = "dagster/asset_partition_range_start"
_RANGE_END: Final = "dagster/asset_partition_range_end"
_QUIET: Final = {"console": {"config": {"log_level": "CRITICAL"}}}


def run_asset(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    table: Table,
    partitions: list[str],
    *,
    full: bool,
    tags: Mapping[str, str],
) -> Iterator[bool]:
    """Materialize partitions of a table's asset, one run for each stretch of adjacent ones, yielding its success.

    `partitions` is empty for a table kept whole. What came of each partition is told to the resource ``platform`` of
    the definitions.

    Raises:
        PlatformError: when a run failed without saying why to its resource, naming the run.
    """
    job = definitions.resolve_implicit_global_asset_job_def()
    config: dict[str, Any] = {"loggers": _QUIET, "ops": {f"sync_{table.name}": {"config": {"full": full}}}}
    for chosen in stretches(partitions) or [[]]:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(table.name)],
            run_config=config,
            tags={**tags, **partition_tags(chosen)},
            partition_key=chosen[0] if len(chosen) == 1 else None,
            raise_on_error=False,
        )
        yield result.success


def run_query_job(
    definitions: dg.Definitions, instance: dg.DagsterInstance, request_id: UUID, tags: Mapping[str, str]
) -> str:
    """Run the query job for a stored request and return the run's id. Its error, if any, goes to the resource."""
    config = {"loggers": _QUIET, "ops": {"run_query": {"config": {"request_id": str(request_id)}}}}
    result = definitions.resolve_job_def("query_job").execute_in_process(
        instance=instance, run_config=config, tags=tags, raise_on_error=False
    )
    return result.run_id


def run_failure(instance: dg.DagsterInstance, table: Table) -> PlatformError:
    """The error for a run that failed outside of the steps of a sync: it points to the run's own log."""
    runs = instance.get_runs(limit=1)
    run = f"run {runs[0].run_id}" if runs else "the run"
    return PlatformError(
        f"{table.name}: {run} failed unexpectedly.", hint="Start `data-platform up` and look at the run's log."
    )


def stretches(partitions: list[str]) -> list[list[str]]:
    """Cut yearly partitions into stretches of adjacent years, which one run can take as a range."""
    found: list[list[str]] = []
    for partition in sorted(partitions):
        if found and int(found[-1][-1]) + 1 == int(partition):
            found[-1].append(partition)
        else:
            found.append([partition])
    return found


def partition_tags(chosen: list[str]) -> dict[str, str]:
    """The tags by which Dagster knows a run over a range of partitions; none for a single partition."""
    return {_RANGE_START: chosen[0], _RANGE_END: chosen[-1]} if len(chosen) > 1 else {}
