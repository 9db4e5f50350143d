"""What a launch asks for, read from Dagster's run or backfill: which tables and partitions, why, and what is at it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.remote_representation.code_location import is_implicit_asset_job_name

from data_platform.catalog import TABLES, Partitioning, Table
from data_platform.errors import UsageError
from data_platform.governance.manual_syncs import Syncing
from data_platform.orchestration.audit import REASON_TAG
from data_platform.orchestration.dead_runs import report_dead_runs
from data_platform.settings import Settings
from data_platform.sync.plan import choose_partitions, partitions_of

BACKFILL_TAG: Final = "dagster/backfill"
_PARTITION: Final = "dagster/partition"
_RANGE: Final = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
PARTITION_TAGS: Final = frozenset({_PARTITION, *_RANGE})
_AT_IT: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True, slots=True)
class Span:
    """Partitions from `first` to `last`, both included. Keys of a table sort as text."""

    first: str
    last: str

    def meets(self, other: Span) -> bool:
        """Whether there is a partition in both."""
        return self.first <= other.last and other.first <= self.last


Spans = Sequence[Span]
"""Which partitions; none for a table that is kept whole, and for what may be any of them."""


def tables_of(run: dg.DagsterRun) -> tuple[Table, ...] | None:
    """The tables that a run syncs; None for a run of a job of another kind."""
    if not is_implicit_asset_job_name(run.job_name):
        return None
    if run.asset_selection is None:
        return tuple(TABLES.values())
    checked = {key.asset_key for key in run.asset_check_selection or ()}
    return tables_named(run.asset_selection | checked)


def tables_named(keys: Iterable[dg.AssetKey]) -> tuple[Table, ...]:
    """The tables of the catalog among assets, by name."""
    return tuple(TABLES[name] for name in sorted({key.path[-1] for key in keys}) if name in TABLES)


def spans_of(tags: Mapping[str, str]) -> Spans:
    """The partitions of a run, from its tags."""
    first, last = (tags.get(name) for name in _RANGE)
    if first is not None and last is not None:
        return [Span(first, last)]
    key = tags.get(_PARTITION)
    return [] if key is None else [Span(key, key)]


def named(spans: Spans) -> tuple[str, ...]:
    """The partitions for people and for the audit."""
    return tuple(span.first if span.first == span.last else f"{span.first}..{span.last}" for span in spans)


def require_partitions(tables: Iterable[Table], spans: Spans, settings: Settings) -> None:
    """See that a yearly table is asked for years that it has; of several tables, one must have each.

    Dagster leaves out what there is not, takes a range that ends before it begins for nothing to do, and fails in words
    of its own where a run names no partition.

    Raises:
        UsageError: naming what is no partition.
    """
    today = dt.datetime.now(dt.UTC).date()
    yearly = [table for table in tables if table.partitioning is not Partitioning.WHOLE]
    if not yearly:
        return
    known = sorted({key for table in yearly for key in partitions_of(table, settings, today)})
    choose_partitions(yearly[0], known, [end for span in spans for end in (span.first, span.last)], all_of_them=False)
    for span in spans:
        if span.first > span.last:
            raise UsageError(
                f"The partitions from {span.first} to {span.last} are none: the range ends before it begins.",
                hint="Name the earlier partition first.",
            )


def reason_given(run_config: Mapping[str, Any] | None, tags: Mapping[str, str]) -> str:
    """Why something was launched: what the first step's configuration says, or the tag."""
    operations = (run_config or {}).get("ops")
    for operation in _mapping(operations).values():
        reason = _mapping(_mapping(operation).get("config")).get("reason")
        if isinstance(reason, str) and reason.strip():
            return reason
    return tags.get(REASON_TAG, "")


def find_syncing(
    instance: dg.DagsterInstance, tables: Iterable[Table], spans: Spans, *, but: str | None = None
) -> Syncing | None:
    """The first unfinished run or backfill, other than `but`, that syncs some of these partitions of a table."""
    report_dead_runs(instance)
    wanted = {table.name for table in tables}
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=_AT_IT)):
        if but is not None and but in {run.run_id, run.tags.get(BACKFILL_TAG)}:
            continue
        for table in tables_of(run) or ():
            if table.name in wanted and _meet(spans, spans_of(run.tags)):
                return Syncing(table.name, f"run {run.run_id}")
    under_way = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    for backfill in instance.get_backfills(filters=under_way, limit=100):
        for table in tables_named(backfill.asset_selection or ()) if backfill.backfill_id != but else ():
            if table.name in wanted and _meet(spans, backfill_spans(backfill, table)):
                return Syncing(table.name, f"backfill {backfill.backfill_id}")
    return None


def backfill_spans(backfill: PartitionBackfill, table: Table) -> Spans:
    """The partitions of a table that a backfill was launched for."""
    data = backfill.asset_backfill_data
    if data is None:
        return [Span(key, key) for key in backfill.partition_names or ()]
    subset = data.target_subset.partitions_subsets_by_asset_key.get(dg.AssetKey(table.name))
    return [] if subset is None else [Span(key, key) for key in sorted(subset.get_partition_keys())]


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _meet(wanted: Spans, others: Spans) -> bool:
    if not wanted or not others:
        return True
    return any(one.meets(other) for one in wanted for other in others)
