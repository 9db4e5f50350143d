"""A synthetic WRDS that each test may spoil as it likes, and a data library served from a folder of its own."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from data_platform.records.connection import Records, connect_records
from data_platform.records.databases import Databases, DemoServer, embedded_databases
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.settings import Settings
from data_platform.sources.demo.load import load_demo
from data_platform.sources.demo.marker import demo_marker, library_folder
from data_platform.sources.demo.site import serve_folder
from data_platform.sync import SyncContext
from data_platform.warehouse import Warehouse


@pytest.fixture(scope="session")
def demo_settings(postgres: EmbeddedServer, postgres_home: Path) -> Settings:
    """The session's home with a small demo in it: 20 securities, 2023 and 2024."""
    settings = Settings(home=postgres_home)
    load_demo(settings, embedded_databases(postgres), years=(2023, 2024), securities=20)
    return settings


def with_account(settings: Settings, demo: DemoServer, **changes: object) -> Settings:
    """The settings with the synthetic WRDS named as a user's own server and account, and other changes."""
    account = {
        "wrds_host": str(demo.socket_folder),
        "wrds_port": demo.port,
        "wrds_dbname": demo.dbname,
        "wrds_username": demo.reader,
        "wrds_password": SecretStr(demo.reader_password),
    }
    return settings.model_copy(update={**account, **changes})


@pytest.fixture
def wrds(postgres: EmbeddedServer, demo_settings: Settings, databases: Databases) -> Iterator[Databases]:
    """The databases with a copy of the demo's WRDS that belongs to this test."""
    assert databases.demo is not None
    assert demo_marker(demo_settings) is not None
    name = f"wrds_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(databases.demo.owner), sql.Identifier(databases.demo.dbname)
            )
        )
        yield dataclasses.replace(databases, demo=dataclasses.replace(databases.demo, dbname=name))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def as_owner(server: DemoServer) -> psycopg.Connection:
    """A connection to a synthetic WRDS that may change it; each statement is a transaction."""
    return session_of(server, server.owner, server.owner_password)


def session_of(server: DemoServer, user: str, password: str) -> psycopg.Connection:
    """A session of an account of a synthetic WRDS that is none of ours, as a notebook's is."""
    return psycopg.connect(
        host=str(server.socket_folder),
        port=server.port,
        dbname=server.dbname,
        user=user,
        password=password,
        autocommit=True,
    )


@pytest.fixture
def wrds_owner(wrds: Databases) -> Iterator[psycopg.Connection]:
    """A connection that may change the synthetic WRDS."""
    demo = wrds.demo
    assert demo is not None
    with as_owner(demo) as connection:
        yield connection


@pytest.fixture
def sync_records(wrds: Databases) -> Iterator[Records]:
    with connect_records(wrds) as records:
        yield records


@pytest.fixture
def context(sync_records: Records, demo_settings: Settings, tmp_path: Path) -> SyncContext:
    """Where a test syncs to: a warehouse and a database of its own."""
    return SyncContext(demo_settings, Warehouse(tmp_path / "warehouse"), sync_records)


@pytest.fixture
def site(demo_settings: Settings, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A copy of the synthetic data library in a folder to spoil, and its address."""
    folder = tmp_path / "site"
    folder.mkdir()
    for file in library_folder(demo_settings).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with serve_folder(folder) as url:
        yield folder, url
