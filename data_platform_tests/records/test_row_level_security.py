"""The dataset filter below the code: what each scope sees and may write, table by table."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from data_platform.errors import NotPermittedError
from data_platform.records import platform_audit, query_audit, query_requests, sync_logs, tokens, users, validations
from data_platform.records.connection import Connection, Records
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import QUERIES
from data_platform.records.scope import Scope
from data_platform.records.validations import Validation

SYSTEM = Scope.system("test")
ANN = Scope("ann", frozenset({"crsp"}))
BEN = Scope("ben", frozenset({"crsp", "fama_french"}))
NOBODY = Scope("eve", frozenset())
ADMIN = Scope("adm", None)
TEXT = SealedText("0" * 64, "0" * 64, b"encrypted")


@pytest.fixture
def filled(records: Records) -> Records:
    with records.transaction(SYSTEM) as connection:
        for dataset in ("crsp", "fama_french"):
            sync_logs.append(connection, dataset, f"{dataset}_daily", "INFO", "done")
            validations.store(connection, [Validation(dataset, f"{dataset}_daily", "2024", "row_count", "passed")])
            for user in ("ann", "ben"):
                query_requests.create(connection, user, dataset, b"encrypted")
        for user in ("ann", "ben"):
            users.add(connection, user, "analyst")
            users.grant(connection, user, "dataset:taq")
            tokens.create(connection, user)
            platform_audit.append(connection, user, "sync.trigger", dataset="fama_french")
    for user in ("ann", "ben"):
        for dataset in ("crsp", "fama_french"):
            query_audit.record_attempt(records, user, dataset, 1, TEXT, None, QUERIES)
    return records


VISIBLE = [
    ("data_sync_logs", {SYSTEM: 2, ADMIN: 2, ANN: 1, BEN: 2, NOBODY: 0}),
    ("data_validation_results", {SYSTEM: 2, ADMIN: 2, ANN: 1, BEN: 2, NOBODY: 0}),
    ("query_requests", {SYSTEM: 4, ADMIN: 4, ANN: 1, BEN: 2, NOBODY: 0}),
    ("data_query_audit", {SYSTEM: 4, ADMIN: 4, ANN: 1, BEN: 2, NOBODY: 0}),
    ("platform_audit", {SYSTEM: 8, ADMIN: 8, ANN: 0, BEN: 1, NOBODY: 0}),
    ("platform_users", {SYSTEM: 2, ADMIN: 2, ANN: 1, BEN: 1, NOBODY: 0}),
    ("platform_grants", {SYSTEM: 2, ADMIN: 2, ANN: 1, BEN: 1, NOBODY: 0}),
    ("platform_tokens", {SYSTEM: 2, ADMIN: 2, ANN: 1, BEN: 1, NOBODY: 0}),
]


def count(connection: Connection | psycopg.Connection[tuple[int]], table: str) -> int:
    found = connection.execute(f"SELECT count(*) AS n FROM platform.{table}".encode()).fetchone()
    assert found is not None
    return found["n"] if isinstance(found, dict) else found[0]


def test_each_scope_sees_its_rows(filled: Records) -> None:
    seen: dict[str, dict[Scope, int]] = {}
    for table, expected in VISIBLE:
        seen[table] = {}
        for scope in expected:
            with filled.transaction(scope) as connection:
                seen[table][scope] = count(connection, table)
    assert seen == dict(VISIBLE)


INCOMPLETE: list[tuple[dict[str, str], set[str]]] = [
    ({}, set()),
    ({"app.user": "ann", "app.datasets": "*"}, set()),
    ({"app.user": "ann", "app.datasets": "*", "app.seal": ""}, set()),
    ({"app.user": "ann", "app.datasets": "*", "app.seal": "0" * 64}, set()),
    ({"app.user": "ann"}, set()),
    ({"app.datasets": "crsp"}, set()),
    ({"app.datasets": "*"}, set()),
    ({"app.user": "", "app.datasets": "*"}, set()),
    ({"app.user": "someone", "app.datasets": ""}, set()),
    ({"app.user": "someone", "app.datasets": ","}, set()),
]
"""Settings without a valid seal, and the tables of which they show anything: none."""


def test_a_scope_without_its_seal_sees_nothing(filled: Records) -> None:
    seen: list[tuple[dict[str, str], set[str]]] = []
    for settings, _ in INCOMPLETE:
        with psycopg.connect(filled.databases.service_url) as connection:
            for name, value in settings.items():
                connection.execute("SELECT set_config(%s, %s, true)", (name, value))
            seen.append((settings, {table for table, _ in VISIBLE if count(connection, table)}))
    assert seen == INCOMPLETE


def test_a_scope_ends_with_its_transaction(filled: Records) -> None:
    with filled.transaction(SYSTEM):
        pass
    # The pool hands the same session out again; only what the new transaction sets may hold.
    with filled.transaction(NOBODY) as connection:
        assert count(connection, "data_sync_logs") == 0


def _other_dataset(connection: Connection) -> None:
    sync_logs.append(connection, "fama_french", None, "INFO", "x")


def _other_validation(connection: Connection) -> None:
    validations.store(connection, [Validation("fama_french", "t", "2024", "schema", "passed")])


def _other_request(connection: Connection) -> None:
    query_requests.create(connection, "ben", "crsp", b"x")


def _request_for_other_dataset(connection: Connection) -> None:
    query_requests.create(connection, "ann", "fama_french", b"x")


def _act_as_other(connection: Connection) -> None:
    platform_audit.append(connection, "ben", "sync.trigger")


def _raise_own_role(connection: Connection) -> None:
    users.add(connection, "ann2", "admin")


def _own_grant(connection: Connection) -> None:
    users.grant(connection, "ann", "dataset:taq")


def _own_token(connection: Connection) -> None:
    tokens.create(connection, "ann")


def _turn_security_off(connection: Connection) -> None:
    connection.execute("ALTER TABLE platform.data_sync_logs DISABLE ROW LEVEL SECURITY")


FORBIDDEN: list[Callable[[Connection], None]] = [
    _other_dataset,
    _other_validation,
    _other_request,
    _request_for_other_dataset,
    _act_as_other,
    _raise_own_role,
    _own_grant,
    _own_token,
    _turn_security_off,
]


def test_what_a_limited_scope_may_not_do(filled: Records) -> None:
    for act in FORBIDDEN:
        with pytest.raises(NotPermittedError), filled.transaction(ANN) as connection:
            act(connection)
            pytest.fail(f"{act.__name__} was allowed")


def test_changing_somebody_elses_row_changes_nothing(filled: Records) -> None:
    with filled.transaction(ANN) as connection:
        changed = connection.execute("UPDATE platform.platform_users SET role = 'admin'").rowcount
        changed += connection.execute(
            "UPDATE platform.query_requests SET state = 'done' WHERE user_id = 'ben'"
        ).rowcount
    assert changed == 0


@pytest.mark.parametrize(
    ("user", "datasets"),
    [("", None), ("system:sync", {"crsp"}), ("ann", {"crsp,taq"}), ("ann", {"*"}), ("ann", {""})],
)
def test_a_scope_that_would_mean_something_else_is_refused(user: str, datasets: set[str] | None) -> None:
    with pytest.raises(ValueError, match="a "):
        Scope(user, None if datasets is None else frozenset(datasets))
