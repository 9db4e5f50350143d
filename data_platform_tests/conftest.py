"""What tests share: one embedded PostgreSQL for the session, a fresh migrated database for each test that asks.

- `home`: an empty folder with a short path, for a test that runs a server (or a whole installation) of its own.
- `postgres_home`, `postgres`: the session's server.
- `databases`, `records`: a fresh database on it, migrated; dropped afterwards. `other_records`: one more.
- `shared_data`: real source files beside the checkout; the test is skipped where there are none.
- `torture`: whether the fault tests run at length (`--torture`) rather than short.

No test sees the developer's environment or `.env`.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from data_platform.records.connection import Records, connect_records
from data_platform.records.databases import Databases, embedded_databases
from data_platform.records.embedded.credentials import OWNER, SERVICE, SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer, open_embedded
from data_platform.records.migrations import migrate
from data_platform_tests.folders import short_folder

# Tables as wide as they are printed without a terminal, whoever runs the tests and in however many processes.
os.environ["COLUMNS"] = "140"

pytest_plugins = ("data_platform_tests.demo_fixtures", "data_platform_tests.served_fixtures")

_TEMPLATE = "platform_template"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--torture", action="store_true", help="run the fault tests at length, from a random seed")
    parser.addoption("--fault-seed", type=int, help="the seed of the fault tests; by default fixed, random in torture")


@pytest.fixture
def torture(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("torture"))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("DATA_PLATFORM_", "PG")) or name == "QUERY_AUDIT_ENCRYPTION_KEY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def home() -> Iterator[Path]:
    # pytest's own folders are too deep for the path of a Unix socket.
    folder = short_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedServer]:
    folder = short_folder()
    with open_embedded(folder) as server:
        with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            # A database is made and dropped for every test; waiting for the disk would be most of their time.
            connection.execute("ALTER SYSTEM SET fsync = off")
            # Its folder may lie in memory.
            connection.execute("ALTER SYSTEM SET max_wal_size = '256MB'")
            connection.execute("SELECT pg_reload_conf()")
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_home(postgres: EmbeddedServer) -> Path:
    return postgres.layout.root.parent


@pytest.fixture(scope="session")
def _migrated_template(postgres: EmbeddedServer) -> str:
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(_TEMPLATE), sql.Identifier(OWNER))
        )
    migrate(_databases_named(postgres, _TEMPLATE))
    return _TEMPLATE


@pytest.fixture
def databases(postgres: EmbeddedServer, _migrated_template: str) -> Iterator[Databases]:
    with fresh_database(postgres, _migrated_template) as fresh:
        yield fresh


@contextmanager
def fresh_database(postgres: EmbeddedServer, template: str) -> Iterator[Databases]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
            )
        )
        yield _databases_named(postgres, name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def records(databases: Databases) -> Iterator[Records]:
    with connect_records(databases) as opened:
        yield opened


@pytest.fixture
def other_records(postgres: EmbeddedServer, _migrated_template: str) -> Iterator[Records]:
    with fresh_database(postgres, _migrated_template) as fresh, connect_records(fresh) as opened:
        yield opened


@pytest.fixture
def shared_data() -> Path:
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    return folder


def _databases_named(server: EmbeddedServer, name: str) -> Databases:
    return dataclasses.replace(
        embedded_databases(server), owner_url=server.url(OWNER, name), service_url=server.url(SERVICE, name)
    )
