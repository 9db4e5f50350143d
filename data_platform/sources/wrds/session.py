"""The one session with the server: opened by the `wrds` package itself, prepared for bulk reading."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

import psycopg2
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from data_platform.errors import SourceError
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.causes import connect_failure

if TYPE_CHECKING:
    from psycopg2 import extensions

ATTEMPTS: Final = 3

_CONNECTIONS: Final = """
SELECT r.rolconnlimit, (SELECT count(*) FROM pg_stat_activity AS a WHERE a.usesysid = r.oid)
FROM pg_roles AS r WHERE r.rolname = current_user
"""

_PREPARE: Final = """
SET datestyle TO 'ISO, YMD';
SET timezone TO 'UTC';
SET extra_float_digits TO 1;
SET default_transaction_read_only TO on;
SET statement_timeout TO '2h';
"""
"""Text forms that the parser expects; nothing is ever written; no query may outlive a full sync's two hours."""


class _TransientFailure(Exception):  # noqa: N818 - a signal between the two functions below
    def __init__(self, error: SourceError) -> None:
        super().__init__()
        self.error = error


@contextmanager
def open_session(address: WrdsAddress) -> Generator[extensions.connection]:
    """Enter the server and yield the session's own psycopg2 connection; closed at the end, whatever happened.

    Failures that pass (a refused connection, a server that is starting, an account with no connection to spare) are
    tried again briefly; a refused password never is. Standard input is not read and nothing is printed.

    Raises:
        SourceError: naming host, port, user and cause.
    """
    # A random wait keeps several workers from knocking in step.
    knock = Retrying(
        retry=retry_if_exception_type(_TransientFailure),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.2, max=1.0),
        reraise=True,
    )
    try:
        client = knock(_enter, address)
    except _TransientFailure as failure:
        raise failure.error from None
    try:
        yield _session_of(client)
    finally:
        _leave(client)


def spare_connections(limit: int, used: int) -> int:
    """How many more connections we may take of an account's `limit`, one always being left to its owner.

    `used` counts all of the account's connections, ours and others. A limit below zero is none.
    """
    return 1 if limit < 0 else limit - 1 - used


def _enter(address: WrdsAddress) -> Any:  # noqa: ANN401 - wrds.Connection is untyped
    """One attempt: connect, prepare, and leave again where the account's connections are needed by its owner."""
    client = _connect(address)
    try:
        with _session_of(client).cursor() as cursor:
            cursor.execute(_PREPARE)
            cursor.execute(_CONNECTIONS)
            limit, used = cursor.fetchone() or (-1, 0)
    except psycopg2.Error as error:
        _leave(client)
        raise connect_failure(str(error), address)[0] from None
    # We are among those that are used: what was free for us before is now at least not overdrawn.
    if spare_connections(limit, used) < 0:
        _leave(client)
        raise _TransientFailure(
            SourceError(
                f"WRDS account {address.user} has {used - 1} of its {limit} connections in use; the last one is left "
                f"to its owner (host {address.host}, port {address.port}).",
                hint="Close other WRDS sessions of this account, or try again later.",
                transient=True,
            )
        )
    return client


def _session_of(client: Any) -> extensions.connection:  # noqa: ANN401 - wrds.Connection is untyped
    return cast("extensions.connection", client.connection.connection.dbapi_connection)


def _leave(client: Any) -> None:  # noqa: ANN401 - wrds.Connection is untyped
    # Without this the pool would first roll back, and log a traceback when the server has ended the session.
    client.connection.invalidate()
    client.close()


def _connect(address: WrdsAddress) -> Any:  # noqa: ANN401 - wrds.Connection is untyped
    import wrds  # noqa: PLC0415 - brings pandas: over a second

    # Everything goes through libpq's keywords, where nothing needs quoting: the URL that the package builds from
    # its own parameters would hold the password and break on some user names and hosts.
    client = wrds.Connection(
        autoconnect=False,
        wrds_username="by-keyword",
        wrds_password="",
        wrds_hostname="localhost",
        wrds_port=address.port,
        wrds_dbname="by-keyword",
        wrds_connect_args=address.connect_args,
    )
    try:
        connect_without_asking(client)()
    except Exception as error:  # noqa: BLE001 - the package lets through whatever its layers raise
        cause = getattr(error, "orig", None) or error
        failure, transient = connect_failure(str(cause), address)
        if transient:
            raise _TransientFailure(failure) from None
        raise failure from None
    return client


def connect_without_asking(client: object) -> Callable[[], None]:
    """The package's own way of connecting, without what its public `connect()` does on failure.

    That one swallows the cause, tries another host and then asks for a password on standard input; this step of it
    tries once and raises. The name is private to the package, so a test watches it.

    Raises:
        SourceError: when the installed package has no such step any more.
    """
    step = cast("Callable[..., None] | None", getattr(client, "_Connection__make_sa_engine_conn", None))
    if step is None:
        raise SourceError(
            "The installed wrds package connects in another way than this version knows.",
            hint="Install the versions of requirements.lock.",
        )
    return lambda: step(raise_err=True)
