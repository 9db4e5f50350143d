"""Roles and databases of the embedded server, created as its superuser, which else dumps and loads backups.

Every step can be repeated, and a mark on the last one says that all were done, so a start that was killed half-way
is finished by the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from data_platform.records.addresses import Login
from data_platform.records.embedded.credentials import (
    DAGSTER,
    DEMO_OWNER,
    DEMO_READER,
    OWNER,
    SERVICE,
    SUPERUSER,
    Credentials,
)

PLATFORM_DB: Final = "platform"
DAGSTER_DB: Final = "dagster"
DEMO_DB: Final = "wrds"

_MARK: Final = "data-platform roles and databases, revision 1"
_PLAIN: Final = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
_UNLIMITED: Final = -1
_WRDS_CONNECTIONS: Final = 7
"""What the real server allows each account."""


@dataclass(frozen=True, slots=True)
class _Database:
    name: str
    owner: str
    visitors: tuple[str, ...] = ()
    search_path: tuple[str, ...] = ()


_CONNECTION_LIMITS: Final[Mapping[str, int]] = {
    OWNER: _UNLIMITED,
    SERVICE: _UNLIMITED,
    DAGSTER: _UNLIMITED,
    DEMO_OWNER: _UNLIMITED,
    DEMO_READER: _WRDS_CONNECTIONS,
}
_DATABASES: Final = (
    _Database(PLATFORM_DB, OWNER, (SERVICE,), search_path=("platform", "public")),
    _Database(DAGSTER_DB, DAGSTER),
    _Database(DEMO_DB, DEMO_OWNER, (DEMO_READER,)),
)


def ensure_roles_and_databases(url: str, credentials: Credentials) -> None:
    """Bring the server's roles and databases to what `credentials` and this module say; `url` is the superuser's."""
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        if _is_marked(connection):
            return
        for role, limit in _CONNECTION_LIMITS.items():
            _ensure_role(connection, credentials[role], limit)
        for database in _DATABASES:
            _ensure_database(connection, database)
        connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(SUPERUSER), sql.Literal(_MARK))
        )


def _is_marked(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (SUPERUSER,)
    ).fetchone()
    return row is not None and row[0] == _MARK


def _ensure_role(connection: psycopg.Connection[Any], login: Login, limit: int) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (login.role,)).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(login.role)))
    connection.execute(
        sql.SQL("ALTER ROLE {} WITH {} CONNECTION LIMIT {} PASSWORD {}").format(
            sql.Identifier(login.role), sql.SQL(_PLAIN), sql.Literal(limit), sql.Literal(verifier(connection, login))
        )
    )


def _ensure_database(connection: psycopg.Connection[Any], database: _Database) -> None:
    name, owner = sql.Identifier(database.name), sql.Identifier(database.owner)
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database.name,)).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    if database.search_path:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET search_path TO {}").format(
                name, sql.SQL(", ").join(map(sql.Identifier, database.search_path))
            )
        )
    for visitor in database.visitors:
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(visitor)))


def verifier(connection: psycopg.Connection[Any], login: Login) -> str:
    """Return what the server stores for a password, so that the password itself is never sent or logged."""
    encrypted = connection.pgconn.encrypt_password(login.password.encode(), login.role.encode(), b"scram-sha-256")
    return encrypted.decode("ascii")
