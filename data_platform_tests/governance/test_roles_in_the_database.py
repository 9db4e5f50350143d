"""What a user of each role reads and writes when the database is asked itself, and how they try to get at more."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from data_platform.errors import NotPermittedError, PlatformError
from data_platform.governance.permissions import LICENSED_DATASETS, Role, User
from data_platform.governance.scopes import administration_scope, reading_scope
from data_platform.records import (
    alerts,
    platform_audit,
    query_audit,
    query_requests,
    rate_limits,
    schedules,
    sync_logs,
    tokens,
    users,
    validations,
)
from data_platform.records.alerts import Alert
from data_platform.records.connection import Connection, Records
from data_platform.records.embedded.credentials import OWNER, SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import QUERIES
from data_platform.records.scope import Scope
from data_platform.records.validations import Validation

SYSTEM = Scope.system("test")
TEXT = SealedText("0" * 64, "0" * 64, b"encrypted")
PEOPLE = {role: User(f"the_{role.value}", role) for role in Role}
SEES = {
    Role.VIEWER: {"fama_french"},
    Role.ANALYST: {"fama_french", "crsp"},
    Role.OPERATOR: {"fama_french", "crsp", "compustat"},
    Role.ADMIN: set(LICENSED_DATASETS),
}
BY_DATASET = [
    "data_sync_logs",
    "data_sync_schedule",
    "data_validation_results",
    "data_anomaly_alerts",
    "data_quality_alert_acknowledgments",
]
"""Rows of these belong to a dataset."""
OWN_OF_DATASET = ["data_query_audit", "query_requests", "platform_audit"]
"""Rows of these belong to a user, and to a dataset that the user must hold still."""
OWN = ["platform_users", "platform_grants", "platform_tokens", "rate_limits"]
HIDDEN = ["archives"]
"""For the platform's own parts and for administration only."""
NAMES = {
    "data_query_audit": "user_id",
    "query_requests": "user_id",
    "platform_audit": "actor",
    "platform_users": "user_id",
    "platform_grants": "user_id",
    "platform_tokens": "user_id",
    "rate_limits": "subject",
}


@pytest.fixture
def filled(records: Records) -> Iterator[Records]:
    with records.transaction(SYSTEM) as connection:
        for user in PEOPLE.values():
            users.add(connection, user.user_id, user.role.value)
            users.grant(connection, user.user_id, "query:data")
            tokens.create(connection, user.user_id)
    for dataset in LICENSED_DATASETS:
        with records.transaction(SYSTEM) as connection:
            table = f"{dataset}_daily"
            sync_logs.append(connection, dataset, table, "INFO", "done")
            schedules.ensure(connection, dataset, table)
            validations.store(connection, [Validation(dataset, table, "2024", "row_count", "passed")])
            (number,) = alerts.store(connection, [Alert(dataset, table, "2024", "row_drop", "error", "fewer rows")])
            alerts.acknowledge(connection, number, "system:test", "seen")
            for user in PEOPLE.values():
                query_requests.create(connection, user.user_id, dataset, b"encrypted")
                platform_audit.append(connection, user.user_id, "sync.trigger", dataset=dataset)
        for user in PEOPLE.values():
            query_audit.record_attempt(records, user.user_id, dataset, 1, TEXT, None, QUERIES)
    yield records


def seen(records: Records, scope: Scope, table: str, column: str) -> set[object]:
    statement = sql.SQL("SELECT DISTINCT {} AS value FROM {}").format(
        sql.Identifier(column), sql.Identifier("platform", table)
    )
    with records.transaction(scope) as connection:
        return {row["value"] for row in connection.execute(statement).fetchall()}


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


def answer(records: Records, scope: Scope, statement: str) -> str:
    """What the database says to a statement in somebody's name: how many rows, or which error."""
    try:
        with records.transaction(scope) as connection:
            return f"{connection.execute(statement.encode()).rowcount} rows"
    except (PlatformError, psycopg.Error) as error:
        return type(error).__name__


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
    "UPDATE platform.query_requests SET state = 'done' WHERE user_id <> platform.app_user()",
]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.OPERATOR])
def test_a_user_changes_nothing_that_is_not_theirs(filled: Records, role: Role) -> None:
    answers = {statement: answer(filled, reading_scope(PEOPLE[role]), statement) for statement in UNTOUCHED}
    assert answers == dict.fromkeys(UNTOUCHED, "0 rows")


BECOME_OTHERS = [
    "SELECT set_config('app.datasets', '*', true)",
    "SELECT set_config('app.datasets', 'taq', true)",
    "SELECT set_config('app.datasets', 'fama_french,taq', false)",
    "SELECT set_config('app.user', 'the_admin', true)",
    "SELECT set_config('app.user', 'system:sync', true), set_config('app.datasets', '*', true)",
    "SELECT set_config('app.user', E'the_viewer\\n*', true), set_config('app.datasets', '', true)",
    "SELECT set_config('app.seal', repeat('0', 64), true)",
    "SELECT set_config('app.seal', '', true), set_config('app.datasets', '*', true)",
    "RESET app.datasets",
    "RESET ALL",
]


def test_changing_the_settings_within_a_transaction_shows_nothing(filled: Records) -> None:
    shown: list[tuple[str, str]] = []
    for statement in BECOME_OTHERS:
        with filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection:
            connection.execute(statement.encode())
            for table in (*BY_DATASET, *OWN_OF_DATASET, *OWN, *HIDDEN):
                rows = connection.execute(sql.SQL("SELECT 1 FROM {}").format(sql.Identifier("platform", table)))
                shown += [(statement, table)] if rows.fetchall() else []
        # And whoever gets the session next has their own scope.
        assert seen(filled, reading_scope(PEOPLE[Role.ANALYST]), "data_sync_logs", "dataset") == SEES[Role.ANALYST]
    assert shown == []


REFUSED = [
    f"SET ROLE {OWNER}",
    f"SET ROLE {SUPERUSER}",
    f"SET SESSION AUTHORIZATION {OWNER}",
    "SELECT * FROM platform.scope_keys",
    "SELECT inner_key FROM platform.scope_keys",
    "COPY platform.scope_keys TO STDOUT",
    "CREATE FUNCTION platform.app_user() RETURNS text LANGUAGE sql AS $$ SELECT 'the_admin' $$",
    "CREATE OR REPLACE FUNCTION platform.sees_everything() RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
    "ALTER FUNCTION platform.sees_everything() OWNER TO platform_service",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'epoch'::timestamptz $$",
    "ALTER TABLE platform.data_sync_logs DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE platform.data_sync_logs NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY read_permitted ON platform.data_sync_logs",
    "ALTER POLICY read_permitted ON platform.data_sync_logs USING (true)",
    "CREATE VIEW platform.all_logs AS SELECT * FROM platform.data_sync_logs",
    "GRANT platform_owner TO platform_service",
    "SET session_replication_role = replica",
    "ALTER TABLE platform.platform_audit DISABLE TRIGGER ALL",
    "CREATE TRIGGER mine BEFORE INSERT ON platform.platform_audit EXECUTE FUNCTION platform.refuse_change()",
    "SELECT platform.extend_chain()",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "LOAD 'auto_explain'",
    "LOCK TABLE platform.platform_audit IN ACCESS EXCLUSIVE MODE",
    "SELECT query FROM platform_migrations._yoyo_log",
    "DROP TABLE platform.platform_users",
]


@pytest.mark.parametrize("scope", [reading_scope(PEOPLE[Role.VIEWER]), SYSTEM], ids=["viewer", "system"])
def test_the_service_gets_at_no_rights_of_others(filled: Records, scope: Scope) -> None:
    answers = {statement: answer(filled, scope, statement) for statement in REFUSED}
    assert answers == dict.fromkeys(REFUSED, "NotPermittedError")


def test_a_table_of_ones_own_with_the_name_of_the_keys_opens_nothing(filled: Records) -> None:
    with filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection:
        connection.execute("CREATE TEMP TABLE scope_keys AS SELECT ''::bytea AS inner_key, ''::bytea AS outer_key")
        connection.execute("SET LOCAL search_path = pg_temp, platform")
        connection.execute("SELECT set_config('app.datasets', '*', true)")
        connection.execute(
            "SELECT set_config('app.seal', encode(sha256(sha256(convert_to(E'the_viewer\\n*', 'UTF8'))), 'hex'), true)"
        )
        assert connection.execute("SELECT 1 FROM platform.data_sync_logs").fetchall() == []
        assert _scope(connection) != {"app_user": "the_viewer", "app_datasets": "*"}


def test_row_level_security_cannot_be_turned_off_by_a_setting(filled: Records) -> None:
    with (
        pytest.raises(NotPermittedError),
        filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection,
    ):
        connection.execute("SET LOCAL row_security = off")
        connection.execute("SELECT * FROM platform.data_sync_logs")


def test_a_search_path_of_ones_own_changes_no_policy(filled: Records, postgres: EmbeddedServer) -> None:
    """Functions of the same names, in a schema that is searched first, are never called."""
    dbname = str(psycopg.conninfo.conninfo_to_dict(filled.databases.owner_url)["dbname"])
    with psycopg.connect(postgres.url(SUPERUSER, dbname), autocommit=True) as superuser:
        superuser.execute("CREATE SCHEMA trap")
        for name, kind, value in (
            ("sees_everything", "boolean", "true"),
            ("app_user", "text", "'the_admin'::text"),
            ("current_setting", "text", "'*'::text"),
        ):
            arguments = "text, boolean" if name == "current_setting" else ""
            superuser.execute(
                f"CREATE FUNCTION trap.{name}({arguments}) RETURNS {kind} LANGUAGE sql AS $$ SELECT {value} $$".encode()
            )
        superuser.execute("CREATE FUNCTION trap.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT ''::bytea $$")
        superuser.execute("GRANT USAGE ON SCHEMA trap TO platform_service")
        superuser.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA trap TO platform_service")
    with filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection:
        connection.execute("SET LOCAL search_path = trap, pg_catalog, platform")
        connection.execute("SELECT set_config('app.datasets', '*', true)")
        assert connection.execute("SELECT 1 FROM platform.data_sync_logs").fetchall() == []
        assert connection.execute("SELECT platform.app_user() AS me").fetchone() == {"me": None}


def test_every_function_with_its_owners_rights_fixes_what_it_calls(filled: Records) -> None:
    with filled.transaction(SYSTEM) as connection:
        found = connection.execute(
            "SELECT proname, proconfig FROM pg_proc "
            "WHERE prosecdef AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
        ).fetchall()
    assert {row["proname"] for row in found} == {
        "sealed_scope",
        "extend_chain",
        "outcome_of_attempt",
        "refuse_unarchived",
        "mark_alert_acknowledged",
    }
    assert {tuple(row["proconfig"]) for row in found} == {("search_path=pg_catalog, pg_temp",)}


def test_what_the_owners_functions_tell_the_service_is_its_own_scope(filled: Records) -> None:
    with filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection:
        assert _scope(connection) == {"app_user": "the_viewer", "app_datasets": "fama_french"}
    with psycopg.connect(filled.databases.service_url) as bare:
        assert bare.execute("SELECT * FROM platform.sealed_scope()").fetchone() in (None, (None, None))


def _scope(connection: Connection) -> dict[str, object] | None:
    return connection.execute("SELECT * FROM platform.sealed_scope()").fetchone()


def test_a_seal_of_one_scope_fits_no_other(filled: Records) -> None:
    with filled.transaction(reading_scope(PEOPLE[Role.ADMIN])) as connection:
        row = connection.execute("SELECT current_setting('app.seal') AS seal").fetchone()
        assert row is not None
    with filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection:
        connection.execute("SELECT set_config('app.seal', %s, true)", (row["seal"],))
        assert connection.execute("SELECT 1 FROM platform.data_sync_logs").fetchall() == []


def test_places_of_a_limit_are_taken_by_the_platform_only(filled: Records) -> None:
    with (
        pytest.raises(NotPermittedError),
        filled.transaction(reading_scope(User("the_viewer", Role.VIEWER))) as connection,
    ):
        rate_limits.take(connection, rate_limits.EXPORTS, "the_viewer")
