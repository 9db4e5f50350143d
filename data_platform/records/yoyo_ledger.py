"""The one place that touches yoyo: its bookkeeping of applied migrations, opened under a lock, with types for it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

import psycopg
from yoyo import read_migrations  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] - yoyo is untyped
from yoyo.backends.core.postgresql import (  # pyright: ignore[reportMissingTypeStubs] - yoyo is untyped
    PostgresqlPsycopgBackend,
)
from yoyo.connections import DatabaseURI  # pyright: ignore[reportMissingTypeStubs] - yoyo is untyped

from data_platform.records.addresses import parse
from data_platform.records.reaching import is_away, unavailable

_LOCK: Final = "SELECT pg_advisory_lock(hashtextextended('data-platform migrations', 0))"


class _Migration(Protocol):
    id: str

    def process_steps(self, backend: _Backend, direction: str) -> None: ...


class _Backend(Protocol):
    def execute(self, sql: str) -> object: ...
    def init_database(self) -> None: ...
    def break_lock(self) -> None: ...
    def ensure_internal_schema_updated(self) -> None: ...
    def lock(self) -> AbstractContextManager[None]: ...
    def transaction(self) -> AbstractContextManager[object]: ...
    def to_apply(self, migrations: object) -> Iterable[_Migration]: ...
    def to_rollback(self, migrations: object) -> Iterable[_Migration]: ...
    def mark_one(self, migration: _Migration, *, log: bool) -> None: ...
    def unmark_one(self, migration: _Migration, *, log: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Ledger:
    """The migrations of a folder and the database's note of which it has."""

    _backend: _Backend
    _migrations: object

    def apply_missing(self) -> list[str]:
        """Apply what the database lacks, each with its mark in one transaction; return the names in order."""
        done: list[str] = []
        for migration in self._backend.to_apply(self._migrations):
            with self._backend.transaction():
                migration.process_steps(self._backend, "apply")
                # yoyo's own log would look this host up in the name service, which can hang.
                self._backend.mark_one(migration, log=False)
            done.append(migration.id)
        return done

    def undo(self, count: int) -> list[str]:
        """Undo the last `count`, newest first, each with its mark in one transaction; return the names."""
        done: list[str] = []
        for migration in list(self._backend.to_rollback(self._migrations))[:count]:
            with self._backend.transaction():
                migration.process_steps(self._backend, "rollback")
                self._backend.unmark_one(migration, log=False)
            done.append(migration.id)
        return done


@contextmanager
def open_ledger(url: str, *, schema: str, table: str, folder: Path) -> Generator[Ledger]:
    """Open the bookkeeping in `schema`, alone: other processes wait until the block ends.

    Raises:
        DatabaseUnavailableError: when the database can't be reached or goes away.
    """
    parts = {**parse(url), "schema": schema}
    address = DatabaseURI("postgresql+psycopg", None, None, None, None, parts.pop("dbname", None), parts)
    try:
        connected: Any = PostgresqlPsycopgBackend(address, table)
        with connected:
            backend = cast("_Backend", connected)
            # Whoever holds this lock is the only one at work, so yoyo's own lock, a row that outlives a killed
            # process, can only be a left-over.
            backend.execute(_LOCK)
            backend.init_database()
            backend.break_lock()
            backend.ensure_internal_schema_updated()
            with backend.lock():
                yield Ledger(backend, cast("object", read_migrations(str(folder))))
    except psycopg.OperationalError as error:
        if not is_away(error):
            raise
        raise unavailable(url, error) from None
