"""The service: what is allowed, what is recorded, and in which order."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import psycopg
import pytest
from pydantic import SecretStr

from data_platform.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    NotPermittedError,
    PlatformError,
    QueryTimeoutError,
    RateLimitedError,
    UsageError,
)
from data_platform.governance.audit_key import open_cipher
from data_platform.governance.engine.engine import QueryEngine
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.fingerprint import fingerprint
from data_platform.governance.permissions import Role, User
from data_platform.records import query_audit
from data_platform.records.connection import Records, connect_records
from data_platform.records.databases import Databases
from data_platform.records.query_audit import AuditedQuery
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse
from data_platform.warehouse.reader import NoDataError

Limited = Callable[[int], DataExplorerService]


def audit(records: Records) -> list[AuditedQuery]:
    """All rows, oldest first."""
    with records.transaction(Scope.system("test")) as connection:
        return query_audit.recent(connection, limit=1000)[::-1]


@pytest.fixture
def limited(records: Records, warehouse: Warehouse, settings: Settings, engine: QueryEngine) -> Limited:
    def make(per_minute: int) -> DataExplorerService:
        lowered = settings.model_copy(update={"queries_per_minute": per_minute})
        return DataExplorerService(records, warehouse, lowered, engine)

    return make


def test_a_query_answers_with_its_page_and_what_is_known_of_the_rest(
    explorer: DataExplorerService, analyst: User
) -> None:
    result = explorer.execute_query(
        analyst, "crsp", "SELECT permno, date FROM crsp_daily ORDER BY ALL", page=2, page_size=300
    )
    assert result.table.num_rows == 300
    assert result.table["permno"][0].as_py() == 10003
    dto = result.dto
    assert (dto.dataset, dto.versions) == ("crsp", {"crsp_daily": 2})
    assert [(c.name, c.type) for c in dto.columns] == [("permno", "INTEGER"), ("date", "DATE")]
    assert (dto.row_count, dto.page, dto.pages, dto.total_rows, dto.total_is_minimum) == (300, 2, 3, 750, False)
    assert dto.remaining_queries == 99
    assert dto.duration_ms > 0


@pytest.mark.parametrize(
    "value",
    [
        "TIMESTAMP_NS '2020-01-01 00:00:00.123456789'",
        "'infinity'::TIMESTAMP_S",
        "[coalesce(NULL, 'infinity'::DATE)]",
        "MAP {DATE '99999-01-01': 1}",
        "TIME '24:00:00'",
        "[170141183460469231731687303715884105727::HUGEINT]",
    ],
)
def test_values_that_python_has_none_for_are_answered(explorer: DataExplorerService, analyst: User, value: str) -> None:
    answer = explorer.execute_query(analyst, "crsp", f"SELECT {value} AS v, {value}::VARCHAR AS t")
    with duckdb.connect() as plain:
        assert answer.table.equals(plain.sql(f"SELECT {value} AS v, {value}::VARCHAR AS t").to_arrow_table())


def test_counting_is_given_up_where_the_page_limit_lies(explorer: DataExplorerService, analyst: User) -> None:
    dto = explorer.execute_query(analyst, "crsp", "SELECT * FROM crsp_daily, range(1000)").dto
    assert (dto.pages, dto.total_rows, dto.total_is_minimum) == (None, 100_000, True)


def test_an_earlier_version_can_be_asked_for(explorer: DataExplorerService, analyst: User) -> None:
    query = "SELECT count(*) AS n FROM crsp_daily"
    latest = explorer.execute_query(analyst, "crsp", query)
    earlier = explorer.execute_query(analyst, "crsp", query, as_of=1)
    assert (latest.table["n"][0].as_py(), earlier.table["n"][0].as_py()) == (750, 500)
    assert earlier.dto.versions == {"crsp_daily": 1}
    with pytest.raises(UsageError, match="9"):
        explorer.execute_query(analyst, "crsp", query, as_of=9)


def test_a_success_leaves_an_attempt_and_an_outcome(
    explorer: DataExplorerService, records: Records, settings: Settings, analyst: User
) -> None:
    query = "SELECT * FROM crsp_daily WHERE permno = 10001"
    result = explorer.execute_query(analyst, "crsp", query, client_ip="192.0.2.7")
    attempt, outcome = audit(records)
    assert result.dto.query_id == attempt.id
    assert (attempt.user_id, attempt.dataset, attempt.manifest_version) == ("ann", "crsp", 2)
    assert (attempt.query_fingerprint, attempt.client_ip, attempt.result) == (fingerprint(query), "192.0.2.7", None)
    assert attempt.query_text is not None
    assert b"crsp_daily" not in attempt.query_text
    assert open_cipher(settings).decrypt(attempt.query_text) == query
    assert (outcome.attempt_id, outcome.result, outcome.row_count) == (attempt.id, "success", 150)
    assert outcome.duration_ms == result.dto.duration_ms


@pytest.mark.parametrize(
    ("query", "options", "error", "result"),
    [
        ("SELECT nocol FROM crsp_daily", {}, UsageError, "error"),
        ("SELECT * FROM ff_factors_daily", {}, UsageError, "error"),
        ("SELECT * FROM read_text('/etc/passwd')", {}, UsageError, "error"),
        ("DROP TABLE crsp_daily", {}, UsageError, "error"),
        ("SELECT ticker::INTEGER FROM crsp_daily", {}, UsageError, "error"),
        ("SELECT 1 -- " + "x" * 20_000, {}, UsageError, "error"),
        ("SELECT * FROM crsp_daily", {"page": 2}, UsageError, "error"),
        ("SELECT list(range) FROM range(2000000000)", {}, PlatformError, "error"),
        (
            "SELECT count(*) FROM range(1000000) a, range(1000000) b",
            {"timeout_seconds": 1},
            QueryTimeoutError,
            "timeout",
        ),
    ],
)
def test_a_failure_leaves_an_attempt_and_an_outcome_without_rows(
    explorer: DataExplorerService,
    records: Records,
    analyst: User,
    query: str,
    options: dict[str, int],
    error: type[PlatformError],
    result: str,
) -> None:
    with pytest.raises(error):
        explorer.execute_query(analyst, "crsp", query, **options)  # type: ignore[arg-type]
    attempt, outcome = audit(records)
    assert (attempt.result, attempt.manifest_version) == (None, 2)
    assert (outcome.attempt_id, outcome.result, outcome.row_count) == (attempt.id, result, None)


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (User("vic", Role.VIEWER), "Access to crsp requires dataset:crsp and query:data"),
        (User("vic", Role.VIEWER, grants=frozenset({"query:data"})), "Access to crsp requires dataset:crsp"),
        (User("ann", Role.ANALYST, revocations=frozenset({"dataset:crsp"})), "Access to crsp requires dataset:crsp"),
        (User("eve", Role.ADMIN, disabled=True), "User eve is disabled."),
    ],
)
def test_a_refusal_names_the_permission_and_is_recorded(
    explorer: DataExplorerService, records: Records, user: User, reason: str
) -> None:
    asking = [
        lambda: explorer.execute_query(user, "crsp", "SELECT 1"),
        lambda: explorer.get_dataset_preview(user, "crsp"),
        lambda: explorer.submit_query(user, "crsp", "SELECT 1").id,
    ]
    for ask in asking:
        with pytest.raises(NotPermittedError, match=reason):
            ask()
    rows = audit(records)
    assert [(row.user_id, row.dataset, row.result, row.attempt_id) for row in rows] == [
        (user.user_id, "crsp", "denied", None)
    ] * len(asking)


def test_a_refused_user_does_not_learn_whether_anything_was_synced(
    records: Records, settings: Settings, engine: QueryEngine, tmp_path: Path
) -> None:
    empty = DataExplorerService(records, Warehouse(tmp_path / "empty"), settings, engine)
    with pytest.raises(NotPermittedError):
        empty.execute_query(User("vic", Role.VIEWER), "crsp", "SELECT 1")
    with pytest.raises(NoDataError, match=r"No data available in dataset crsp\. Run: data-platform sync crsp_daily"):
        empty.execute_query(User("ann", Role.ANALYST), "crsp", "SELECT 1")
    with pytest.raises(NoDataError):
        empty.get_dataset_preview(User("ann", Role.ANALYST), "crsp")


def test_over_the_limit_a_query_is_refused_with_the_time_to_wait(
    limited: Limited, records: Records, analyst: User
) -> None:
    service = limited(3)
    assert [service.execute_query(analyst, "crsp", "SELECT 1").dto.remaining_queries for _ in range(3)] == [2, 1, 0]
    with pytest.raises(RateLimitedError, match=r"Please wait \d+ seconds") as caught:
        service.execute_query(analyst, "crsp", "SELECT 1")
    assert 50 <= caught.value.retry_after_seconds <= 60
    assert audit(records)[-1].result == "rate_limited"
    assert service.execute_query(User("bob", Role.ANALYST), "crsp", "SELECT 1").table.num_rows == 1


def test_the_limit_holds_for_queries_at_once(limited: Limited, records: Records, analyst: User) -> None:
    service = limited(4)

    def ask(number: int) -> bool:
        try:
            service.execute_query(analyst, "crsp", f"SELECT {number}")
        except RateLimitedError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(12))) == 4
    results = [row.result for row in audit(records)]
    assert sorted(map(str, results)) == ["None"] * 4 + ["rate_limited"] * 8 + ["success"] * 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": "crspp"}, "Unknown dataset 'crspp'. Did you mean crsp"),
        ({"page": 0}, "The page must be between 1 and"),
        ({"page_size": 0}, "The page size must be between 1 and 10,000"),
        ({"page_size": 10_001}, "The page size must be between 1 and 10,000"),
        ({"timeout_seconds": 31}, "up to 30 seconds"),
        ({"timeout_seconds": 0}, "up to 30 seconds"),
        ({"timeout_seconds": float("nan")}, "up to 30 seconds"),
    ],
)
def test_requests_that_make_no_sense_are_refused_before_anything_is_recorded(
    explorer: DataExplorerService, records: Records, analyst: User, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        explorer.execute_query(analyst, **{"dataset": "crsp", "query": "SELECT 1", **arguments})  # type: ignore[arg-type]
    assert audit(records) == []


def test_without_the_database_nothing_is_shown(
    warehouse: Warehouse, settings: Settings, engine: QueryEngine, databases: Databases, analyst: User
) -> None:
    away = dataclasses.replace(databases, service_url=databases.service_url.replace("port=", "port=1"))
    with connect_records(away, wait_seconds=0.3) as unreachable:
        service = DataExplorerService(unreachable, warehouse, settings, engine)
        with pytest.raises(DatabaseUnavailableError):
            service.execute_query(analyst, "crsp", "SELECT 1")


def test_when_the_outcome_cannot_be_recorded_no_rows_are_given(
    explorer: DataExplorerService, records: Records, databases: Databases, analyst: User
) -> None:
    """The right to write the audit is lost while the query runs."""

    def revoke_soon() -> None:
        while not audit(records):
            time.sleep(0.01)
        with psycopg.connect(databases.owner_url, autocommit=True) as owner:
            owner.execute("REVOKE INSERT ON platform.data_query_audit FROM platform_service")

    with ThreadPoolExecutor(1) as threads:
        revoking = threads.submit(revoke_soon)
        with pytest.raises(PlatformError, match="The database refuses this"):
            explorer.execute_query(analyst, "crsp", "SELECT count(*) FROM range(600000000) t(i) WHERE i % 7 = 3")
        revoking.result()
    assert [row.result for row in audit(records)] == [None]


def test_without_a_key_nothing_runs(
    records: Records, warehouse: Warehouse, settings: Settings, engine: QueryEngine, analyst: User
) -> None:
    keyless = settings.model_copy(update={"postgres_url": SecretStr("postgresql://u:p@h/d")})
    with pytest.raises(ConfigurationError, match="no query can run"):
        DataExplorerService(records, warehouse, keyless, engine).execute_query(analyst, "crsp", "SELECT 1")
    assert audit(records) == []


@pytest.mark.parametrize(
    ("user", "names"),
    [
        (User("vic", Role.VIEWER), ["fama_french"]),
        (User("ann", Role.ANALYST), ["crsp", "fama_french"]),
        (User("ann", Role.ANALYST, revocations=frozenset({"dataset:fama_french"})), ["crsp"]),
    ],
)
def test_the_list_holds_the_datasets_of_the_caller(explorer: DataExplorerService, user: User, names: list[str]) -> None:
    assert sorted(dataset.name for dataset in explorer.list_datasets(user)) == names


def test_a_disabled_user_sees_no_list(explorer: DataExplorerService) -> None:
    with pytest.raises(NotPermittedError, match="disabled"):
        explorer.list_datasets(User("eve", Role.ADMIN, disabled=True))


def test_the_list_tells_the_latest_version_of_each_table(
    explorer: DataExplorerService,
    records: Records,
    settings: Settings,
    engine: QueryEngine,
    tmp_path: Path,
    analyst: User,
) -> None:
    [crsp] = [dataset for dataset in explorer.list_datasets(analyst) if dataset.name == "crsp"]
    [table] = [each for each in crsp.tables if each.manifest_version is not None]
    assert (table.name, table.manifest_version, table.row_count) == ("crsp_daily", 2, 750)
    assert (table.start_date, table.end_date) == (dt.date(2020, 1, 2), dt.date(2021, 2, 22))
    assert table.last_sync is not None
    empty = DataExplorerService(records, Warehouse(tmp_path / "empty"), settings, engine)
    assert all(t.manifest_version is None for d in empty.list_datasets(analyst) for t in d.tables)


def test_a_preview_shows_the_first_rows_and_is_recorded(
    explorer: DataExplorerService, records: Records, analyst: User
) -> None:
    preview = explorer.get_dataset_preview(analyst, "crsp", limit=5)
    assert (preview.table, preview.manifest_version, preview.total_rows) == ("crsp_daily", 2, 750)
    assert [row["permno"] for row in preview.rows] == [10001] * 5
    assert [column.name for column in preview.columns][:3] == ["permno", "date", "ticker"]
    assert [row.result for row in audit(records)] == [None, "success"]
    assert "10001" not in repr(preview)
    for limit in (0, 1001):
        with pytest.raises(UsageError, match="between 1 and 1,000"):
            explorer.get_dataset_preview(analyst, "crsp", limit=limit)
    with pytest.raises(UsageError, match=r"has no table 'ff_factors_daily'\. Tables: crsp_daily"):
        explorer.get_dataset_preview(analyst, "crsp", table="ff_factors_daily")
    with pytest.raises(NoDataError, match=r"crsp_monthly was never synced\. Run: data-platform sync crsp_monthly"):
        explorer.get_dataset_preview(analyst, "crsp", table="crsp_monthly")


def test_a_table_without_data_is_told_from_one_that_is_not_permitted(
    explorer: DataExplorerService, analyst: User
) -> None:
    with pytest.raises(UsageError, match=r"Table crsp_monthly was never synced.*Run: data-platform sync crsp_monthly"):
        explorer.execute_query(analyst, "crsp", "SELECT * FROM CRSP_Monthly")
    with pytest.raises(UsageError, match=r"Table crsp_monthly has no version as of that.*data-platform versions"):
        explorer.execute_query(analyst, "crsp", "SELECT * FROM crsp_monthly", as_of=1)
    with pytest.raises(UsageError, match="not found or not permitted"):
        explorer.execute_query(analyst, "crsp", "SELECT * FROM compustat_annual")
    with pytest.raises(UsageError, match="crsp_daily has no version 99"):
        explorer.execute_query(analyst, "crsp", "SELECT * FROM crsp_daily", as_of=99)


def test_rows_do_not_show_in_the_text_of_a_result(explorer: DataExplorerService, analyst: User) -> None:
    result = explorer.execute_query(analyst, "crsp", "SELECT * FROM crsp_daily LIMIT 3")
    assert "T10001" not in repr(result)
