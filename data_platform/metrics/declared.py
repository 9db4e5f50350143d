"""Every metric: its name, what it says, its labels and its buckets. Units are in the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

OTHER: Final = "other"
"""The label of whatever is not on the list, so that callers can't make up labels."""


class Kind(StrEnum):
    """How the figures of several processes become one."""

    COUNTER = "counter"
    """Summed up, for good."""
    HISTOGRAM = "histogram"
    """Summed up, for good, in buckets."""
    RUNNING = "running"
    """A gauge: the sum over living processes; what a dead one counted is gone."""
    LATEST = "latest"
    """A gauge: the largest that any process ever set, such as a moment."""
    READ = "read"
    """A gauge that is not counted: it is read from the records or the warehouse when somebody asks."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `labels` are their names in order; `closed` gives those whose values are known beforehand."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    closed: Mapping[str, tuple[str, ...]] | None = None
    buckets: tuple[float, ...] = ()


SYNC_RESULTS: Final = ("published", "up_to_date", "not_delivered", "rejected", "failed")
QUERY_RESULTS: Final = ("success", "error", "timeout", "cancelled", "rate_limited", "denied")
REFUSALS: Final = (
    "syntax_error",
    "multi_statement",
    "not_select",
    "blocked_function",
    "cross_dataset",
    "file_access",
    "unsupported",
    "unknown_name",
    "binding",
    "parameter",
    "value",
    "too_large",
    OTHER,
)
FORMATS: Final = ("csv", "parquet", OTHER)
KILLS: Final = ("time_limit", "cpu_limit", "fault")
RECOVERIES: Final = ("dead_writer", "by_hand")
DRIFTS: Final = ("passed", "warning", "failed")

_QUERY_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
_SYNC_SECONDS: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400)
_PUBLISH_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)
_ROWS_PER_SECOND: Final = (100, 1_000, 5_000, 10_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000)
_ROWS: Final = (0, 10, 100, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000)

_C, _H = Kind.COUNTER, Kind.HISTOGRAM

_ALL: Final = (
    Metric("data_sync_trigger_total", _C, "Syncs that people began.", ("dataset", "user")),
    Metric("data_sync_status_checks_total", _C, "Times that the status of syncs was asked for."),
    Metric("data_sync_schedule_updates_total", _C, "Changes of sync schedules.", ("dataset", "user")),
    Metric(
        "data_sync_partitions_total",
        _C,
        "Partitions that were synced, by what came of it.",
        ("dataset", "table", "result"),
        {"result": SYNC_RESULTS},
    ),
    Metric("data_sync_duration_seconds", _H, "Whole sync of a partition.", ("table",), buckets=_SYNC_SECONDS),
    Metric(
        "data_sync_extract_seconds", _H, "From the first row to the staged file.", ("table",), buckets=_SYNC_SECONDS
    ),
    Metric("data_sync_publish_seconds", _H, "Publishing a validated file.", ("table",), buckets=_PUBLISH_SECONDS),
    Metric(
        "data_sync_rows_per_second", _H, "Rows extracted a second, by partition.", ("table",), buckets=_ROWS_PER_SECOND
    ),
    Metric(
        "data_sync_last_success_timestamp_seconds",
        Kind.LATEST,
        "When a partition of the table was last published or found up to date.",
        ("dataset", "table"),
    ),
    Metric(
        "data_drift_results_total",
        _C,
        "Partitions whose columns were held against the last version's: the same, more of them, or breaking.",
        ("table", "result"),
        {"result": DRIFTS},
    ),
    Metric(
        "data_lock_recoveries_total",
        _C,
        "Table locks taken from dead writers, or released by hand.",
        ("how",),
        {"how": RECOVERIES},
    ),
    Metric("data_query_executions_total", _C, "Queries that were let through.", ("user", "dataset")),
    Metric("data_query_results_total", _C, "Queries by how they ended.", ("result",), {"result": QUERY_RESULTS}),
    Metric("data_query_duration_seconds", _H, "Queries that were let through.", buckets=_QUERY_SECONDS),
    Metric("data_queries_running", Kind.RUNNING, "Queries that run now."),
    Metric(
        "data_query_validation_failures_total",
        _C,
        "Queries whose text was refused.",
        ("reason",),
        {"reason": REFUSALS},
    ),
    Metric("data_query_rate_limit_rejections_total", _C, "Queries over the limit.", ("user",)),
    Metric(
        "data_query_engine_kills_total",
        _C,
        "Query processes that were stopped at a limit, or broke.",
        ("cause",),
        {"cause": KILLS},
    ),
    Metric("data_export_requests_total", _C, "Exports that were let through.", ("user", "format")),
    Metric("data_export_rows", _H, "Rows of an export.", buckets=_ROWS),
    Metric("data_export_rate_limit_rejections_total", _C, "Exports over the limit.", ("user",)),
    Metric("data_dataset_access_denials_total", _C, "Refusals for want of a permission.", ("user", "dataset")),
    Metric("data_quality_alert_views_total", _C, "Times that alerts were asked for."),
    Metric("data_quality_alert_acks_total", _C, "Alerts that were acknowledged.", ("user", "metric_type")),
    Metric("data_quality_report_views_total", _C, "Times that verdicts, trends, coverage or the quarantine were seen."),
    Metric("data_quarantine_entries", Kind.READ, "Partitions in quarantine.", ("table",)),
    Metric("data_quality_open_alerts", Kind.READ, "Alerts that nobody has settled.", ("dataset", "severity")),
    Metric("data_records_up", Kind.READ, "1 when the records answered this scrape, 0 when they did not."),
    Metric("data_metrics_readable", Kind.READ, "1 when the counts could be read for this scrape, 0 when not."),
)

METRICS: Final[Mapping[str, Metric]] = {metric.name: metric for metric in _ALL}
