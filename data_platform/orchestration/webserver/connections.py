"""Connections of Dagster's storages that the server closed while they waited in a pool.

Dagster's webserver keeps some open and asks none of them whether it still is, so that after a restart of the database
the next launch of somebody failed. Its storages take no option for that; SQLAlchemy's events are for all pools alike.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg2
from psycopg2 import extensions
from sqlalchemy import event, exc
from sqlalchemy.pool import Pool


@contextmanager
def asked_before_use() -> Generator[None]:
    """Ask each connection that a pool of this process hands out during the block; a dead one is replaced.

    Convention: SQLAlchemy's "Disconnect Handling, Pessimistic"; its `pool_pre_ping` does the same for one engine.
    """
    event.listen(Pool, "checkout", _ask)
    try:
        yield
    finally:
        event.remove(Pool, "checkout", _ask)


def _ask(connection: extensions.connection, *_: object) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error:
        # The pool connects anew, and says so itself when that fails.
        raise exc.DisconnectionError from None
