"""What the tests of the records share beside the databases of all tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from data_platform.records.databases import Databases
from data_platform.records.embedded.credentials import OWNER, SERVICE, SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer


@pytest.fixture
def empty(postgres: EmbeddedServer) -> Iterator[Databases]:
    """A database without any table."""
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
        yield Databases(postgres.url(OWNER, name), postgres.url(SERVICE, name), "", embedded=True, demo=None)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
