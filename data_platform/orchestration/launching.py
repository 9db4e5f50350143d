"""Running an asset in this process as a real run of the instance, for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import dagster as dg

from data_platform.catalog import Partitioning, Table
from data_platform.catalog.stretches import stretches
from data_platform.errors import PlatformError
from data_platform.governance.manual_syncs import ManualSync, Syncing, admit
from data_platform.governance.permissions import User
from data_platform.orchestration.dead_runs import PROCESS_TAG, report_dead_runs, this_process
from data_platform.orchestration.instance import open_instance
from data_platform.orchestration.launches import Span, find_syncing, named
from data_platform.records.connection import Records
from data_platform.settings import Settings

_RANGE_START: Final = "dagster/asset_partition_range_start"
_RANGE_END: Final = "dagster/asset_partition_range_end"
_INTERRUPTED: Final = "DagsterExecutionInterruptedError"
_QUIET: Final = {"console": {"config": {"log_level": "CRITICAL"}}}


def admit_command(
    settings: Settings, records: Records, user: User, work: Sequence[tuple[Table, list[str]]], reason: str
) -> None:
    """Hold a command that syncs in somebody's name to the rules of manual syncs, once for all that it syncs.

    Raises:
        NotPermittedError, UsageError, RateLimitedError, LockBusyError, DatabaseUnavailableError: as `admit` does.
    """
    spans = {
        table.name: [] if table.partitioning is Partitioning.WHOLE else [Span(key, key) for key in partitions]
        for table, partitions in work
    }
    partitions = tuple(sorted({name for each in spans.values() for name in named(each)}))
    wanted = ManualSync(tuple(table for table, _ in work), partitions, reason, "data-platform sync")
    with open_instance(settings, records.databases) as instance:

        def syncing() -> Syncing | None:
            found = (find_syncing(instance, [table], spans[table.name]) for table, _ in work)
            return next((each for each in found if each), None)

        admit(records, user, wanted, syncing=syncing)


def run_asset(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    table: Table,
    partitions: list[str],
    *,
    config: Mapping[str, object],
    tags: Mapping[str, str],
) -> Iterator[tuple[bool, str]]:
    """Materialize partitions of a table's asset, one run for each stretch of adjacent ones: its success and its id.

    `partitions` is empty for a table kept whole; `config` is that of the asset. What came of each partition is told to
    the resource ``platform`` of the definitions.

    Raises:
        KeyboardInterrupt: when the run was interrupted by a signal, which Dagster keeps to itself.
    """
    report_dead_runs(instance)
    job = definitions.resolve_implicit_global_asset_job_def()
    run_config: dict[str, Any] = {"loggers": _QUIET, "ops": {f"sync_{table.name}": {"config": dict(config)}}}
    for chosen in stretches(partitions) or [[]]:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(table.name)],
            run_config=run_config,
            tags={**tags, **partition_tags(chosen), PROCESS_TAG: this_process()},
            partition_key=chosen[0] if len(chosen) == 1 else None,
            raise_on_error=False,
        )
        _pass_on_interruption(result)
        yield result.success, result.run_id


def run_query_job(
    definitions: dg.Definitions, instance: dg.DagsterInstance, request_id: UUID, tags: Mapping[str, str]
) -> tuple[bool, str]:
    """Run the query job for a stored request: its success and the run's id. Its error goes to the resource.

    Raises:
        KeyboardInterrupt: as `run_asset` does.
    """
    report_dead_runs(instance)
    result = definitions.resolve_job_def("query_job").execute_in_process(
        instance=instance,
        run_config={"loggers": _QUIET, "ops": {"run_query": {"config": {"request_id": str(request_id)}}}},
        tags={**tags, PROCESS_TAG: this_process()},
        raise_on_error=False,
    )
    _pass_on_interruption(result)
    return result.success, result.run_id


def run_failure(what: str, run_id: str) -> PlatformError:
    """The error for a run that failed without a word to its resource: it points to the run's own log."""
    return PlatformError(
        f"{what}: run {run_id} failed unexpectedly.", hint="Start `data-platform up` and look at the run's log."
    )


def _pass_on_interruption(result: dg.ExecuteInProcessResult) -> None:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            if error is not None and error.cls_name == _INTERRUPTED:
                raise KeyboardInterrupt


def partition_tags(chosen: list[str]) -> dict[str, str]:
    """The tags by which Dagster knows a run over a range of partitions; none for a single partition."""
    return {_RANGE_START: chosen[0], _RANGE_END: chosen[-1]} if len(chosen) > 1 else {}
