"""A function for each thing that is counted. They return at once, whatever becomes of the count, and raise nothing.

`user` is the name of an account; datasets and tables that the catalog does not have are counted as ``other``, and so is
whatever belongs to no closed set that it should belong to.
"""

from __future__ import annotations

import bisect
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from data_platform.catalog import DATASETS, TABLES
from data_platform.metrics.declared import FORMATS, METRICS, OTHER, REFUSALS
from data_platform.metrics.files import series
from data_platform.metrics.keeping import KEEPER

SyncResult = Literal["published", "up_to_date", "not_delivered", "rejected", "failed"]
QueryResult = Literal["success", "error", "timeout", "cancelled", "rate_limited", "denied"]
KillCause = Literal["time_limit", "cpu_limit", "fault"]
Recovery = Literal["dead_writer", "by_hand"]

_LONGEST: Final = 128


def count_in(home: Path) -> None:
    """Let this process count in a home; before that, and without it, nothing is kept."""
    KEEPER.keep_in(home)


def sync_triggered(dataset: str, user: str) -> None:
    """A person began to sync something of a dataset."""
    _count("data_sync_trigger_total", _dataset(dataset), _user(user))


def sync_status_checked() -> None:
    """Somebody asked for the status of syncs."""
    _count("data_sync_status_checks_total")


def schedule_updated(dataset: str, user: str) -> None:
    """Somebody changed a schedule."""
    _count("data_sync_schedule_updates_total", _dataset(dataset), _user(user))


def partition_synced(dataset: str, table: str, result: SyncResult, seconds: float) -> None:
    """A partition's sync has ended, after so many seconds."""
    names = _dataset(dataset), _table(table)
    _count("data_sync_partitions_total", *names, result)
    _observe("data_sync_duration_seconds", seconds, _table(table))
    if result in {"published", "up_to_date"}:
        KEEPER.put(series("data_sync_last_success_timestamp_seconds", names), time.time())


def partition_extracted(table: str, rows: int, seconds: float) -> None:
    """A partition's rows were extracted and staged within so many seconds."""
    _observe("data_sync_extract_seconds", seconds, _table(table))
    if seconds > 0:
        _observe("data_sync_rows_per_second", rows / seconds, _table(table))


@contextmanager
def publishing(table: str) -> Generator[None]:
    """Measure how long it takes to publish a file, if that succeeds."""
    began = time.monotonic()
    yield
    _observe("data_sync_publish_seconds", time.monotonic() - began, _table(table))


def drift_judged(table: str, status: str) -> None:
    """A partition's columns were held against those of the last version: ``passed``, ``warning`` or ``failed``."""
    _count("data_drift_results_total", _table(table), status)


def lock_recovered(how: Recovery) -> None:
    """A table's lock was taken from a dead writer, or released by hand."""
    _count("data_lock_recoveries_total", how)


def query_denied() -> None:
    """A query was refused for want of a permission; `access_denied` counts whose and of what."""
    _count("data_query_results_total", "denied")


@contextmanager
def query_running(user: str, dataset: str) -> Generator[None]:
    """Count a query that was let through, and that it runs while the block does."""
    _count("data_query_executions_total", _user(user), _dataset(dataset))
    running = series("data_queries_running", ())
    KEEPER.add(running, 1)
    try:
        yield
    finally:
        KEEPER.add(running, -1)


def query_ended(result: QueryResult, seconds: float) -> None:
    """A query that was let through has ended, after so many seconds."""
    _count("data_query_results_total", result)
    _observe("data_query_duration_seconds", seconds)


def query_refused(reason: str) -> None:
    """A query's text was refused."""
    _count("data_query_validation_failures_total", reason if reason in REFUSALS else OTHER)


def rate_limited(action: str, user: str) -> None:
    """A query or an export was over the limit; other actions are not counted."""
    if action == "export":
        _count("data_export_rate_limit_rejections_total", _user(user))
    elif action == "query":
        _count("data_query_rate_limit_rejections_total", _user(user))
        _count("data_query_results_total", "rate_limited")


def engine_killed(cause: KillCause) -> None:
    """A query's process was stopped at a limit, or broke."""
    _count("data_query_engine_kills_total", cause)


def export_requested(user: str, format: str) -> None:  # noqa: A002 - what it is called everywhere
    """An export was let through."""
    _count("data_export_requests_total", _user(user), format if format in FORMATS else OTHER)


def export_written(rows: int) -> None:
    """An export has ended, with so many rows."""
    _observe("data_export_rows", rows)


def access_denied(user: str, dataset: str) -> None:
    """Somebody asked for a dataset without the permission for it."""
    _count("data_dataset_access_denials_total", _user(user), _dataset(dataset))


def alerts_viewed() -> None:
    """Somebody asked for alerts."""
    _count("data_quality_alert_views_total")


def alert_acknowledged(user: str, metric: str) -> None:
    """Somebody settled an alert of a metric, first."""
    _count("data_quality_alert_acks_total", _user(user), metric[:_LONGEST])


def quality_viewed() -> None:
    """Somebody asked for verdicts, trends, coverage or the quarantine."""
    _count("data_quality_report_views_total")


def _count(name: str, *labels: str) -> None:
    KEEPER.add(series(name, labels))


def _observe(name: str, value: float, *labels: str) -> None:
    bounds = METRICS[name].buckets
    place = bisect.bisect_left(bounds, value)
    bound = str(float(bounds[place])) if place < len(bounds) else "+Inf"
    KEEPER.add_all(((series(name, labels, bound), 1.0), (series(name, labels, "sum"), value)))


def _user(name: str) -> str:
    # Accounts are made by administrators, so there are as many labels as there are accounts.
    return name[:_LONGEST]


def _dataset(name: str) -> str:
    return name if name in DATASETS else OTHER


def _table(name: str) -> str:
    return name if name in TABLES else OTHER
