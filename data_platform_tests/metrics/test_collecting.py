"""What a scraper gets: text that Prometheus's own parser reads, with every declared name, label and bucket."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from data_platform.governance.engine.problems import ProblemKind
from data_platform.metrics import counting
from data_platform.metrics.collecting import Counted
from data_platform.metrics.declared import METRICS, REFUSALS, Kind
from data_platform_tests.metrics.figures import figures

NAMED = {
    "data_sync_trigger_total": {"dataset", "user"},
    "data_sync_status_checks_total": set(),
    "data_sync_schedule_updates_total": {"dataset", "user"},
    "data_query_executions_total": {"user", "dataset"},
    "data_query_duration_seconds": set(),
    "data_export_requests_total": {"user", "format"},
    "data_export_rows": set(),
    "data_query_validation_failures_total": {"reason"},
    "data_query_rate_limit_rejections_total": {"user"},
    "data_export_rate_limit_rejections_total": {"user"},
    "data_dataset_access_denials_total": {"user", "dataset"},
    "data_quality_alert_views_total": set(),
    "data_quality_alert_acks_total": {"user", "metric_type"},
    "data_quality_report_views_total": set(),
}
"""The names and labels that dashboards and alerts of others rely on."""


def test_the_names_and_labels_that_others_rely_on_stay() -> None:
    assert {name: set(METRICS[name].labels) for name in NAMED} == NAMED


def test_every_metric_says_what_it_is_and_is_named_by_the_rules() -> None:
    for metric in METRICS.values():
        assert metric.help.endswith(".")
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)
        assert list(metric.buckets) == sorted(set(metric.buckets))


def test_every_reason_for_which_a_text_is_refused_is_a_label() -> None:
    failed = {
        ProblemKind.MEMORY,
        ProblemKind.TIMEOUT,
        ProblemKind.STORAGE,
        ProblemKind.SANDBOX,
        ProblemKind.INTERNAL,
    }
    assert set(ProblemKind) - failed == set(REFUSALS) - {"other"}


def test_prometheus_reads_the_text(counting_home: Path) -> None:
    counting.query_ended("success", 0.07)
    counting.query_ended("error", 99.0)
    counting.access_denied('o"ne\n\\two', "crsp")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Counted(counting_home))
    families = {each.name: each for each in text_string_to_metric_families(generate_latest(registry).decode())}
    counted = {metric.name.removesuffix("_total") for metric in METRICS.values() if metric.kind is not Kind.READ}
    assert counted <= set(families)
    samples = {
        (sample.name, sample.labels.get("le")): sample.value
        for sample in families["data_query_duration_seconds"].samples
    }
    assert samples[("data_query_duration_seconds_bucket", "0.05")] == 0
    assert samples[("data_query_duration_seconds_bucket", "0.1")] == 1
    assert samples[("data_query_duration_seconds_bucket", "60.0")] == 1
    assert samples[("data_query_duration_seconds_bucket", "+Inf")] == 2
    assert samples[("data_query_duration_seconds_count", None)] == 2
    assert samples[("data_query_duration_seconds_sum", None)] == 99.07
    (denial,) = families["data_dataset_access_denials"].samples
    assert denial.labels == {"user": 'o"ne\n\\two', "dataset": "crsp"}


def test_what_is_known_beforehand_is_zero_from_the_start(tmp_path: Path) -> None:
    found = figures(tmp_path)
    assert found[("data_query_validation_failures_total", "cross_dataset")] == 0
    assert found[("data_sync_status_checks_total",)] == 0
    assert found[("data_query_duration_seconds_count",)] == 0
    assert found[("data_sync_partitions_total", "crsp", "crsp_daily", "failed")] == 0
    assert found[("data_drift_results_total", "ff_factors_daily", "warning")] == 0
    unknown = {"data_sync_trigger_total", "data_sync_last_success_timestamp_seconds", "data_sync_duration_seconds_sum"}
    assert not [key for key in found if key[0] in unknown]
