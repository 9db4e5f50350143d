"""The user's own PostgreSQL: reaching it, and a login role for the service on it.

The URL's role owns what migrations create. The service signs in as another role, which owns nothing and is bound
by row-level security. Its password is made up here and kept in the home; a role that somebody else made is never
taken over by changing its password, because another installation may be using it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from data_platform.errors import ConfigurationError
from data_platform.records.addresses import Login, normalised, parse, with_login
from data_platform.records.embedded.bootstrap import verifier
from data_platform.records.embedded.credentials import SERVICE
from data_platform.records.private_files import create_private, private_folder
from data_platform.records.reaching import reach

OLDEST_VERSION: Final = 14
_VERSION_UNIT: Final = 10_000
_ATTRIBUTES: Final = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


@dataclass(frozen=True, slots=True)
class OwnServer:
    """The two addresses of a server that is ready."""

    owner_url: str = field(repr=False)
    service_url: str = field(repr=False)


def prepare_own_server(url: str, home: Path) -> OwnServer:
    """Check the server and see to it that the service role exists.

    Raises:
        ConfigurationError: when the URL, the server's version or its roles do not fit; the hint holds the SQL that
            an administrator should run.
        DatabaseUnavailableError: when the server can't be reached.
    """
    if parse(url).get("user") == SERVICE:
        raise ConfigurationError(
            f"DATA_PLATFORM_POSTGRES_URL signs in as {SERVICE!r}, the role that must own nothing.",
            hint="Put the role in it that owns the database.",
        )
    with reach(url) as connection:
        if connection.info.server_version < OLDEST_VERSION * _VERSION_UNIT:
            raise ConfigurationError(
                f"The server runs PostgreSQL {connection.info.server_version // _VERSION_UNIT}.",
                hint=f"PostgreSQL {OLDEST_VERSION} or newer is needed.",
            )
        login = _ensure_service(connection, home)
    return OwnServer(normalised(url), with_login(url, login))


def _ensure_service(connection: psycopg.Connection[Any], home: Path) -> Login:
    secret = private_folder(home / "secrets") / f"{SERVICE}.password"
    role = connection.execute(
        "SELECT rolcanlogin AND NOT (rolsuper OR rolbypassrls OR rolcreaterole), "
        "ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid) "
        "FROM pg_roles r WHERE rolname = %s",
        (SERVICE,),
    ).fetchone()
    if role is not None and not secret.exists():
        raise ConfigurationError(
            f"The role {SERVICE!r} exists on the server, and its password is not in {secret}.",
            hint="Copy the file from the installation that made the role. If there is none, run "
            f"{_make_secret(secret)} and, as an administrator in psql, {_as_administrator('ALTER', secret)}",
        )
    create_private(secret, secrets.token_urlsafe(32) + "\n")
    login = Login(SERVICE, secret.read_text(encoding="utf-8").strip())
    if role is None:
        _create_role(connection, login, secret)
    elif not role[0]:
        raise ConfigurationError(
            f"The role {SERVICE!r} on the server may do too much, or may not sign in.",
            hint=f"As an administrator run: ALTER ROLE {SERVICE} {_ATTRIBUTES};",
        )
    elif role[1]:
        raise ConfigurationError(
            f"The role {SERVICE!r} on the server may act as others: {', '.join(role[1])}.",
            hint=f"As an administrator run: REVOKE {', '.join(role[1])} FROM {SERVICE};",
        )
    return login


def _create_role(connection: psycopg.Connection[Any], login: Login, secret: Path) -> None:
    try:
        connection.execute(
            sql.SQL("CREATE ROLE {} {} PASSWORD {}").format(
                sql.Identifier(login.role), sql.SQL(_ATTRIBUTES), sql.Literal(verifier(connection, login))
            )
        )
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        # Another command of this home was faster; it used the same file.
        return
    except psycopg.errors.InsufficientPrivilege:
        raise ConfigurationError(
            f"The role in DATA_PLATFORM_POSTGRES_URL may not create the role {SERVICE!r}.",
            hint=f"As an administrator run in psql: {_as_administrator('CREATE', secret)}",
        ) from None


def _as_administrator(verb: str, secret: Path) -> str:
    # psql reads the password from the file, so that it appears in no message and no history.
    return f"\\set password `cat '{secret}'` \\\\ {verb} ROLE {SERVICE} {_ATTRIBUTES} PASSWORD :'password';"


def _make_secret(secret: Path) -> str:
    return f"`(umask 077; openssl rand -hex 32 > '{secret}')`"
