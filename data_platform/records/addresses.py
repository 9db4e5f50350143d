"""Connection addresses as libpq URLs: building them, speaking of them without their secrets. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from data_platform.errors import ConfigurationError

_SCHEMES: Final = ("postgresql://", "postgres://")
_SECRET_KEYS: Final = frozenset({"password", "sslpassword"})


@dataclass(frozen=True, slots=True)
class Login:
    """A role and its password on one server; prints without the password."""

    role: str
    password: str = field(repr=False)


def socket_url(folder: Path, port: int, dbname: str, login: Login) -> str:
    """Return the URL of a database behind a Unix socket, in the form psycopg, psycopg2 and SQLAlchemy all read."""
    return (
        f"postgresql://{quote(login.role, safe='')}:{quote(login.password, safe='')}@/{quote(dbname, safe='')}"
        f"?host={quote(str(folder), safe='/')}&port={port}"
    )


def parse(url: str) -> dict[str, str]:
    """Return libpq's keywords of a `postgresql://` URL.

    Raises:
        ConfigurationError: when it is none; libpq's own message is withheld because it repeats the address.
    """
    if url.startswith(_SCHEMES):
        try:
            return {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
        except psycopg.ProgrammingError:
            pass
    raise ConfigurationError(
        "DATA_PLATFORM_POSTGRES_URL is not a PostgreSQL URL.",
        hint="Write postgresql://user:password@host:port/database, with special characters percent-encoded.",
    )


def normalised(url: str) -> str:
    """Return the URL with the scheme that SQLAlchemy accepts as well."""
    return f"postgresql://{url.removeprefix('postgres://')}" if url.startswith("postgres://") else url


def with_login(url: str, login: Login) -> str:
    """Return the same address (host, port, database, TLS settings) for another role.

    Client certificates and password files belong to the role in the URL and are left out.
    """
    parts = parse(url)
    for key in ("user", "password", "passfile", "sslcert", "sslkey", "sslpassword", "dbname"):
        parts.pop(key, None)
    query = "&".join(f"{key}={quote(value, safe='/,:')}" for key, value in sorted(parts.items()))
    database = quote(parse(url).get("dbname", parse(url).get("user", "")), safe="")
    return f"postgresql://{quote(login.role, safe='')}:{quote(login.password, safe='')}@/{database}?{query}"


def describe(url: str) -> str:
    """Name host, port, database and role of a URL, for people."""
    parts = parse(url)
    host, port = parts.get("host", "the local socket"), parts.get("port", "5432")
    role = parts.get("user", "(default)")
    return f"database {parts.get('dbname', role)!r} on {host}, port {port}, as {role!r}"


def redacted(text: str, url: str) -> str:
    """Return the first line of a driver's message with every secret of the URL taken out."""
    lines = text.strip().splitlines()
    line = lines[0] if lines else "no reason given"
    for key, value in parse(url).items():
        if key in _SECRET_KEYS and value:
            line = line.replace(value, "***").replace(quote(value, safe=""), "***")
    return line
