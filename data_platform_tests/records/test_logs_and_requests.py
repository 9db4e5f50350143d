"""Sync logs, validation results and query requests: what is written is read back, newest first."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from data_platform.errors import UsageError
from data_platform.records import query_requests, sync_logs, validations
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform.records.validations import Validation

SYSTEM = Scope.system("sync")
RUN = uuid.UUID(int=7)


def test_a_log_line_comes_back_as_it_was_written(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        sync_logs.append(connection, "crsp", "crsp_daily", "WARN", "half\0way", {"rows": 5, "rate": 1.5}, RUN)
    with records.transaction(SYSTEM) as connection:
        (line,) = sync_logs.recent(connection)
    assert (line.dataset, line.table_name, line.level, line.message) == ("crsp", "crsp_daily", "WARN", "halfway")
    assert (line.extra, line.sync_run_id) == ({"rows": 5, "rate": 1.5}, RUN)
    assert line.created_at.utcoffset() is not None


@pytest.mark.parametrize(
    ("dataset", "level", "limit", "expected"),
    [
        (None, None, 100, ["d", "c", "b", "a"]),
        ("crsp", None, 100, ["c", "a"]),
        (None, "ERROR", 100, ["d", "c"]),
        ("crsp", "ERROR", 100, ["c"]),
        (None, None, 2, ["d", "c"]),
        ("taq", None, 100, []),
    ],
)
def test_logs_are_filtered(
    records: Records, dataset: str | None, level: sync_logs.Level | None, limit: int, expected: list[str]
) -> None:
    with records.transaction(SYSTEM) as connection:
        sync_logs.append(connection, "crsp", None, "INFO", "a")
        sync_logs.append(connection, "fama_french", None, "INFO", "b")
        sync_logs.append(connection, "crsp", None, "ERROR", "c")
        sync_logs.append(connection, "fama_french", None, "ERROR", "d")
        assert [line.message for line in sync_logs.recent(connection, dataset, level, limit)] == expected


def test_findings_come_back_newest_first(records: Records) -> None:
    found = [
        Validation("crsp", "crsp_daily", "2024", "row_count", "passed", "100", "101", None, RUN),
        Validation("crsp", "crsp_daily", "2024", "null_pct", "failed", "0.01", "0.5", "too many nulls in ret", RUN),
        Validation("fama_french", "ff_factors_daily", "all", "schema", "warning"),
    ]
    with records.transaction(SYSTEM) as connection:
        validations.store(connection, found)
        validations.store(connection, [])
        stored = validations.recent(connection)
        narrowed = validations.recent(connection, "crsp", "crsp_daily", limit=1)
    assert [
        Validation(**{name: getattr(each, name) for name in Validation.__dataclass_fields__}) for each in stored[::-1]
    ] == found
    assert [each.validation_type for each in narrowed] == ["null_pct"]


def test_a_request_goes_its_way(records: Records) -> None:
    scope = Scope("ann", frozenset({"crsp"}))
    with records.transaction(scope) as connection:
        request_id = query_requests.create(connection, "ann", "crsp", b"\x00text", b"params")
    with records.transaction(SYSTEM) as connection:
        query_requests.set_state(connection, request_id, "running")
        query_requests.set_state(connection, request_id, "done", "exports/ann/1/result.parquet")
        query_requests.set_state(connection, request_id, "done")
    with records.transaction(scope) as connection:
        request = query_requests.get(connection, request_id)
    assert request is not None
    assert (request.query_text, request.parameters, request.user_id) == (b"\x00text", b"params", "ann")
    assert (request.state, request.result_location) == ("done", "exports/ann/1/result.parquet")
    assert request.updated_at > request.created_at
    assert "text" not in repr(request).replace("query_text", "")


@pytest.mark.parametrize(("state", "taken"), [("queued", True), ("failed", True), ("running", False), ("done", False)])
def test_only_what_waits_or_failed_is_claimed(
    records: Records, state: query_requests.RequestState, taken: bool
) -> None:
    with records.transaction(SYSTEM) as connection:
        request_id = query_requests.create(connection, "ann", "crsp", b"text")
        query_requests.set_state(connection, request_id, state)
    with records.transaction(SYSTEM) as connection:
        claimed = query_requests.claim(connection, request_id)
        after = query_requests.get(connection, request_id)
    assert after is not None
    assert claimed == (after if taken else None)
    assert after.state == ("running" if taken else state)


def test_a_claim_waits_for_one_under_way_and_then_gets_nothing(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        request_id = query_requests.create(connection, "ann", "crsp", b"text")

    def claim() -> query_requests.QueryRequest | None:
        with records.transaction(SYSTEM) as connection:
            return query_requests.claim(connection, request_id)

    with ThreadPoolExecutor(1) as pool:
        with records.transaction(SYSTEM) as connection:
            first = query_requests.claim(connection, request_id)
            second = pool.submit(claim)
            waiting = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            deadline = time.monotonic() + 10
            while not (connection.execute(waiting).fetchone() or {"n": 0})["n"]:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert not second.done()
        assert second.result(timeout=10) is None
    assert first is not None


def test_a_running_request_can_be_claimed_again_once_its_run_must_be_dead(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        request_id = query_requests.create(connection, "ann", "crsp", b"text")
        assert query_requests.claim(connection, request_id) is not None
    for age, taken in ((dt.timedelta(minutes=4), False), (dt.timedelta(minutes=6), True)):
        with records.transaction(SYSTEM) as connection:
            connection.execute(
                "UPDATE platform.query_requests SET updated_at = clock_timestamp() - %s WHERE id = %s",
                (age, request_id),
            )
            assert (query_requests.claim(connection, request_id) is not None) == taken
            # Whoever took it has begun anew, so that nobody takes it again.
            assert query_requests.claim(connection, request_id) is None


def test_somebody_elses_request_does_not_exist(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        request_id = query_requests.create(connection, "ann", "crsp", b"text")
    with records.transaction(Scope("ben", frozenset({"crsp"}))) as connection:
        for unknown in (request_id, uuid.UUID(int=0)):
            assert query_requests.get(connection, unknown) is None
            assert query_requests.claim(connection, unknown) is None
            with pytest.raises(UsageError, match="was not found"):
                query_requests.set_state(connection, unknown, "failed")
