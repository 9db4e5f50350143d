"""Audit rows are appended, chained and never changed; a change behind our back shows."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import threading

import psycopg
import pytest

from data_platform.errors import NotPermittedError
from data_platform.records import chain, platform_audit, query_audit
from data_platform.records.connection import Records, connect_records
from data_platform.records.databases import Databases
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import QUERIES
from data_platform.records.scope import Scope
from data_platform_tests.records.audited import first_break

SYSTEM = Scope.system("test")
CHAINS = [chain.QUERY_AUDIT, chain.PLATFORM_AUDIT]
TEXT = SealedText("a" * 64, "b" * 64, b"x")
MANY = QUERIES.of(1000)


def rows_of(records: Records, which: chain.Chain) -> list[dict[str, object]]:
    with records.transaction(SYSTEM) as connection:
        return list(chain.read_chain(connection, which))


def append_some(databases: Databases, user: str, times: int) -> None:
    with connect_records(databases) as records:
        for number in range(times):
            with records.transaction(Scope(user, frozenset({"crsp"}))) as connection:
                platform_audit.append(connection, user, "sync.trigger", new_value={"number": number})
            attempt = query_audit.record_attempt(records, user, "crsp", {"crsp_daily": 3}, TEXT, None, MANY)
            query_audit.record_outcome(records, attempt.audit_id, number, 5, "success")


def test_eight_processes_append_without_a_gap_or_a_fork(databases: Databases, records: Records) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=append_some, args=(databases, f"user{n}", 5)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 8
    for which, expected in ((chain.QUERY_AUDIT, 80), (chain.PLATFORM_AUDIT, 40)):
        rows = rows_of(records, which)
        assert [row["id"] for row in rows] == list(range(1, expected + 1))
        assert first_break(rows) is None
        times = [row["created_at"] for row in rows]
        assert times == sorted(times, key=str)


def test_a_transaction_undone_leaves_no_gap(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        platform_audit.append(connection, "ann", "first")
    with pytest.raises(ZeroDivisionError), records.transaction(SYSTEM) as connection:
        platform_audit.append(connection, "ann", "undone")
        raise ZeroDivisionError
    with records.transaction(SYSTEM) as connection:
        platform_audit.append(connection, "ann", "second")
    rows = rows_of(records, chain.PLATFORM_AUDIT)
    assert [(row["id"], row["action"]) for row in rows] == [(1, "first"), (2, "second")]
    assert first_break(rows) is None


REFUSED = [
    "UPDATE platform.{} SET client_ip = 'x'",
    "DELETE FROM platform.{}",
    "TRUNCATE platform.{}",
    "TRUNCATE platform.{} CASCADE",
    "DROP TABLE platform.{}",
    "ALTER TABLE platform.{} DISABLE ROW LEVEL SECURITY",
    "SELECT * FROM platform.{} FOR UPDATE",
]


@pytest.mark.parametrize("which", CHAINS, ids=lambda which: which.table)
def test_the_service_may_only_append_and_read(records: Records, which: chain.Chain) -> None:
    append_some(records.databases, "ann", 1)
    for statement in REFUSED:
        with pytest.raises(NotPermittedError), records.transaction(SYSTEM) as connection:
            connection.execute(statement.format(which.table).encode())
            pytest.fail(f"allowed: {statement}")


@pytest.mark.parametrize("which", CHAINS, ids=lambda which: which.table)
@pytest.mark.parametrize(
    "statement", ["UPDATE platform.{} SET client_ip = 'x'", "DELETE FROM platform.{}", "TRUNCATE platform.{}"]
)
def test_the_tables_refuse_it_to_their_owner_and_to_a_superuser_too(
    records: Records, postgres: EmbeddedServer, which: chain.Chain, statement: str
) -> None:
    append_some(records.databases, "ann", 1)
    dbname = str(psycopg.conninfo.conninfo_to_dict(records.databases.owner_url)["dbname"])
    for url in (records.databases.owner_url, postgres.url(SUPERUSER, dbname)):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.format(which.table).encode())


FORGED = [
    ("a row that skips a number", {"id": 4}),
    ("a row with a number that is taken", {"id": 2}),
    ("a row that does not name the last hash", {"previous_hash": "1" * 64}),
]


@pytest.mark.parametrize(("change"), [change for _, change in FORGED], ids=[name for name, _ in FORGED])
def test_a_row_that_does_not_follow_the_last_is_refused(records: Records, change: dict[str, object]) -> None:
    for number in range(2):
        with records.transaction(SYSTEM) as connection:
            platform_audit.append(connection, "ann", "x", new_value={"number": number})
    with records.transaction(SYSTEM) as connection:
        head = chain.head_of(connection, chain.PLATFORM_AUDIT)
    row = {"id": head.id + 1, "previous_hash": head.hash, "hash": "2" * 64, **change}
    refused = (NotPermittedError, psycopg.errors.UniqueViolation)
    with pytest.raises(refused), records.transaction(SYSTEM) as connection:
        connection.execute(
            "INSERT INTO platform.platform_audit (id, actor, action, previous_hash, hash) OVERRIDING SYSTEM VALUE "
            "VALUES (%(id)s, 'ann', 'forged', %(previous_hash)s, %(hash)s)",
            row,
        )
    assert [row["id"] for row in rows_of(records, chain.PLATFORM_AUDIT)] == [1, 2]


def test_an_outcome_of_somebody_elses_attempt_is_refused(records: Records) -> None:
    mine = query_audit.record_attempt(records, "ann", "crsp", 1, TEXT, None, MANY)
    forged = {"attempt_id": mine.audit_id, "user_id": "ben", "dataset": "crsp", "query_fingerprint": "a" * 64}
    with pytest.raises(NotPermittedError), records.transaction(SYSTEM) as connection:
        chain.append(connection, chain.QUERY_AUDIT, {**forged, "result": "success"})


@pytest.mark.parametrize("which", CHAINS, ids=lambda which: which.table)
@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE platform.{} SET client_ip = '10.0.0.1' WHERE id = 2", 2),
        ("UPDATE platform.{} SET created_at = created_at - interval '1 microsecond' WHERE id = 3", 3),
        ("DELETE FROM platform.{} WHERE id = 2", 3),
        ("UPDATE platform.{} SET previous_hash = repeat('0', 64) WHERE id = 4", 4),
    ],
)
def test_tampering_shows_at_the_row(
    records: Records, postgres: EmbeddedServer, which: chain.Chain, tampering: str, broken: int
) -> None:
    append_some(records.databases, "ann", 4)
    dbname = psycopg.conninfo.conninfo_to_dict(records.databases.owner_url)["dbname"]
    with psycopg.connect(postgres.url(SUPERUSER, str(dbname)), autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(tampering.format(which.table).encode())
    assert first_break(rows_of(records, which)) == broken


def test_a_user_who_sees_no_other_row_still_continues_the_chain(records: Records) -> None:
    for user in ("ann", "ben"):
        with records.transaction(Scope(user, frozenset())) as connection:
            platform_audit.append(connection, user, "x", old_value={"b": 1, "a": [1.0, 1e25, "ü\u2028"]}, reason="'")
            assert [entry.actor for entry in platform_audit.recent(connection)] == [user]
    assert first_break(rows_of(records, chain.PLATFORM_AUDIT)) is None


def test_threads_of_one_pool_append_in_order(records: Records) -> None:
    threads = [threading.Thread(target=append_some, args=(records.databases, f"t{n}", 3)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first_break(rows_of(records, chain.QUERY_AUDIT)) is None
    assert len(rows_of(records, chain.QUERY_AUDIT)) == 48


NOON = dt.datetime(2026, 1, 2, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"b": 1, "a": None}, '{"a":null,"b":1}'),
        ({"a": 1, "hash": "x", "previous_hash": "y"}, '{"a":1}'),
        ({"t": NOON}, '{"t":"2026-01-02T12:00:00.000000+00:00"}'),
        ({"t": NOON.astimezone(dt.timezone(dt.timedelta(hours=-5)))}, '{"t":"2026-01-02T12:00:00.000000+00:00"}'),
        ({"x": b"\x00\xff"}, '{"x":"AP8="}'),
        ({"j": {"b": 1, "a": 2}, "u": "ü"}, '{"j":{"a":2,"b":1},"u":"\\u00fc"}'),
    ],
)
def test_the_canonical_form(row: dict[str, object], expected: str) -> None:
    assert chain.canonical(row) == expected


def test_the_hash_is_the_sha_256_of_previous_hash_and_canonical_row() -> None:
    # printf '%s\n{"a":1}' 000… | sha256sum
    assert chain.chain_hash("0" * 64, {"a": 1}) == "f21735afd2cd6af4fc5804b0045cebfd545aef8396d29d030c39cb8880b45b7f"


def test_a_younger_column_counts_where_it_has_a_value_so_that_older_rows_verify_as_before() -> None:
    old = {"id": 1, "user_id": "ann", "query_text_sha256": "0" * 64, "result": "success"}
    younger = {"kind": None, "result_sha256": None, "result_order_sha256": None}
    assert chain.chain_hash(chain.GENESIS, old | younger) == chain.chain_hash(chain.GENESIS, old)
    for name in younger:
        changed = old | younger | {name: "a" * 64}
        assert chain.chain_hash(chain.GENESIS, changed) != chain.chain_hash(chain.GENESIS, old)
        assert f'"{name}":"{"a" * 64}"' in chain.canonical(changed)


def test_the_hash_of_a_result_is_part_of_the_chain(records: Records) -> None:
    made = query_audit.record_attempt(records, "ann", "crsp", {"a": 1, "b": 2}, TEXT, None, MANY, kind="export")
    found = query_audit.ResultHash("a" * 64, "b" * 64)
    query_audit.record_outcome(records, made.audit_id, 1, 1, "success", versions={"b": 2}, result_hash=found)
    with records.transaction(Scope.system("test")) as connection:
        attempt, outcome = query_audit.with_outcome(connection, made.audit_id)
    assert (attempt.kind, attempt.manifest_versions, attempt.result_sha256) == ("export", {"a": 1, "b": 2}, None)
    assert (outcome.kind, outcome.manifest_version, outcome.manifest_versions) == ("export", 2, {"b": 2})
    assert (outcome.result_sha256, outcome.result_order_sha256) == ("a" * 64, "b" * 64)
    with records.transaction(Scope.system("test")) as connection:
        rows = list(chain.read_chain(connection, chain.QUERY_AUDIT))
    for name in ("kind", "result_sha256", "result_order_sha256"):
        assert rows[1]["hash"] == chain.chain_hash(rows[1]["previous_hash"], rows[1])
        assert rows[1]["hash"] != chain.chain_hash(rows[1]["previous_hash"], rows[1] | {name: None})
