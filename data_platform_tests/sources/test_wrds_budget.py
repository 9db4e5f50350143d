"""How many of the account's connections we take: one a run, and never the last one, which is its owner's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from data_platform.errors import SourceError
from data_platform.records.databases import DemoServer
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.session import open_session, spare_connections
from data_platform_tests.records.processes import eventually
from data_platform_tests.sources.conftest import reader_session


@pytest.fixture
def limited(superuser: psycopg.Connection, server: DemoServer) -> Iterator[None]:
    """The reader's account with three connections."""
    superuser.execute(f"ALTER ROLE {server.reader} CONNECTION LIMIT 3")
    yield
    superuser.execute(f"ALTER ROLE {server.reader} CONNECTION LIMIT -1")


@pytest.mark.parametrize(
    ("limit", "used", "spare"),
    [(7, 0, 6), (7, 5, 1), (7, 6, 0), (7, 7, -1), (1, 0, 0), (1, 1, -1), (-1, 500, 1)],
)
def test_one_connection_is_always_left(limit: int, used: int, spare: int) -> None:
    assert spare_connections(limit, used) == spare


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize("others", [0, 1])
def test_while_one_is_left_a_session_opens(server: DemoServer, address: WrdsAddress, others: int) -> None:
    with ExitStack() as stack:
        for _ in range(others):
            stack.enter_context(reader_session(server))
        with open_session(address) as session, session.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)


@pytest.mark.usefixtures("limited")
def test_the_last_one_is_not_taken_and_ours_does_not_stay(
    server: DemoServer, address: WrdsAddress, superuser: psycopg.Connection
) -> None:
    with reader_session(server), reader_session(server):
        with pytest.raises(SourceError, match="has 2 of its 3 connections in use; the last one is left") as caught:
            open_session(address).__enter__()
        assert caught.value.transient
        assert server.reader in caught.value.message
        ours = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'data-platform'"
        # The server takes a moment to notice that we went.
        assert eventually(lambda: superuser.execute(ours).fetchall() == [])
        # The owner may still enter.
        with reader_session(server) as third:
            assert third.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.usefixtures("limited")
def test_a_full_account_is_said_to_be_full(server: DemoServer, address: WrdsAddress) -> None:
    with (
        reader_session(server),
        reader_session(server),
        reader_session(server),
        pytest.raises(SourceError, match="the account has no free connection"),
        open_session(address),
    ):
        pass
