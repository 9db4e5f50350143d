"""`archives`: which rows retention took out of the tables, and the file that has them. Written as the tables' owner."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import psycopg

from data_platform.errors import LockBusyError
from data_platform.records.chain import Chain, Head

OWNER_ROWS = psycopg.Connection[dict[str, Any]]
"""A connection of the tables' owner whose rows are dictionaries."""

_LOCK: Final = "data-platform archives"
_PAGE: Final = 1_000
_OF_TABLE: Final = """
    SELECT id, table_name, file_name, sha256, row_count, first_at, last_at, first_id, last_id, previous_hash, last_hash
    FROM platform.archives WHERE table_name = %s AND id > %s ORDER BY id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Archive:
    """One file. Of an audit table it holds the rows `first_id` to `last_id`, which follow `previous_hash`."""

    table_name: str
    file_name: str
    sha256: str
    row_count: int
    first_at: dt.datetime
    last_at: dt.datetime
    first_id: int | None = None
    last_id: int | None = None
    previous_hash: str | None = None
    last_hash: str | None = None

    @property
    def end(self) -> Head | None:
        """Where the chain goes on after it."""
        return None if self.last_id is None or self.last_hash is None else Head(self.last_id, self.last_hash)


def add(connection: OWNER_ROWS, archive: Archive) -> None:
    """Write down that a file has rows; in the transaction that deletes them."""
    connection.execute(
        """
        INSERT INTO platform.archives (table_name, file_name, sha256, row_count, first_at, last_at,
                                       first_id, last_id, previous_hash, last_hash)
        VALUES (%(table_name)s, %(file_name)s, %(sha256)s, %(row_count)s, %(first_at)s, %(last_at)s,
                %(first_id)s, %(last_id)s, %(previous_hash)s, %(last_hash)s)
        """,
        asdict(archive),
    )


def of_table(connection: psycopg.Connection[dict[str, Any]], table: str) -> list[Archive]:
    """Return a table's archives, oldest first; needs a scope that sees everything, or the owner."""
    found: list[Archive] = []
    after = 0
    while rows := connection.execute(_OF_TABLE, (table, after, _PAGE)).fetchall():
        after = rows[-1]["id"]
        found += [Archive(**{name: value for name, value in row.items() if name != "id"}) for row in rows]
    return found


def every(connection: psycopg.Connection[dict[str, Any]]) -> list[Archive]:
    """Return all archives, table by table, oldest first; needs a scope that sees everything, or the owner."""
    tables = connection.execute("SELECT DISTINCT table_name FROM platform.archives ORDER BY table_name").fetchall()
    return [archive for row in tables for archive in of_table(connection, row["table_name"])]


def end_of(connection: psycopg.Connection[dict[str, Any]], chain: Chain) -> Head | None:
    """Return the last row of a chain that is archived."""
    row = connection.execute(
        "SELECT last_id, last_hash FROM platform.archives WHERE table_name = %s AND last_id IS NOT NULL "
        "ORDER BY last_id DESC LIMIT 1",
        (chain.table,),
    ).fetchone()
    return None if row is None else Head(row["last_id"], row["last_hash"])


def hold_still(connection: psycopg.Connection[dict[str, Any]]) -> None:
    """Keep rows from being archived, and archives from being written anew, until the transaction ends.

    Raises:
        LockBusyError: when that is going on.
    """
    _take(connection, "SELECT pg_try_advisory_xact_lock_shared(hashtextextended(%s, 0)) AS got")


@contextmanager
def hold_alone(connection: OWNER_ROWS) -> Generator[None]:
    """Be the only one to archive, or to write archives anew, for the block.

    Raises:
        LockBusyError: when somebody else is, or follows the chains.
    """
    _take(connection, "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS got")
    try:
        yield
    finally:
        # Without a word the server would keep it until it has noticed that the connection is gone.
        if not connection.closed and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (_LOCK,))


def _take(connection: psycopg.Connection[dict[str, Any]], statement: str) -> None:
    row = connection.execute(statement.encode(), (_LOCK,)).fetchone()
    if row is None or not row["got"]:
        raise LockBusyError(
            "Audit rows are being archived, verified or encrypted anew by another command.",
            hint="Try again when it has ended.",
        )
