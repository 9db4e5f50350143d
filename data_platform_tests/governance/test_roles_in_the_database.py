"""What a user of each role reads and writes when the database is asked itself."""

from __future__ import annotations

import pytest

from data_platform.errors import NotPermittedError
from data_platform.governance.permissions import LICENSED_DATASETS, Role, User
from data_platform.governance.scopes import administration_scope, reading_scope
from data_platform.records import rate_limits
from data_platform.records.connection import Records
from data_platform_tests.governance.people import (
    BY_DATASET,
    HIDDEN,
    NAMES,
    OWN,
    OWN_OF_DATASET,
    PEOPLE,
    SEES,
    answer,
    seen,
)


@pytest.mark.parametrize("role", list(Role))
def test_a_user_of_each_role_reads_what_their_permissions_say(filled: Records, role: Role) -> None:
    user = PEOPLE[role]
    scope = reading_scope(user)
    for table in BY_DATASET:
        assert seen(filled, scope, table, "dataset") == SEES[role], table
    for table in OWN_OF_DATASET:
        assert seen(filled, scope, table, NAMES[table]) == {user.user_id}, table
        assert seen(filled, scope, table, "dataset") == SEES[role], table
    for table in OWN:
        assert seen(filled, scope, table, NAMES[table]) == {user.user_id}, table
    for table in HIDDEN:
        assert seen(filled, scope, table, "id") == set(), table
    assert seen(filled, scope, "alert_rules", "name") == SEES[role] | {"everything"}


def test_administration_sees_everybody(filled: Records) -> None:
    scope = administration_scope(PEOPLE[Role.ADMIN])
    everybody = {user.user_id for user in PEOPLE.values()}
    for table in (*OWN_OF_DATASET, *OWN):
        assert everybody <= seen(filled, scope, table, NAMES[table]), table


def test_a_revocation_takes_the_rows_too(filled: Records) -> None:
    admin = User("the_admin", Role.ADMIN, revocations=frozenset({"dataset:crsp"}))
    viewer = User("the_viewer", Role.VIEWER, grants=frozenset({"dataset:taq"}))
    closed = User("the_analyst", Role.ANALYST, disabled=True)
    assert seen(filled, reading_scope(admin), "data_sync_logs", "dataset") == set(LICENSED_DATASETS) - {"crsp"}
    assert seen(filled, reading_scope(viewer), "data_sync_logs", "dataset") == {"fama_french", "taq"}
    assert seen(filled, reading_scope(closed), "data_sync_logs", "dataset") == set()


def test_administration_is_for_administrators() -> None:
    for role in (Role.VIEWER, Role.ANALYST, Role.OPERATOR):
        with pytest.raises(NotPermittedError):
            administration_scope(PEOPLE[role])


SOMETHING_ELSES = [
    "INSERT INTO platform.data_sync_logs (dataset, level, message) VALUES ('taq', 'INFO', 'x')",
    "INSERT INTO platform.data_sync_schedule (dataset, table_name) VALUES ('taq', 'x')",
    "INSERT INTO platform.data_validation_results (dataset, table_name, partition, validation_type, status) "
    "VALUES ('taq', 't', 'p', 'schema', 'passed')",
    "INSERT INTO platform.data_anomaly_alerts (dataset, table_name, partition, metric, severity, message) "
    "VALUES ('taq', 't', 'p', 'm', 'error', 'x')",
    "INSERT INTO platform.alert_rules (name, channel, updated_by) VALUES ('mine', 'oncall', 'me')",
    "INSERT INTO platform.alert_deliveries (alert_id, channel, dataset) SELECT id, 'x', dataset "
    "FROM platform.data_anomaly_alerts",
    "INSERT INTO platform.query_requests (user_id, dataset, query_text) VALUES ('somebody', 'crsp', '')",
    "INSERT INTO platform.platform_users (user_id, role) VALUES ('eve', 'admin')",
    "INSERT INTO platform.platform_grants (user_id, kind, permission) "
    "VALUES (platform.app_user(), 'grant', 'dataset:taq')",
    "INSERT INTO platform.platform_tokens (user_id, token_hash, expires_at) "
    "VALUES ('the_admin', repeat('a', 64), now() + interval '1 day')",
    "INSERT INTO platform.rate_limits (action, subject) VALUES ('query', platform.app_user())",
    "INSERT INTO platform.archives (table_name, file_name, sha256, row_count, first_at, last_at) "
    "VALUES ('platform_audit', 'x', repeat('0', 64), 1, now(), now())",
    "INSERT INTO platform.audit_heads (chain, row_id, row_hash) VALUES ('x', 0, repeat('0', 64))",
]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.OPERATOR])
def test_a_user_writes_nothing_that_is_not_theirs(filled: Records, role: Role) -> None:
    answers = {statement: answer(filled, reading_scope(PEOPLE[role]), statement) for statement in SOMETHING_ELSES}
    assert answers == dict.fromkeys(SOMETHING_ELSES, "NotPermittedError")


UNTOUCHED = [
    "UPDATE platform.platform_users SET role = 'admin'",
    "UPDATE platform.platform_grants SET kind = 'grant'",
    "UPDATE platform.platform_tokens SET revoked_at = NULL",
    "UPDATE platform.rate_limits SET hits = '{}'",
    "UPDATE platform.data_sync_schedule SET enabled = false WHERE dataset = 'taq'",
    "UPDATE platform.alert_rules SET enabled = false",
    "DELETE FROM platform.alert_rules",
    "UPDATE platform.alert_deliveries SET state = 'sent'",
    "UPDATE platform.query_requests SET state = 'done' WHERE user_id <> platform.app_user()",
]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.OPERATOR])
def test_a_user_changes_nothing_that_is_not_theirs(filled: Records, role: Role) -> None:
    answers = {statement: answer(filled, reading_scope(PEOPLE[role]), statement) for statement in UNTOUCHED}
    assert answers == dict.fromkeys(UNTOUCHED, "0 rows")


def test_places_of_a_limit_are_taken_by_the_platform_only(filled: Records) -> None:
    with (
        pytest.raises(NotPermittedError),
        filled.transaction(reading_scope(User("the_viewer", Role.VIEWER))) as connection,
    ):
        rate_limits.take(connection, rate_limits.EXPORTS, "the_viewer")
