"""A pool whose connections the server has closed meanwhile, as a restart of the database does."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from data_platform.orchestration.webserver.connections import asked_before_use
from data_platform.records.databases import Databases
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer


@pytest.fixture
def engine(databases: Databases) -> Iterator[sa.Engine]:
    # As Dagster's storages make theirs for a webserver.
    engine = sa.create_engine(databases.dagster_url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=20)
    yield engine
    engine.dispose()


def use(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())


def use_and_lose(engine: sa.Engine, postgres: EmbeddedServer) -> int:
    process = use(engine)
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (process,))
    return process


def test_a_connection_that_was_closed_meanwhile_is_replaced(engine: sa.Engine, postgres: EmbeddedServer) -> None:
    with asked_before_use():
        lost = use_and_lose(engine, postgres)
        found = use(engine)
        assert found != lost
        assert use(engine) == found


def test_without_asking_the_next_request_fails(engine: sa.Engine, postgres: EmbeddedServer) -> None:
    with asked_before_use():
        pass
    use_and_lose(engine, postgres)
    with pytest.raises(sa.exc.OperationalError):
        use(engine)
