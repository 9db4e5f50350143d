"""Dumps: every row whatever row-level security says, loaded whole or not at all, without a word of the password."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from data_platform.errors import DatabaseUnavailableError
from data_platform.records import chain, platform_audit, users
from data_platform.records.addresses import Login, with_login
from data_platform.records.connection import Records, connect_records, open_records
from data_platform.records.databases import Databases
from data_platform.records.dumping import DAGSTER_DUMP, PLATFORM_DUMP, dump, dump_records, load, load_records
from data_platform.records.embedded.credentials import OWNER, SERVICE, SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.migrations import migrate
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform_tests.records.audited import first_break

EVERYTHING = Scope.system("tests")


@pytest.fixture
def empty_url(postgres: EmbeddedServer) -> Iterator[str]:
    """A database without tables, for its owner, as a new home has it."""
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
        yield postgres.url(OWNER, name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def fill(records: Records) -> None:
    with records.transaction(EVERYTHING) as connection:
        users.add(connection, "ann", "analyst")
        users.add(connection, "bob", "viewer")


def user_names(records: Records, scope: Scope = EVERYTHING) -> list[str]:
    with records.transaction(scope) as connection:
        return [user.user_id for user in users.every(connection)]


def test_a_loaded_dump_has_every_row_and_its_row_level_security(
    records: Records, postgres: EmbeddedServer, postgres_home: Path, empty_url: str, tmp_path: Path
) -> None:
    fill(records)
    dumps = dump_records(records.databases, postgres_home, tmp_path)
    assert sorted(path.name for path in dumps.files) == [DAGSTER_DUMP, PLATFORM_DUMP]
    assert dumps.owner == OWNER
    assert all(path.stat().st_mode & 0o077 == 0 for path in dumps.files)
    assert sorted(path.name for path in tmp_path.iterdir()) == [DAGSTER_DUMP, PLATFORM_DUMP]
    load(empty_url, tmp_path / PLATFORM_DUMP)
    loaded = dataclasses.replace(
        records.databases,
        owner_url=empty_url,
        service_url=with_login(empty_url, postgres.credentials[SERVICE]),
    )
    with connect_records(loaded) as again:
        assert user_names(again) == ["ann", "bob"]
        assert user_names(again, Scope("ann", frozenset({"crsp"}))) == ["ann"]
        with again.transaction(EVERYTHING) as connection:
            users.set_role(connection, "bob", "analyst")
            assert next(entry.action for entry in platform_audit.recent(connection)) == "users.set_role"


def test_loading_over_tables_changes_nothing(records: Records, postgres_home: Path, tmp_path: Path) -> None:
    fill(records)
    dump_records(records.databases, postgres_home, tmp_path)
    with records.transaction(EVERYTHING) as connection:
        users.add(connection, "eve", "viewer")
    with pytest.raises(DatabaseUnavailableError, match=r"can't be loaded: .*already exists"):
        load(records.databases.owner_url, tmp_path / PLATFORM_DUMP)
    assert user_names(records) == ["ann", "bob", "eve"]


def test_a_role_that_may_not_see_every_row_is_refused_with_the_mend(records: Records, tmp_path: Path) -> None:
    fill(records)
    own: Databases = dataclasses.replace(
        records.databases, embedded=False, dagster_url=records.databases.owner_url, demo=None
    )
    with pytest.raises(DatabaseUnavailableError, match=r"row-level security") as caught:
        dump_records(own, tmp_path, tmp_path)
    assert caught.value.hint is not None
    assert f'ALTER ROLE "{OWNER}" BYPASSRLS' in caught.value.hint


def test_records_on_a_server_of_ones_own_are_one_dump(
    records: Records, postgres: EmbeddedServer, tmp_path: Path
) -> None:
    fill(records)
    name = psycopg.conninfo.conninfo_to_dict(records.databases.owner_url)["dbname"]
    url = postgres.url(SUPERUSER, str(name))
    own = dataclasses.replace(records.databases, owner_url=url, dagster_url=url, embedded=False, demo=None)
    dumps = dump_records(own, tmp_path, tmp_path)
    assert [path.name for path in dumps.files] == [PLATFORM_DUMP]
    assert dumps.owner == SUPERUSER


def test_a_server_that_is_away_or_a_wrong_password_is_told_without_the_password(
    postgres: EmbeddedServer, tmp_path: Path
) -> None:
    away = f"postgresql://someone:hidden@/x?host={tmp_path}"
    for url in (away, postgres.url(OWNER, "platform").replace(postgres.credentials[OWNER].password, "hidden")):
        with pytest.raises(DatabaseUnavailableError, match="can't be dumped") as caught:
            dump(url, tmp_path / "x.dump")
        assert "hidden" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir() if path.name != "x.dump"] == []


def test_a_damaged_dump_loads_nothing(records: Records, postgres_home: Path, empty_url: str, tmp_path: Path) -> None:
    fill(records)
    dump_records(records.databases, postgres_home, tmp_path)
    path = tmp_path / PLATFORM_DUMP
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DatabaseUnavailableError, match="can't be loaded"):
        load(empty_url, path)
    with psycopg.connect(empty_url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'platform'").fetchone()
    assert found == (0,)


@pytest.mark.parametrize("owner", ["someone_else", SUPERUSER])
def test_records_of_another_owner_work_in_an_embedded_server(
    owner: str, postgres: EmbeddedServer, home: Path, tmp_path: Path
) -> None:
    name = f"own_{uuid.uuid4().hex}"
    admin = postgres.url(SUPERUSER, "postgres")
    login = postgres.credentials[SUPERUSER] if owner == SUPERUSER else Login(owner, "hidden")
    with psycopg.connect(admin, autocommit=True) as connection:
        if owner != SUPERUSER:
            connection.execute(f"CREATE ROLE {owner} LOGIN BYPASSRLS PASSWORD 'hidden'")
        connection.execute(f"CREATE DATABASE {name} OWNER {owner}")
    url, service = (with_login(postgres.url(SUPERUSER, name), each) for each in (login, postgres.credentials[SERVICE]))
    own = Databases(url, service, url, embedded=False, demo=None)
    try:
        migrate(own)
        with connect_records(own) as records:
            fill(records)
        dumps = dump_records(own, tmp_path, tmp_path)
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            if owner != SUPERUSER:
                connection.execute(f"DROP ROLE {owner}")
    assert dumps.owner == owner
    load_records(home, tmp_path, dumps.owner)
    with open_records(Settings(home=home)) as records:
        with records.transaction(EVERYTHING) as connection:
            users.add(connection, "eve", "viewer")
            assert first_break(chain.read_chain(connection, chain.PLATFORM_AUDIT)) is None
            assert len(platform_audit.recent(connection)) == 3
        assert user_names(records, Scope("ann", frozenset())) == ["ann"]
