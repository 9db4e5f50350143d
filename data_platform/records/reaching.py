"""Connecting once, outside the pool, with every failure told in one clear error."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from data_platform.errors import DatabaseUnavailableError
from data_platform.records.addresses import describe, parse, redacted

CONNECT_SECONDS: Final = 10
APPLICATION: Final = "data-platform"
_AWAY: Final = ("08", "28", "3D", "53", "57P")
"""SQLSTATE classes that say "the server": connection, sign-in, no such database, out of resources, shutdown."""
_STATEMENT_TIMEOUT: Final = "57014"


@contextmanager
def reach(url: str, seconds: int | None = None) -> Generator[psycopg.Connection[Any]]:
    """Open an autocommitting connection for the block; `seconds` to connect, unless given what the URL says, or ours.

    Raises:
        DatabaseUnavailableError: when the server can't be reached or goes away, naming host, port, database, role
            and cause, never the password.
    """
    try:
        timeout = connect_seconds(url) if seconds is None else seconds
        with psycopg.connect(url, autocommit=True, connect_timeout=timeout, application_name=APPLICATION) as connection:
            yield connection
    except psycopg.OperationalError as error:
        if not is_away(error):
            raise
        raise unavailable(url, error) from None


def why_unreachable(url: str, seconds: int = 2) -> str | None:
    """Why the server does not let us in at this moment, without the password; None when it does."""
    try:
        with reach(url, seconds):
            return None
    except DatabaseUnavailableError as error:
        return error.message


def is_away(error: psycopg.OperationalError) -> bool:
    """Tell the server's absence (or its refusal to go on) from an error of the statement itself."""
    state = error.sqlstate
    return state is None or state == _STATEMENT_TIMEOUT or state.startswith(_AWAY)


def connect_seconds(url: str) -> int:
    """Return the URL's own `connect_timeout`, or ours."""
    return int(parse(url).get("connect_timeout", CONNECT_SECONDS))


def unavailable(url: str, error: Exception) -> DatabaseUnavailableError:
    """Say that the server of `url` is away and why."""
    return DatabaseUnavailableError(
        f"The operational database can't be used ({describe(url)}): {redacted(str(error), url)}.",
        hint="Data stays closed until it is back. Check that the server runs and that the password is right.",
    )
