"""The asset factory: one asset and its checks for each table of the catalog."""

# No postponed annotations here: Dagster reads them as objects.

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import dagster as dg
from pydantic import Field

from data_platform.catalog import Partitioning, Table, WrdsQuery, find_dataset
from data_platform.catalog.model import WHOLE
from data_platform.errors import PlatformError
from data_platform.orchestration.audit import audit_manual_sync
from data_platform.orchestration.metadata import (
    check_evaluation,
    column_schema,
    coverage_chart,
    materialization_metadata,
)
from data_platform.orchestration.resource import PlatformResource
from data_platform.quality import CHECKS
from data_platform.settings import Settings
from data_platform.sources.base import STORED_AS
from data_platform.sync import NotDelivered, SyncFailure, SyncOutcome, sync_partitions
from data_platform.sync.plan import years

CODE_VERSION: Final = str(STORED_AS)

WRDS_POOL: Final = "wrds"
PARTITIONS_PER_RUN: Final = 5

_ABOUT_CHECKS: Final = {
    "row_count": "The source's own count, the last good version and the year before agree with the number of rows.",
    "null_pct": "No column has more missing values than the catalog allows; findings name those that have.",
    "schema": "Columns and types are those of the catalog.",
    "date_continuity": "Every session or month is there, nothing else, and each security or portfolio on its dates.",
    "contract": "The key is unique, rows stand in its order, and they keep the rules that the catalog declares.",
    "checksum": "The staged file, read back, has the hash, the size and the rows that were written.",
    "anomaly": "Nothing looks wrong beside the versions and years before, nor within: twelve kinds of fault.",
}


class SyncConfig(dg.Config):
    """What a launch may choose."""

    full: bool = Field(default=False, description="Extract even when the source's fingerprint has not changed.")
    reason: str = Field(default="", description="Why this sync was started by hand.")


def partitions_definition(table: Table, settings: Settings) -> dg.TimeWindowPartitionsDefinition | None:
    """Years from the first configured one; the current year is added by the calendar. None for a table kept whole."""
    if table.partitioning is Partitioning.WHOLE:
        return None
    today = dt.datetime.now(dt.UTC).date()
    first, last = years(settings, today)
    bounded = last < today.year
    return dg.TimeWindowPartitionsDefinition(
        cron_schedule="0 0 1 1 *",
        fmt="%Y",
        start=str(max(first, table.first_date.year)),
        end=str(last + 1) if bounded else None,
        end_offset=0 if bounded else 1,
    )


def table_asset(table: Table, settings: Settings, *, pooled: bool = True) -> dg.AssetsDefinition:
    """The asset of a table: materializing a partition syncs it; the validators are its checks.

    `pooled` is for runs that Dagster queues. A run inside a command has nobody to queue it, and, killed, it would keep
    its place in the pool.
    """
    partitions = partitions_definition(table, settings)
    dataset = find_dataset(table.dataset)
    from_wrds = isinstance(table.origin, WrdsQuery)
    spec = dg.AssetSpec(
        table.name,
        description=f"{table.description}\n\nKey: {', '.join(table.key)}. {dataset.licence}",
        group_name=table.dataset,
        owners=[f"team:{table.dataset}"],
        kinds={"wrds" if from_wrds else "csv", "parquet"},
        code_version=CODE_VERSION,
        metadata={"dagster/column_schema": column_schema(table), "dagster/table_name": table.name},
        # A materialization is reported for each partition as soon as it is published, not as the step's one output.
        skippable=True,
    )

    @dg.multi_asset(
        name=f"sync_{table.name}",
        specs=[spec],
        check_specs=[
            dg.AssetCheckSpec(
                kind.value,
                asset=table.name,
                description=_ABOUT_CHECKS[kind.value],
                blocking=True,
                partitions_def=partitions,
            )
            for kind in CHECKS
        ],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(PARTITIONS_PER_RUN) if partitions else None,
        # A table with a copy on WRDS may turn there, and is then one of the account's few sessions.
        pool=WRDS_POOL if pooled and (from_wrds or table.on_wrds is not None) else None,
        # Outputs of a subsettable asset are optional: checks are reported per partition, as events.
        can_subset=True,
    )
    def sync(
        context: dg.AssetExecutionContext, config: SyncConfig, platform: dg.ResourceParam[PlatformResource]
    ) -> Iterator[dg.AssetCheckEvaluation | dg.AssetMaterialization | dg.AssetObservation]:
        if not context.selected_asset_keys:
            raise dg.Failure(
                "The checks of this asset run while it syncs, before anything is published. Materialize the asset.",
                allow_retries=False,
            )
        keys = list(context.partition_keys) if partitions else [WHOLE]
        failures: list[SyncFailure] = []
        published = False
        try:
            with platform.open() as opened:
                audit_manual_sync(opened, table, keys, tags=context.run.tags, full=config.full, reason=config.reason)
                told = replace(platform.sync_context(opened), tell=context.log.info)
                for result in sync_partitions(told, table, keys, full=config.full):
                    platform.report(result)
                    key = result.partition if partitions else None
                    if isinstance(result, NotDelivered):
                        context.log.warning(f"{table.name} {result.partition}: the source does not hold it yet")
                        yield dg.AssetObservation(table.name, partition=key, description="Not delivered yet.")
                        continue
                    for check in result.results:
                        yield check_evaluation(table, key, check)
                    if isinstance(result, SyncFailure):
                        failures.append(result)
                        context.log.error(str(result.error))
                        continue
                    context.log.info(
                        f"{table.name} {result.partition}: {result.status.value.replace('_', ' ')}, version "
                        f"{result.manifest.manifest_version}, {result.file.rows:,} rows"
                    )
                    metadata = materialization_metadata(table, result, opened.warehouse)
                    published = published or result.verdict is not None
                    if published and result.partition == keys[-1]:
                        metadata |= coverage_chart(table, opened.records)
                    yield dg.AssetMaterialization(
                        table.name,
                        partition=key,
                        metadata=metadata,
                        tags={"dagster/data_version": _data_version(result), "dagster/code_version": CODE_VERSION},
                    )
        except PlatformError as error:
            platform.report(error)
            raise _failure(error) from None
        if failures:
            raise _failure(failures[0].error, others=len(failures) - 1)

    return sync


def _data_version(outcome: SyncOutcome) -> str:
    """What changes when the partition's rows do: publishing a neighbour leaves it as it was."""
    return outcome.manifest.checksum if outcome.partition == WHOLE else outcome.file.sha256


def _failure(error: PlatformError, *, others: int = 0) -> dg.Failure:
    more = f" And {others} more partitions failed; see their checks." if others else ""
    return dg.Failure(
        f"{error}{more}",
        metadata={"error": type(error).__name__, "exit_code": error.exit_code},
        allow_retries=False,
    )
