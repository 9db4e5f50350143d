"""What a failure of the server means for the user: pure functions from psycopg2's errors to ours."""

from __future__ import annotations

import re
from typing import Final

import psycopg2
from psycopg2 import errors

from data_platform.catalog import WrdsQuery
from data_platform.errors import CredentialsError, PlatformError, SchemaError, SourceError
from data_platform.sources.wrds.address import WrdsAddress

# libpq reports a failed connection as text only. Each line: what the text says, what it means, what to do, and
# whether trying again soon can help. A refused password is never tried again: accounts get locked.
_CONNECT_CAUSES: Final[tuple[tuple[str, str, str, bool], ...]] = (
    (
        r"password authentication failed|no pg_hba\.conf entry|PAM authentication failed|LDAP authentication failed",
        "the server refused user and password",
        "Check DATA_PLATFORM_WRDS_USERNAME and DATA_PLATFORM_WRDS_PASSWORD.",
        False,
    ),
    (
        r"no password supplied",
        "the server asks for a password and none is set",
        "Set DATA_PLATFORM_WRDS_PASSWORD, or add the server to .pgpass.",
        False,
    ),
    (
        r"could not translate host name|Name or service not known|nodename nor servname",
        "the host name is unknown",
        "Check DATA_PLATFORM_WRDS_HOST and this machine's network.",
        False,
    ),
    (
        r"timeout expired|timed out",
        "the server did not answer in time",
        "Check DATA_PLATFORM_WRDS_HOST, the network, and whether a multi-factor prompt waits on your phone.",
        False,
    ),
    (
        r"Connection refused|No such file or directory",
        "nothing listens there",
        "Check DATA_PLATFORM_WRDS_HOST and DATA_PLATFORM_WRDS_PORT.",
        True,
    ),
    (
        r"too many connections|remaining connection slots",
        "the account has no free connection",
        "Close other WRDS sessions of this account and try again.",
        True,
    ),
    (r"the database system is", "the server is starting or stopping", "Try again in a minute.", True),
    (
        r"does not support SSL|SSL error|certificate",
        "no encrypted connection could be agreed on",
        "Check DATA_PLATFORM_WRDS_SSLMODE.",
        False,
    ),
    (
        r"permission denied for database|not permitted to log in",
        "the account may not use this database",
        "Check DATA_PLATFORM_WRDS_DBNAME and the account.",
        False,
    ),
    (r"database .* does not exist", "the server has no such database", "Check DATA_PLATFORM_WRDS_DBNAME.", False),
    (
        r"server closed the connection|Connection reset|Network is unreachable|No route to host",
        "the connection was cut",
        "Check the network and try again.",
        True,
    ),
)

# What only other settings mend: a schedule, too, does not try again by itself.
_CREDENTIALS: Final = frozenset(cause for _, cause, _, _ in _CONNECT_CAUSES[:2])

_MISSING_COLUMN: Final = re.compile(r'column "?([\w.]+)"? does not exist')
_MISSING_RELATION: Final = re.compile(r'relation "([\w.]+)" does not exist')
_REFUSED_RELATION: Final = re.compile(r"permission denied for (?:table|view|materialized view|relation) (\w+)")

_PASSING: Final = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.TooManyConnections,
    errors.CannotConnectNow,
)
"""The server's own words for: not now. A standby that drops a query for the sake of its replay says the first."""


def connect_failure(text: str, address: WrdsAddress) -> tuple[SourceError, bool]:
    """Explain why no session came about; the second value says whether trying again soon can help."""
    for pattern, cause, hint, transient in _CONNECT_CAUSES:
        if re.search(pattern, text):
            return _no_session(address, cause, hint, transient=transient), transient
    first_line = next(iter(address.redact(text).strip().splitlines()), "no reason given")
    return _no_session(address, first_line, "Check the WRDS settings and the network."), False


def _no_session(address: WrdsAddress, cause: str, hint: str, *, transient: bool = False) -> SourceError:
    kind = CredentialsError if cause in _CREDENTIALS else SourceError
    return kind(
        f"WRDS cannot be reached: {cause} (host {address.host}, port {address.port}, user {address.user}).",
        hint=hint,
        transient=transient,
    )


def is_lost_connection(error: psycopg2.Error) -> bool:
    """Whether the session is gone, as against a statement that the server refused."""
    gone = isinstance(error, errors.AdminShutdown | errors.CrashShutdown)
    return gone or error.pgcode is None or error.pgcode.startswith("08")


def statement_failure(error: psycopg2.Error, origin: WrdsQuery, where: str, *, user: str, rows: int) -> PlatformError:
    """Explain a failed statement of the table that `where` names; `rows` is how many had arrived by then.

    Only fixed texts and names of relations and columns go into the message: the server's own may quote values.
    """
    relation = origin.relation
    if isinstance(error, errors.InsufficientPrivilege):
        refused = _REFUSED_RELATION.search(str(error))
        name = f"{origin.schema}.{refused.group(1)}" if refused else relation
        return SourceError(
            f"{where}: the WRDS account {user} may not read {name}.",
            hint=f"The subscription must cover the library {origin.schema}; ask your WRDS representative.",
        )
    if isinstance(error, errors.UndefinedTable | errors.InvalidSchemaName):
        missing = _MISSING_RELATION.search(str(error))
        name = missing.group(1) if missing else relation
        return SchemaError(
            f"{where}: the server has no relation {name}.", hint="Compare the catalog's source with WRDS."
        )
    if isinstance(error, errors.UndefinedColumn):
        found = _MISSING_COLUMN.search(str(error))
        name = found.group(1) if found else "that the query asks for"
        return SchemaError(
            f"{where}: {relation} has no column {name}.",
            hint="It was renamed or removed at the source: compare sql/extract with WRDS.",
        )
    if isinstance(error, errors.QueryCanceled):
        return SourceError(
            f"{where}: the server stopped the query after {rows:,} rows.",
            hint="It ran into a time limit or was cancelled at the server; try again.",
        )
    if is_lost_connection(error):
        return SourceError(
            f"{where}: the server closed the connection after {rows:,} rows.",
            hint="Nothing was published. Try again; partitions that are done stay done.",
            transient=True,
        )
    if isinstance(error, _PASSING):
        return SourceError(
            f"{where}: the server broke off the query after {rows:,} rows (SQLSTATE {error.pgcode}).",
            hint="It is busy or restarting. Try again; partitions that are done stay done.",
            transient=True,
        )
    return SourceError(
        f"{where}: the server refused the query on {relation} (SQLSTATE {error.pgcode}).",
        hint="Run the query in sql/extract by hand to see the server's own words.",
    )
