"""Every metric rises by what was done, when the service itself does it; and who may see the page of all of them."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from data_platform.errors import NotPermittedError, PlatformError, QueryTimeoutError, RateLimitedError
from data_platform.governance.audit_key import open_cipher
from data_platform.governance.audited import Question, audited
from data_platform.governance.engine.engine import QueryEngine, QueryRefusedError
from data_platform.governance.engine.limits import MIB, EngineLimits
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.metrics_page import metrics_page, require_metrics
from data_platform.governance.permissions import Role, User
from data_platform.governance.quality import DataQualityService
from data_platform.governance.sync_dto import SyncScheduleUpdateDTO
from data_platform.governance.sync_service import DataSyncService
from data_platform.metrics import counting
from data_platform.metrics.counting import count_in
from data_platform.records import alerts
from data_platform.records.alerts import Alert
from data_platform.records.connection import Records, connect_records
from data_platform.records.databases import Databases
from data_platform.records.rate_limits import EXPORTS
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse
from data_platform_tests.governance.people import PEOPLE, SYSTEM, fill
from data_platform_tests.governance.test_sync_service import Launcher
from data_platform_tests.metrics.figures import Figures, figures, risen
from data_platform_tests.records.processes import eventually

VIEWER, ANALYST, OPERATOR, ADMIN = (PEOPLE[role] for role in Role)
WITHOUT_CRSP = dataclasses.replace(OPERATOR, revocations=frozenset({"dataset:crsp"}))
NEVER_ENDS = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
REFUSED = {
    "syntax_error": "SELECT FROM WHERE",
    "multi_statement": "SELECT 1; SELECT 2",
    "not_select": "DELETE FROM crsp_daily",
    "blocked_function": "SELECT getenv('HOME')",
    "cross_dataset": "SELECT * FROM ff_factors_daily",
    "file_access": "SELECT * FROM '/etc/passwd'",
    "unsupported": "SHOW TABLES",
    "parameter": "SELECT $1",
    "unknown_name": "SELECT nothing_of_that_name FROM crsp_daily",
    "binding": "SELECT permno, sum(prc) FROM crsp_daily",
    "value": "SELECT CAST(ticker AS INTEGER) FROM crsp_daily",
    "too_large": f"SELECT '{'x' * 20_000}'",
}


@dataclasses.dataclass
class _Services:
    records: Records
    settings: Settings
    explorer: DataExplorerService
    sync: DataSyncService
    quality: DataQualityService
    alert: int

    def query(self, sql: str, user: User = ANALYST, timeout_seconds: float = 20) -> None:
        self.explorer.execute_query(user, "crsp", sql, timeout_seconds=timeout_seconds)

    def export(self) -> None:
        """What an export does under its own limit."""
        question = Question("the_operator", "crsp", "SELECT 1")
        limit = EXPORTS.of(1)
        with audited(self.records, open_cipher(self.settings), question, {"crsp_daily": 1}, limit):
            counting.export_requested("the_operator", "parquet")
            counting.export_written(7)


@pytest.fixture
def services(records: Records, warehouse: Warehouse, settings: Settings, engine: QueryEngine) -> Iterator[_Services]:
    fill(records)
    with records.transaction(SYSTEM) as connection:
        (alert,) = alerts.store(connection, [Alert("crsp", "crsp_daily", "2023", "level_shift", "warning", "shifted")])
    count_in(settings.home)
    yield _Services(
        records,
        settings,
        DataExplorerService(records, warehouse, settings, engine),
        DataSyncService(records, warehouse, settings),
        DataQualityService(records, warehouse),
        alert,
    )
    count_in(settings.home / "nowhere")


Do = Callable[[_Services], object]
_RAN: Figures = {
    ("data_query_executions_total", "the_analyst", "crsp"): 1,
    ("data_query_duration_seconds_count",): 1,
}
_SAME = SyncScheduleUpdateDTO(table="crsp_daily", expected_version=1)
_CHANGE = SyncScheduleUpdateDTO(table="crsp_daily", expected_version=1, cron_expression="30 4 * * 1-5")
_VIEWED: Figures = {("data_quality_report_views_total",): 1}
_ALERTS: Figures = {("data_quality_alert_views_total",): 1}


def _denial(user: str) -> Figures:
    return {("data_dataset_access_denials_total", user, "crsp"): 1}


CALLS: dict[str, tuple[Do, type[PlatformError] | None, Figures]] = {
    "status": (lambda s: s.sync.get_sync_status(VIEWER), None, {("data_sync_status_checks_total",): 1}),
    "a change that changes nothing": (lambda s: s.sync.update_sync_schedule(OPERATOR, "crsp", _SAME), None, {}),
    "schedule": (
        lambda s: s.sync.update_sync_schedule(OPERATOR, "crsp", _CHANGE),
        None,
        {("data_sync_schedule_updates_total", "crsp", "the_operator"): 1},
    ),
    "a schedule that somebody changed first": (
        lambda s: s.sync.update_sync_schedule(OPERATOR, "crsp", _CHANGE),
        PlatformError,
        {},
    ),
    "trigger": (
        lambda s: s.sync.trigger_sync(OPERATOR, "crsp", "restated", table="crsp_daily", launcher=Launcher()),
        None,
        {("data_sync_trigger_total", "crsp", "the_operator"): 1},
    ),
    "a trigger over the limit": (
        lambda s: s.sync.trigger_sync(OPERATOR, "crsp", "restated", table="crsp_daily", launcher=Launcher()),
        RateLimitedError,
        {},
    ),
    "a trigger without permission": (
        lambda s: s.sync.trigger_sync(ANALYST, "crsp", "restated", table="crsp_daily", launcher=Launcher()),
        NotPermittedError,
        _denial("the_analyst"),
    ),
    "query": (
        lambda s: s.query("SELECT count(*) FROM crsp_daily"),
        None,
        {**_RAN, ("data_query_results_total", "success"): 1},
    ),
    "preview": (
        lambda s: s.explorer.get_dataset_preview(ANALYST, "crsp"),
        None,
        {**_RAN, ("data_query_results_total", "success"): 1},
    ),
    "a query without permission": (
        lambda s: s.query("SELECT 1", VIEWER),
        NotPermittedError,
        {**_denial("the_viewer"), ("data_query_results_total", "denied"): 1},
    ),
    "a query that takes too long": (
        lambda s: s.query(NEVER_ENDS, timeout_seconds=0.5),
        QueryTimeoutError,
        {**_RAN, ("data_query_results_total", "timeout"): 1},
    ),
    **{
        reason: (
            lambda s, sql=sql: s.query(sql),
            QueryRefusedError,
            {
                **_RAN,
                ("data_query_results_total", "error"): 1,
                ("data_query_validation_failures_total", reason): 1,
            },
        )
        for reason, sql in REFUSED.items()
    },
    "verdicts": (lambda s: s.quality.get_validation_results(ANALYST, "crsp"), None, _VIEWED),
    "trends": (lambda s: s.quality.get_quality_trends(ANALYST, "crsp"), None, _VIEWED),
    "quarantine": (lambda s: s.quality.get_quarantine_status(ANALYST), None, _VIEWED),
    "coverage": (lambda s: s.quality.get_coverage(ANALYST, "crsp"), None, _VIEWED),
    "verdicts without permission": (
        lambda s: s.quality.get_validation_results(VIEWER, "crsp"),
        NotPermittedError,
        _denial("the_viewer"),
    ),
    "alerts": (lambda s: s.quality.get_anomaly_alerts(ANALYST), None, _ALERTS),
    "groups of alerts": (lambda s: s.quality.get_alert_groups(ANALYST), None, _ALERTS),
    "acknowledgment": (
        lambda s: s.quality.acknowledge_alert(ANALYST, s.alert, "restated"),
        None,
        {("data_quality_alert_acks_total", "the_analyst", "level_shift"): 1},
    ),
    "a second acknowledgment": (lambda s: s.quality.acknowledge_alert(ADMIN, s.alert, "me too"), None, {}),
    "export": (
        lambda s: s.export(),
        None,
        {
            ("data_query_executions_total", "the_operator", "crsp"): 1,
            ("data_query_duration_seconds_count",): 1,
            ("data_query_results_total", "success"): 1,
            ("data_export_requests_total", "the_operator", "parquet"): 1,
            ("data_export_rows_count",): 1,
        },
    ),
    "an export over the limit": (
        lambda s: s.export(),
        RateLimitedError,
        {("data_export_rate_limit_rejections_total", "the_operator"): 1},
    ),
}


def test_each_call_of_a_service_raises_its_metrics_and_no_others(services: _Services) -> None:
    before = figures(services.settings.home)
    for name, (do, error, expected) in CALLS.items():
        with contextlib.nullcontext() if error is None else pytest.raises(error):
            do(services)
        after = figures(services.settings.home)
        found = risen(before, after)
        # Whether a query that takes too long ends by itself or is killed is a matter of moments.
        counts = {key: by for key, by in found.items() if not key[0].endswith(("_bucket", "_sum", "_kills_total"))}
        assert counts == expected, name
        before = after


def test_a_query_over_the_limit_is_counted_for_its_user(services: _Services, warehouse: Warehouse) -> None:
    lowered = services.settings.model_copy(update={"queries_per_minute": 1})
    explorer = DataExplorerService(services.records, warehouse, lowered)
    before = figures(services.settings.home)
    with pytest.raises(RateLimitedError):
        explorer.execute_query(ANALYST, "crsp", "SELECT 1")
    assert risen(before, figures(services.settings.home)) == {
        ("data_query_rate_limit_rejections_total", "the_analyst"): 1,
        ("data_query_results_total", "rate_limited"): 1,
    }


@pytest.mark.parametrize(
    ("harm", "error", "cause"),
    [
        (psutil.Process.kill, PlatformError, "fault"),
        (psutil.Process.suspend, QueryTimeoutError, "time_limit"),
    ],
)
def test_a_query_process_that_is_stopped_or_breaks_is_counted_and_counts_nothing_itself(
    tmp_path: Path, harm: Callable[[psutil.Process], None], error: type[PlatformError], cause: str
) -> None:
    count_in(tmp_path)
    engine = QueryEngine(EngineLimits(memory_bytes=256 * MIB, address_space_bytes=1600 * MIB))
    earlier = {process.pid for process in psutil.Process().children()}
    try:
        engine.run("SELECT 1", {}, dataset="crsp", timeout_seconds=20, page=1, page_size=1)
        (server,) = [process for process in psutil.Process().children() if process.pid not in earlier]
        # The worker that has answered ends by itself: another one is to be struck.
        assert eventually(lambda: server.children() == [])

        def strike() -> None:
            assert eventually(lambda: bool(server.children()))
            harm(server.children()[0])

        striking = threading.Thread(target=strike)
        striking.start()
        with pytest.raises(error):
            engine.run(NEVER_ENDS, {}, dataset="crsp", timeout_seconds=3, page=1, page_size=1)
        striking.join()
        assert risen({}, figures(tmp_path)) == {
            ("data_query_engine_kills_total", cause): 1,
            ("data_metrics_readable",): 1,
        }
        assert len(list((tmp_path / "metrics").glob("*.db"))) == 1
    finally:
        engine.close()
        count_in(tmp_path / "nowhere")


def _samples(text: bytes) -> Figures:
    """By name and labels, these in the order of their names, as the text has them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_the_page_has_what_is_read_from_warehouse_and_records_and_says_when_these_are_away(
    services: _Services, warehouse: Warehouse, databases: Databases
) -> None:
    services.query("SELECT 1")
    page = metrics_page(services.settings, services.records, warehouse, OPERATOR)
    found = _samples(page.text)
    assert page.content_type.startswith("text/plain")
    published = warehouse.manifests("crsp_daily").latest()
    assert published is not None
    last = found[("data_sync_last_success_timestamp_seconds", "crsp", "crsp_daily")]
    assert last == pytest.approx(published.sync_timestamp.timestamp(), abs=0.01)
    assert found[("data_quarantine_entries", "crsp_daily")] == 0
    assert found[("data_quality_open_alerts", "crsp", "warning")] == 1
    assert found[("data_quality_open_alerts", "crsp", "error")] == 0
    assert found[("data_records_up",)] == found[("data_metrics_readable",)] == 1
    assert found[("data_query_executions_total", "crsp", "the_analyst")] == 1
    newer = metrics_page(services.settings, services.records, warehouse, OPERATOR, "application/openmetrics-text")
    assert newer.content_type.startswith("application/openmetrics-text")
    assert newer.text.rstrip().endswith(b"# EOF")

    away = dataclasses.replace(databases, service_url=databases.service_url.replace("port=", "port=1"))
    with connect_records(away, wait_seconds=0.3) as unreachable:
        found = _samples(metrics_page(services.settings, unreachable, warehouse, ADMIN).text)
    assert found[("data_records_up",)] == 0
    assert found[("data_query_executions_total", "crsp", "the_analyst")] == 1
    assert not [key for key in found if key[0] == "data_quality_open_alerts"]


@pytest.mark.parametrize("user", [VIEWER, ANALYST, WITHOUT_CRSP])
def test_who_lacks_a_dataset_sees_no_metrics(user: User) -> None:
    with pytest.raises(NotPermittedError, match="requires dataset:"):
        require_metrics(user)


def test_administrators_and_who_sees_every_dataset_see_metrics() -> None:
    require_metrics(OPERATOR)
    require_metrics(dataclasses.replace(ADMIN, revocations=frozenset({"dataset:crsp"})))
