"""Addresses that work in every driver, the demo's rights, and a server of the user's own."""

from __future__ import annotations

import stat
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import psycopg2
import pytest
import sqlalchemy
from psycopg import sql

from data_platform.errors import ConfigurationError, DatabaseUnavailableError
from data_platform.records.addresses import Login, socket_url
from data_platform.records.connection import Scope, open_records
from data_platform.records.databases import Databases, DemoServer, embedded_databases, open_databases
from data_platform.records.embedded.binaries import choose_installation, installations
from data_platform.records.embedded.credentials import DEMO_OWNER, DEMO_READER, SUPERUSER
from data_platform.records.embedded.layout import PORT
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.settings import Settings

PASSWORD = "s3cret/with:signs@and ü"  # noqa: S105 - made up for this test


@pytest.mark.parametrize("address", ["owner_url", "service_url", "dagster_url"])
def test_every_driver_signs_in(postgres: EmbeddedServer, address: str) -> None:
    url = str(getattr(embedded_databases(postgres), address))
    with psycopg.connect(url) as three:
        expected = (three.info.user, three.info.dbname)
    with psycopg2.connect(url) as two, two.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        assert cursor.fetchone() == expected
    two.close()
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        assert tuple(connection.execute(sqlalchemy.text("SELECT current_user, current_database()")).one()) == expected
    engine.dispose()


def test_nothing_prints_a_password(postgres: EmbeddedServer) -> None:
    printed = repr(embedded_databases(postgres)) + str(embedded_databases(postgres).demo) + repr(postgres)
    assert not [login.password for login in postgres.credentials.values() if login.password in printed]


@pytest.fixture
def demo(postgres: EmbeddedServer) -> DemoServer:
    found = embedded_databases(postgres).demo
    assert found is not None
    return found


def test_the_demo_reader_reads_what_the_owner_grants_and_no_more(postgres: EmbeddedServer, demo: DemoServer) -> None:
    schema = sql.Identifier(f"s_{uuid.uuid4().hex}")
    with psycopg.connect(postgres.url(DEMO_OWNER, demo.dbname), autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        owner.execute(sql.SQL("CREATE TABLE {}.t AS SELECT 1 AS one").format(schema))
        owner.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO wrds_demo").format(schema))
        owner.execute(sql.SQL("GRANT SELECT ON {}.t TO wrds_demo").format(schema))
    with psycopg.connect(postgres.url(DEMO_READER, demo.dbname), autocommit=True) as reader:
        assert reader.execute(sql.SQL("SELECT one FROM {}.t").format(schema)).fetchone() == (1,)
        for refused in (
            sql.SQL("INSERT INTO {}.t VALUES (2)").format(schema),
            sql.SQL("CREATE TABLE {}.u (a int)").format(schema),
            sql.SQL("CREATE TEMP TABLE u (a int)"),
            sql.SQL("CREATE SCHEMA u"),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(refused)
        limit = reader.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user").fetchone()
    assert limit == (7,)


@pytest.mark.parametrize("dbname", ["platform", "dagster", "postgres"])
def test_the_demo_reader_enters_no_other_database(postgres: EmbeddedServer, dbname: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(postgres.url(DEMO_READER, dbname))


@pytest.fixture
def own_server(postgres: EmbeddedServer) -> Iterator[Databases]:
    """A database with an owner, as a user would have one; the service role that the platform brings is set aside."""
    name, owner = f"own_{uuid.uuid4().hex}", Login(f"owner_{uuid.uuid4().hex}", PASSWORD)
    superuser = postgres.url(SUPERUSER, "postgres")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("ALTER ROLE platform_service RENAME TO set_aside")
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(
                sql.Identifier(owner.role), sql.Literal(owner.password)
            )
        )
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner.role))
        )
        yield Databases(
            owner_url=socket_url(postgres.layout.run, PORT, name, owner),
            service_url=postgres.url(SUPERUSER, name),
            dagster_url="",
            embedded=False,
            demo=None,
        )
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute("DROP ROLE IF EXISTS platform_service")
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(owner.role)))
        connection.execute("ALTER ROLE set_aside RENAME TO platform_service")


def settings_for(home: Path, url: str) -> Settings:
    return Settings.model_validate({"home": home, "postgres_url": url})


def test_a_server_of_ones_own_is_prepared_and_used(own_server: Databases, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home", own_server.owner_url)
    for _ in range(2):
        with open_records(settings) as records, records.transaction(Scope.system("test")) as connection:
            row = connection.execute("SELECT current_user AS me, current_setting('is_superuser') AS super").fetchone()
        assert row == {"me": "platform_service", "super": "off"}
    assert (records.databases.embedded, records.databases.demo) == (False, None)
    secret = tmp_path / "home" / "secrets" / "platform_service.password"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert not (tmp_path / "home" / "postgres").exists()


def test_the_short_scheme_serves_dagster_too(own_server: Databases, tmp_path: Path) -> None:
    short = own_server.owner_url.replace("postgresql://", "postgres://")
    with open_databases(settings_for(tmp_path / "home", short)) as databases:
        assert sqlalchemy.create_engine(databases.dagster_url).connect().closed is False


def test_an_owner_who_may_not_create_roles_is_told_the_sql_that_helps(
    own_server: Databases, postgres: EmbeddedServer, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path / "home", own_server.owner_url)
    owner = psycopg.conninfo.conninfo_to_dict(own_server.owner_url)["user"]
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE {} NOCREATEROLE").format(sql.Identifier(str(owner))))
    with pytest.raises(ConfigurationError) as caught, open_databases(settings):
        pass
    statement = str(caught.value.hint).split("run in psql: ")[1]
    secret = tmp_path / "home" / "secrets" / "platform_service.password"
    assert secret.read_text().strip() not in str(caught.value)
    psql = choose_installation(installations(), None).bin / "psql"
    subprocess.run([psql, postgres.url(SUPERUSER, "postgres")], input=statement, text=True, check=True)
    with open_records(settings) as records, records.transaction(Scope.system("test")) as connection:
        assert connection.execute("SELECT current_user AS me").fetchone() == {"me": "platform_service"}


def test_a_service_role_of_somebody_else_is_not_taken_over(own_server: Databases, tmp_path: Path) -> None:
    with open_databases(settings_for(tmp_path / "first", own_server.owner_url)) as first:
        pass
    with (
        pytest.raises(ConfigurationError, match="exists on the server"),
        open_databases(settings_for(tmp_path / "second", own_server.owner_url)),
    ):
        pass
    psycopg.connect(first.service_url).close()


def test_a_service_role_that_may_bypass_security_is_refused(
    own_server: Databases, postgres: EmbeddedServer, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path / "home", own_server.owner_url)
    with open_databases(settings):
        pass
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute("ALTER ROLE platform_service BYPASSRLS")
    with pytest.raises(ConfigurationError, match="may do too much"), open_databases(settings):
        pass


def test_a_service_role_that_may_act_as_another_is_refused(
    own_server: Databases, postgres: EmbeddedServer, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path / "home", own_server.owner_url)
    with open_databases(settings):
        pass
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute("GRANT pg_read_all_data TO platform_service")
    with pytest.raises(ConfigurationError, match="may act as others: pg_read_all_data") as caught:
        open_databases(settings).__enter__()
    assert caught.value.hint == "As an administrator run: REVOKE pg_read_all_data FROM platform_service;"


def test_the_service_role_itself_is_refused_as_owner(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "postgresql://platform_service:x@127.0.0.1:1/d")
    with pytest.raises(ConfigurationError, match="must own nothing"), open_databases(settings):
        pass


def test_a_wrong_password_is_named_without_being_shown(
    own_server: Databases, postgres: EmbeddedServer, tmp_path: Path
) -> None:
    owner = str(psycopg.conninfo.conninfo_to_dict(own_server.owner_url)["user"])
    url = socket_url(postgres.layout.run, PORT, "platform", Login(owner, "wr0ng-one"))
    with (
        pytest.raises(DatabaseUnavailableError, match="password authentication failed") as caught,
        open_databases(settings_for(tmp_path, url)),
    ):
        pass
    assert "wr0ng-one" not in str(caught.value)
    assert str(postgres.layout.run) in str(caught.value)


def test_a_server_that_does_not_listen_is_named(tmp_path: Path) -> None:
    url = "postgresql://ann:hush@127.0.0.1:1/ops"
    with (
        pytest.raises(DatabaseUnavailableError, match=r"'ops' on 127\.0\.0\.1, port 1.*refused") as caught,
        open_databases(settings_for(tmp_path, url)),
    ):
        pass
    assert "hush" not in str(caught.value)
