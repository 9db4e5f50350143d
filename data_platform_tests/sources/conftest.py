"""A database server of this room's own: its tests kill sessions, make accounts and replace the demo."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import psycopg
import pytest

from data_platform.records.databases import Databases, DemoServer, embedded_databases
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer, open_embedded
from data_platform.settings import Settings
from data_platform.sources.demo.load import DemoSummary, load_demo
from data_platform.sources.wrds.address import WrdsAddress
from data_platform_tests.demo_fixtures import as_owner, session_of
from data_platform_tests.folders import short_folder
from data_platform_tests.sources.forwarding import Forwarder

DEMO = {"seed": 7, "years": (2023, 2024), "securities": 40}


@pytest.fixture(scope="session")
def source_settings() -> Iterator[Settings]:
    folder = short_folder()
    # Named, because a session's fixtures are made before a test's clean environment is.
    yield Settings(home=folder, postgres_url=None, wrds_username=None, ken_french_url=None, _env_file=None)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def source_server(source_settings: Settings) -> Iterator[EmbeddedServer]:
    with open_embedded(source_settings.home) as server:
        yield server


@pytest.fixture(scope="session")
def source_databases(source_server: EmbeddedServer) -> Databases:
    return embedded_databases(source_server)


@pytest.fixture(scope="session")
def demo(source_settings: Settings, source_databases: Databases) -> DemoSummary:
    return load_demo(source_settings, source_databases, **DEMO)


@pytest.fixture(scope="session")
def server(source_databases: Databases) -> DemoServer:
    assert source_databases.demo is not None
    return source_databases.demo


@pytest.fixture(scope="session")
def address(server: DemoServer) -> WrdsAddress:
    return WrdsAddress(
        host=str(server.socket_folder),
        port=server.port,
        dbname=server.dbname,
        user=server.reader,
        password=server.reader_password,
        sslmode="disable",
    )


@pytest.fixture
def superuser(source_server: EmbeddedServer, server: DemoServer) -> Iterator[psycopg.Connection]:
    with psycopg.connect(source_server.url(SUPERUSER, server.dbname), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def module_superuser(source_server: EmbeddedServer, server: DemoServer) -> Iterator[psycopg.Connection]:
    """The same for what a module's tests share."""
    with psycopg.connect(source_server.url(SUPERUSER, server.dbname), autocommit=True) as connection:
        yield connection


def reader_session(server: DemoServer) -> psycopg.Connection:
    """A session of the reading account that is none of ours, as a notebook's is."""
    return session_of(server, server.reader, server.reader_password)


@pytest.fixture
def owner(server: DemoServer) -> Iterator[psycopg.Connection]:
    """The loading role, with a schema `lab` for the test, which the reader may read."""
    with as_owner(server) as connection:
        connection.execute("DROP SCHEMA IF EXISTS lab CASCADE")
        connection.execute("CREATE SCHEMA lab")
        connection.execute(f"GRANT USAGE ON SCHEMA lab TO {server.reader}")
        connection.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA lab GRANT SELECT ON TABLES TO {server.reader}")
        yield connection
        connection.execute("DROP SCHEMA IF EXISTS lab CASCADE")


@pytest.fixture
def forwarder(server: DemoServer) -> Iterator[Forwarder]:
    with Forwarder(server.socket_folder / f".s.PGSQL.{server.port}", server.port) as running:
        yield running
