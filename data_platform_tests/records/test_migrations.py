"""Up, down, up again; two at once; a database from the future; and what must hold for every table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from data_platform.errors import ConfigurationError
from data_platform.records.databases import Databases
from data_platform.records.migrations import FOLDER, migrate, migration_status, pending, rollback
from data_platform.records.retention_policies import POLICIES

NAMES = sorted(path.stem for path in FOLDER.glob("*.sql") if ".rollback" not in path.name)
TABLES = {
    "data_sync_logs",
    "data_validation_results",
    "data_query_audit",
    "platform_audit",
    "platform_users",
    "platform_grants",
    "platform_tokens",
    "query_requests",
    "data_sync_schedule",
    "data_partition_statistics",
    "data_coverage",
    "data_daily_metrics",
    "data_anomaly_alerts",
    "data_quality_alert_acknowledgments",
    "alert_rules",
    "alert_deliveries",
    "rate_limits",
    "archives",
    "audit_heads",
    "scope_keys",
}

_SHAPE = """
    SELECT 'column', table_name || '.' || column_name, data_type || is_nullable || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'platform'
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'platform'
    UNION ALL SELECT 'policy', tablename || '.' || policyname, concat(cmd, roles, qual, with_check)
    FROM pg_policies WHERE schemaname = 'platform'
    UNION ALL SELECT 'privilege', table_name || '.' || grantee, string_agg(privilege_type, ',' ORDER BY privilege_type)
    FROM information_schema.role_table_grants WHERE table_schema = 'platform' GROUP BY 2
    UNION ALL SELECT 'function', proname, prosrc || coalesce(proacl::text, '')
    FROM pg_proc WHERE pronamespace = to_regnamespace('platform')
    UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = to_regnamespace('platform')
    ORDER BY 1, 2
"""


def query(url: str, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(text.encode()).fetchall()


def test_every_migration_has_a_rollback_beside_it() -> None:
    assert NAMES
    assert [name for name in NAMES if not (FOLDER / f"{name}.rollback.sql").exists()] == []


def test_an_empty_database_is_brought_up_once(empty: Databases) -> None:
    assert [state.applied for state in migration_status(empty)] == [False] * len(NAMES)
    assert migrate(empty) == NAMES
    assert [(state.name, state.applied) for state in migration_status(empty)] == [(name, True) for name in NAMES]
    assert migrate(empty) == []


def test_every_migration_goes_down_and_up_again_to_the_same_shape(empty: Databases) -> None:
    migrate(empty)
    whole = query(empty.owner_url, _SHAPE)
    for count in range(1, len(NAMES) + 1):
        assert rollback(empty, count) == NAMES[::-1][:count]
        assert migrate(empty) == NAMES[-count:]
        assert query(empty.owner_url, _SHAPE) == whole
    rollback(empty, len(NAMES))
    assert query(empty.owner_url, _SHAPE) == []


def test_processes_that_migrate_at_once_apply_each_migration_once(empty: Databases) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(migrate, [empty] * 4))
    assert sorted(applied) == [[], [], [], NAMES]


def test_a_lock_row_that_a_killed_process_left_is_no_obstacle(empty: Databases) -> None:
    migrate(empty)
    with psycopg.connect(empty.owner_url, autocommit=True) as connection:
        connection.execute("INSERT INTO platform_migrations.yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
    assert rollback(empty, 1) == NAMES[-1:]


def test_a_migration_that_fails_leaves_neither_tables_nor_a_mark(empty: Databases) -> None:
    with psycopg.connect(empty.owner_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA platform CREATE TABLE data_validation_results (in_the_way int)")
    with pytest.raises(psycopg.errors.DuplicateSchema):
        migrate(empty)
    assert not any(state.applied for state in migration_status(empty))


def test_a_database_from_the_future_is_refused(databases: Databases) -> None:
    with psycopg.connect(databases.owner_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO platform_migrations._yoyo_migration (migration_hash, migration_id, applied_at_utc) "
            "VALUES ('f', '9999_future', now())"
        )
    for use in (migrate, lambda them: rollback(them, 1)):
        with pytest.raises(ConfigurationError, match=r"newer than this code.*9999_future"):
            use(databases)
    assert migration_status(databases)[-1].name == "9999_future"


@pytest.mark.parametrize(
    ("known", "applied", "expected"),
    [(["a", "b"], set(), ["a", "b"]), (["a", "b"], {"a"}, ["b"]), (["a"], {"a"}, []), (["a", "b"], {"b"}, ["a"])],
)
def test_what_is_pending(known: list[str], applied: set[str], expected: list[str]) -> None:
    assert pending(known, frozenset(applied)) == expected


_SECURITY = """
    SELECT c.relnamespace::regnamespace::text, c.relname, c.relrowsecurity AND c.relforcerowsecurity,
           EXISTS (SELECT FROM pg_policies p WHERE p.schemaname = c.relnamespace::regnamespace::text
                   AND p.tablename = c.relname)
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'f', 'm') AND c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
"""


def unprotected(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [row for row in rows if row[2:] != (True, True)]


def test_every_table_forces_row_level_security_and_has_a_policy(databases: Databases) -> None:
    rows = query(databases.owner_url, _SECURITY)
    ours = [row for row in rows if row[0] == "platform"]
    assert {row[1] for row in ours} == TABLES
    assert unprotected(ours) == []
    # What else there is belongs to the bookkeeping of migrations, whose schema the service may not enter.
    assert {row[0] for row in rows} == {"platform", "platform_migrations"}
    assert query(databases.service_url, "SELECT has_schema_privilege('platform_migrations', 'USAGE, CREATE')") == [
        (False,)
    ]


def test_a_table_without_a_policy_would_be_found(databases: Databases) -> None:
    statements = [
        "CREATE TABLE platform.forgotten (id int)",
        "ALTER TABLE platform.forgotten ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE platform.forgotten FORCE ROW LEVEL SECURITY",
    ]
    with psycopg.connect(databases.owner_url, autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement.encode())
            assert [row[1] for row in unprotected(query(databases.owner_url, _SECURITY)) if row[0] == "platform"] == [
                "forgotten"
            ]
        owner.execute("CREATE POLICY nothing ON platform.forgotten USING (false)")
    assert [row for row in unprotected(query(databases.owner_url, _SECURITY)) if row[0] == "platform"] == []


def test_every_table_says_how_long_its_rows_stay() -> None:
    assert {policy.table for policy in POLICIES} == TABLES


def test_the_service_owns_nothing_and_cannot_bypass_security(databases: Databases) -> None:
    rows = query(
        databases.service_url,
        """
        SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
               EXISTS (SELECT FROM pg_class WHERE relowner = r.oid),
               EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid),
               has_schema_privilege(current_user, 'platform', 'CREATE'),
               has_schema_privilege(current_user, 'public', 'CREATE')
        FROM pg_roles r WHERE rolname = current_user
        """,
    )
    assert rows == [(False,) * 8]


def test_the_bookkeeping_is_hidden_from_the_service(databases: Databases) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(databases.service_url, "SELECT * FROM platform_migrations._yoyo_migration")


def test_public_may_execute_none_of_our_functions(databases: Databases) -> None:
    rows = query(
        databases.owner_url,
        "SELECT proname FROM pg_proc WHERE pronamespace = 'platform'::regnamespace "
        "AND (proacl IS NULL OR proacl::text LIKE '%{=X%' OR proacl::text LIKE '%,=X%')",
    )
    assert rows == []
