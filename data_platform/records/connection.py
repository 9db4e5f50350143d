"""The pooled connection as the service role, and transactions that carry row-level security's settings."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

import psycopg
import psycopg_pool
from psycopg.rows import DictRow, dict_row

from data_platform.errors import DatabaseUnavailableError, NotPermittedError, UsageError
from data_platform.metrics.counting import count_in
from data_platform.records.databases import Databases, open_databases
from data_platform.records.migrations import bring_up
from data_platform.records.reaching import APPLICATION, connect_seconds, is_away, reach, unavailable
from data_platform.records.scope import Scope
from data_platform.records.scope_seal import SET_SCOPE, ScopeSeals
from data_platform.settings import Settings

__all__ = ["Connection", "Records", "Scope", "connect_records", "open_records"]

Connection = psycopg.Connection[DictRow]
"""What a transaction yields: rows are dictionaries by column name."""

WAIT_SECONDS: Final = 10.0
"""How long a transaction waits for a connection."""
_SESSION: Final = "SELECT set_config('idle_in_transaction_session_timeout', '5min', false)"

# The pool logs each failed attempt by itself; we raise one clear error instead.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


class Records:
    """The operational records, open for use; `databases` says where they are.

    May be shared by threads. Not by forked processes: those open their own.
    """

    def __init__(self, databases: Databases, *, max_connections: int = 8, wait_seconds: float = WAIT_SECONDS) -> None:
        self.databases = databases
        self._wait_seconds = wait_seconds
        self._seals: ScopeSeals | None = None
        self._pool: psycopg_pool.ConnectionPool[Connection] = psycopg_pool.ConnectionPool(
            databases.service_url,
            connection_class=Connection,
            kwargs={
                "row_factory": dict_row,
                "autocommit": True,
                "connect_timeout": connect_seconds(databases.service_url),
                "application_name": APPLICATION,
            },
            min_size=0,
            max_size=max_connections,
            timeout=wait_seconds,
            reconnect_timeout=wait_seconds,
            configure=_configure,
            check=_check,
            open=False,
        )

    def __enter__(self) -> Self:
        self._pool.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    @contextmanager
    def transaction(self, scope: Scope) -> Generator[Connection]:
        """Run the block in one transaction in the name of `scope`, committed at its end, undone by an exception.

        Raises:
            DatabaseUnavailableError: when the database is or goes away, or a statement takes longer than 30 s.
            NotPermittedError: when row-level security or a privilege refuses what the block does.
            UsageError: when a value can't be kept: a number out of range, a NUL, half of a surrogate pair, or something
                that a table's own rules forbid.
        """
        seals = self._seals or self._load_seals()
        try:
            with self._pool.connection() as connection, connection.transaction():
                if not _believed(connection, seals, scope) and not _believed(connection, self._load_seals(), scope):
                    raise DatabaseUnavailableError(
                        "The operational database does not accept the key of scopes that its owner reads.",
                        hint="Is DATA_PLATFORM_POSTGRES_URL another database than the service's? Try again.",
                    )
                yield connection
        except psycopg_pool.PoolTimeout:
            raise self._no_connection() from None
        except psycopg.OperationalError as error:
            if not is_away(error):
                raise
            raise unavailable(self.databases.service_url, error) from None
        except (psycopg.DataError, UnicodeEncodeError):
            # Their own message would repeat the value.
            raise UsageError(
                "A value can't be kept in the records: a number is out of range, or a text holds a NUL or half of a "
                "surrogate pair.",
                hint="Nothing was stored. Correct the value.",
            ) from None
        except psycopg.errors.CheckViolation as error:
            # Its own message has the whole row.
            raise UsageError(
                f"A value breaks a rule of the table {error.diag.table_name}: {error.diag.constraint_name}.",
                hint="Nothing was stored. Correct the value.",
            ) from None
        except psycopg.errors.InsufficientPrivilege:
            raise NotPermittedError(
                f"The database refuses this to {scope.user!r}: its row-level security or privileges forbid it."
            ) from None

    def _load_seals(self) -> ScopeSeals:
        # Two threads that load them at once load the same.
        self._seals = ScopeSeals.load(self.databases.owner_url)
        return self._seals

    def _no_connection(self) -> DatabaseUnavailableError:
        try:
            with reach(self.databases.service_url):
                pass
        except DatabaseUnavailableError as cause:
            return cause
        return DatabaseUnavailableError(
            f"All connections to the operational database stayed busy for {self._wait_seconds:g} seconds.",
            hint="Try again in a moment.",
        )


@contextmanager
def connect_records(
    databases: Databases, *, max_connections: int = 8, wait_seconds: float = WAIT_SECONDS
) -> Generator[Records]:
    """Open the records of databases that are available and migrated. Connects at the first transaction."""
    with Records(databases, max_connections=max_connections, wait_seconds=wait_seconds) as records:
        yield records


@contextmanager
def open_records(settings: Settings) -> Generator[Records]:
    """Make the databases available, see to it that their tables fit this code, and open the records.

    From here on this process counts its metrics in the home of these settings.

    Raises:
        ConfigurationError: when a setting, the home, a role or the tables' version is unfit.
        DatabaseUnavailableError: when the server can't be started or reached.
    """
    count_in(settings.home)
    with open_databases(settings) as databases:
        bring_up(databases)
        with connect_records(databases) as records:
            yield records


def _believed(connection: Connection, seals: ScopeSeals, scope: Scope) -> bool:
    """Set the scope; False when the key has changed since it was loaded, as when the tables were made anew."""
    row = connection.execute(SET_SCOPE, seals.settings(scope)).fetchone()
    return row is not None and row["app_user"] == scope.user


def _configure(connection: psycopg.Connection[Any]) -> None:
    connection.execute(_SESSION)


def _check(connection: psycopg.Connection[Any]) -> None:
    psycopg_pool.ConnectionPool.check_connection(connection)
