"""How somebody could try to get at more than their scope, and what the database says to it."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from data_platform.errors import NotPermittedError
from data_platform.governance.permissions import Role
from data_platform.governance.scopes import reading_scope
from data_platform.records import chain
from data_platform.records.connection import Connection, Records
from data_platform.records.embedded.credentials import OWNER, SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.scope import Scope
from data_platform_tests.governance.people import (
    BY_DATASET,
    HIDDEN,
    OWN,
    OWN_OF_DATASET,
    PEOPLE,
    SEES,
    SYSTEM,
    answer,
    seen,
)

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


SOMEBODY = "INSERT INTO platform.platform_users (user_id, role) VALUES ('eve', 'admin')"


def answer_in(connection: Connection, statement: str) -> str:
    """What the database says within a transaction that goes on."""
    try:
        with connection.transaction():
            return f"{connection.execute(statement.encode()).rowcount} rows"
    except psycopg.Error as error:
        return type(error).__name__


def test_what_somebody_did_to_the_session_ends_with_their_transaction(filled: Records) -> None:
    for statement in (
        "SET search_path = pg_catalog",
        "SET row_security = off",
        "SET statement_timeout = '1ms'",
        "SELECT set_config('app.user', 'the_admin', false), set_config('app.datasets', '*', false)",
    ):
        with filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection:
            connection.execute(statement.encode())
        assert seen(filled, reading_scope(PEOPLE[Role.ANALYST]), "data_sync_logs", "dataset") == SEES[Role.ANALYST]


def test_nobody_moves_the_end_of_a_chain_without_a_row(filled: Records) -> None:
    with filled.transaction(SYSTEM) as connection:
        head = chain.head_of(connection, chain.PLATFORM_AUDIT)
    with filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection:
        inserted = connection.execute(
            "INSERT INTO platform.platform_audit (id, actor, action, previous_hash, hash) OVERRIDING SYSTEM VALUE "
            "VALUES (%s, 'the_viewer', 'x', %s, %s) ON CONFLICT (hash) DO NOTHING",
            (head.id + 1, head.hash, head.hash),
        )
        assert inserted.rowcount == 0
    with filled.transaction(SYSTEM) as connection:
        assert chain.head_of(connection, chain.PLATFORM_AUDIT) == head


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
        superuser.execute("CREATE FUNCTION trap.yes(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$")
        superuser.execute("CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.yes)")
        superuser.execute("CREATE OPERATOR trap.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.yes)")
        superuser.execute("GRANT USAGE ON SCHEMA trap TO platform_service")
        superuser.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA trap TO platform_service")
    with filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection:
        # In a scope that is valid too: no operator of ours makes it another.
        connection.execute("SET search_path = trap, pg_catalog, platform")
        own = connection.execute("SELECT DISTINCT dataset FROM platform.data_sync_logs").fetchall()
        assert [row["dataset"] for row in own] == ["fama_french"]
        assert answer_in(connection, SOMEBODY) == "InsufficientPrivilege"
    with filled.transaction(reading_scope(PEOPLE[Role.VIEWER])) as connection:
        # What was set for the session is not what the next transaction begins with.
        assert connection.execute("SHOW search_path").fetchone() == {"search_path": "platform"}
        connection.execute("SET LOCAL search_path = trap, pg_catalog, platform")
        connection.execute("SELECT set_config('app.datasets', '*', true)")
        assert connection.execute("SELECT 1 FROM platform.data_sync_logs").fetchall() == []
        assert connection.execute("SELECT platform.app_user() AS me").fetchone() == {"me": None}


def test_every_function_fixes_what_it_calls(filled: Records) -> None:
    with filled.transaction(SYSTEM) as connection:
        found = connection.execute(
            "SELECT proname, prosecdef, proconfig FROM pg_proc "
            "WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
        ).fetchall()
    assert {row["proname"] for row in found if row["prosecdef"]} == {
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
