"""Bringing the tables to the version of the code and back, from the SQL files in `sql/migrations`.

The files and the bookkeeping are yoyo's, so its own command reads them too. A migration and its mark in the
bookkeeping are one transaction: a kill leaves either both or neither.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from data_platform.errors import ConfigurationError
from data_platform.records.databases import Databases
from data_platform.records.reaching import reach
from data_platform.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from data_platform.records.yoyo_ledger import Ledger

FOLDER: Final = PROJECT_ROOT / "sql" / "migrations"
_BOOKS: Final = "platform_migrations"
_TABLE: Final = "_yoyo_migration"


@dataclass(frozen=True, slots=True)
class MigrationState:
    """One migration and whether the database has it."""

    name: str
    applied: bool


def migration_status(databases: Databases) -> list[MigrationState]:
    """Return every migration of the code in order; one that only the database knows stands at the end.

    Raises:
        DatabaseUnavailableError: when the database can't be reached.
    """
    with reach(databases.owner_url) as connection:
        applied = _applied(connection)
    known = _known()
    return [MigrationState(name, name in applied) for name in known] + [
        MigrationState(name, applied=True) for name in sorted(applied - set(known))
    ]


def migrate(databases: Databases) -> list[str]:
    """Apply what is missing and return its names; quick when there is nothing to do.

    Raises:
        ConfigurationError: when the database is newer than this code, or its owner role may not create the schema.
        DatabaseUnavailableError: when the database can't be reached.
    """
    known = _known()
    with reach(databases.owner_url) as connection:
        missing = pending(known, _applied(connection))
        if not missing:
            return []
        _ensure_bookkeeping(connection)
    with _ledger(databases) as ledger:
        return ledger.apply_missing()


def bring_up(databases: Databases) -> None:
    """Make the tables fit this code, where that is ours to decide: in the embedded server, or in an empty database.

    A database of one's own may serve other installations too, so bringing it up is its owner's word to say.

    Raises:
        ConfigurationError: when the database is newer than this code, or one's own and older.
        DatabaseUnavailableError: when the database can't be reached.
    """
    with reach(databases.owner_url) as connection:
        applied = _applied(connection)
    missing = pending(_known(), applied)
    if not missing:
        return
    if applied and not databases.embedded:
        raise ConfigurationError(
            f"The database is older than this code: it lacks the migration {missing[0]!r}"
            + (f" and {len(missing) - 1} more." if len(missing) > 1 else "."),
            hint="Update the other installations that use it, make a backup, then run: data-platform db migrate",
        )
    migrate(databases)


def rollback(databases: Databases, count: int) -> list[str]:
    """Undo the last `count` migrations, newest first, with the data of the tables they made; return their names.

    Raises:
        ConfigurationError: when the database is newer than this code, or holds what older code would lose.
        DatabaseUnavailableError: when the database can't be reached.
    """
    with reach(databases.owner_url) as connection:
        pending(_known(), _applied(connection))
        _ensure_bookkeeping(connection)
    try:
        with _ledger(databases) as ledger:
            return ledger.undo(count)
    except psycopg.errors.RaiseException as refusal:
        raise ConfigurationError(
            f"The rollback ended early: {refusal.diag.message_primary}.",
            hint="To go back all the same, restore a backup from before the migration.",
        ) from None


def pending(known: Sequence[str], applied: frozenset[str]) -> list[str]:
    """Return the migrations of the code that the database lacks.

    Raises:
        ConfigurationError: when the database has one that the code does not know.
    """
    unknown = sorted(applied - set(known))
    if unknown:
        raise ConfigurationError(
            f"The database is newer than this code: it has the migration {unknown[-1]!r}, which is unknown here.",
            hint="Update this installation, or use the one that migrated the database.",
        )
    return [name for name in known if name not in applied]


def _known() -> list[str]:
    names = sorted(path.stem for path in FOLDER.glob("*.sql") if not path.name.endswith(".rollback.sql"))
    if not names:
        raise ConfigurationError(f"{FOLDER} holds no migrations.", hint="Run from a complete checkout of the project.")
    return names


def _applied(connection: psycopg.Connection[Any]) -> frozenset[str]:
    query = sql.SQL("SELECT migration_id FROM {}").format(sql.Identifier(_BOOKS, _TABLE))
    try:
        return frozenset(str(row[0]) for row in connection.execute(query).fetchall())
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return frozenset()


def _ensure_bookkeeping(connection: psycopg.Connection[Any]) -> None:
    try:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(_BOOKS)))
    except psycopg.errors.UniqueViolation:
        return  # another process created it in the same moment
    except psycopg.errors.InsufficientPrivilege:
        role, database = connection.info.user, connection.info.dbname
        raise ConfigurationError(
            f"The role {role!r} may not create schemas in database {database!r}.",
            hint=f'As an administrator run: GRANT CREATE ON DATABASE "{database}" TO "{role}";',
        ) from None


@contextmanager
def _ledger(databases: Databases) -> Generator[Ledger]:
    from data_platform.records.yoyo_ledger import open_ledger  # noqa: PLC0415 - every command reads, few migrate

    with open_ledger(databases.owner_url, schema=_BOOKS, table=_TABLE, folder=FOLDER) as ledger:
        yield ledger
