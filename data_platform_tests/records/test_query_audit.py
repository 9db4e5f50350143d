"""The rate limit and the audit row are one transaction: neither can be had without the other."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Mapping

import psycopg
import pytest

from data_platform.errors import DatabaseUnavailableError, RateLimitedError
from data_platform.records import query_audit
from data_platform.records.connection import Records, connect_records
from data_platform.records.databases import Databases
from data_platform.records.query_audit import AuditedQuery, SealedText, split_versions
from data_platform.records.rate_limits import QUERIES
from data_platform.records.scope import Scope

SYSTEM = Scope.system("test")
PRINT = "b" * 64
TEXT = SealedText(PRINT, "c" * 64, b"encrypted")


def attempt(records: Records, user: str = "ann", limit: int = 3, window: float = 60) -> query_audit.Attempt:
    asked = dataclasses.replace(QUERIES, allowed=limit, window=dt.timedelta(seconds=window))
    return query_audit.record_attempt(records, user, "crsp", {"crsp_daily": 7}, TEXT, "10.1.2.3", asked)


def everything(records: Records) -> list[AuditedQuery]:
    with records.transaction(SYSTEM) as connection:
        return query_audit.recent(connection, limit=1000)[::-1]


def test_attempts_count_down_and_the_refusal_says_how_long_to_wait(records: Records) -> None:
    assert [attempt(records).remaining for _ in range(3)] == [2, 1, 0]
    with pytest.raises(RateLimitedError, match=r"0 are left\. Please wait \d+ seconds") as caught:
        attempt(records)
    assert 55 <= caught.value.retry_after_seconds <= 60
    assert attempt(records, user="ben").remaining == 2


def test_a_refusal_is_recorded_and_does_not_count(records: Records) -> None:
    attempt(records, limit=1)
    for _ in range(4):
        with pytest.raises(RateLimitedError):
            attempt(records, limit=1)
    assert [row.result for row in everything(records)] == [None] + ["rate_limited"] * 4
    assert attempt(records, limit=2).remaining == 0


def test_neither_outcomes_nor_denials_count(records: Records) -> None:
    first = attempt(records, limit=2)
    query_audit.record_outcome(records, first.audit_id, 1, 1, "success")
    query_audit.record_refusal(records, "ann", "taq", TEXT, None)
    assert attempt(records, limit=2).remaining == 0


def test_there_is_room_again_when_the_window_has_passed(records: Records) -> None:
    attempt(records, limit=1, window=0.5)
    with pytest.raises(RateLimitedError) as caught:
        attempt(records, limit=1, window=0.5)
    assert caught.value.retry_after_seconds == 1
    time.sleep(0.6)
    assert attempt(records, limit=1, window=0.5).remaining == 0


def test_an_outcome_names_its_attempt_and_repeats_who_and_what_but_not_the_text(records: Records) -> None:
    made = attempt(records)
    outcome_id = query_audit.record_outcome(records, made.audit_id, 5, 12, "timeout")
    before, after = everything(records)
    assert (before.id, before.query_text, before.result) == (made.audit_id, b"encrypted", None)
    assert (after.id, after.attempt_id, after.query_text) == (outcome_id, made.audit_id, None)
    assert (after.row_count, after.duration_ms, after.result) == (5, 12, "timeout")
    for row in (before, after):
        assert (row.user_id, row.dataset, row.manifest_version, row.query_fingerprint, row.client_ip) == (
            "ann",
            "crsp",
            7,
            PRINT,
            "10.1.2.3",
        )


def test_an_attempt_has_one_outcome(records: Records) -> None:
    made = attempt(records)
    query_audit.record_outcome(records, made.audit_id, 5, 12, "success")
    with pytest.raises(psycopg.errors.UniqueViolation):
        query_audit.record_outcome(records, made.audit_id, 5, 12, "error")


@pytest.mark.parametrize("result", ["success", "error", "timeout", "cancelled"])
def test_only_an_attempt_has_an_outcome(records: Records, result: query_audit.Result) -> None:
    refusal = query_audit.record_refusal(records, "ann", "taq", TEXT, None)
    for no_attempt in (refusal, 12345):
        with pytest.raises(ValueError, match="is no attempt"):
            query_audit.record_outcome(records, no_attempt, 0, 0, result)


def test_a_user_reads_their_own_attempts(records: Records) -> None:
    attempt(records)
    attempt(records, user="ben")
    with records.transaction(Scope("ann", frozenset({"crsp"}))) as connection:
        assert [row.user_id for row in query_audit.recent(connection)] == ["ann"]
    with records.transaction(SYSTEM) as connection:
        assert [row.user_id for row in query_audit.recent(connection, user="ben", dataset="crsp")] == ["ben"]


def test_without_a_database_there_is_no_attempt(databases: Databases) -> None:
    gone = Databases(
        databases.owner_url,
        databases.service_url.replace("/postgres/run", "/postgres/nowhere"),
        "",
        embedded=True,
        demo=None,
    )
    with connect_records(gone, wait_seconds=0.3) as records, pytest.raises(DatabaseUnavailableError):
        attempt(records)


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (None, (None, None)),
        (4, (4, None)),
        ({}, (None, {})),
        ({"a": 4}, (4, {"a": 4})),
        ({"a": 4, "b": 5}, (None, {"a": 4, "b": 5})),
    ],
)
def test_which_versions_a_row_names(
    versions: int | Mapping[str, int] | None, expected: tuple[int | None, dict[str, int] | None]
) -> None:
    assert split_versions(versions) == expected
