"""What a command starts with: the platform, open, and the person in whose name it works."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Unpack

from data_platform.catalog import DATASETS
from data_platform.errors import UsageError
from data_platform.governance.identity import current_user, local_administrator
from data_platform.governance.permissions import User, permitted_datasets, require_administrator
from data_platform.records import platform_audit
from data_platform.records.connection import Records, open_records
from data_platform.records.pending_loading import catch_up
from data_platform.records.platform_audit import EntryFields
from data_platform.settings import Settings, load_settings
from data_platform.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Reading:
    """Settings and warehouse, and on whose behalf they are read."""

    settings: Settings
    warehouse: Warehouse
    user: User

    @property
    def datasets(self) -> frozenset[str]:
        """The datasets of the catalog that the user may see."""
        return permitted_datasets(self.user, DATASETS)


@dataclass(frozen=True, slots=True)
class Session(Reading):
    """The same with the operational records."""

    records: Records

    def record(self, action: str, **fields: Unpack[EntryFields]) -> None:
        """Write a sensitive action of the user to the audit."""
        platform_audit.note(self.records, self.user.user_id, action, **fields)


def require_here(settings: Settings) -> None:
    """Refuse a command that works on this machine while a server is named.

    Raises:
        UsageError: when DATA_PLATFORM_URL is set.
    """
    if settings.url is not None:
        raise UsageError(
            "This command works only on the machine where the data lies, and DATA_PLATFORM_URL names a server.",
            hint="Run it there, without DATA_PLATFORM_URL.",
        )


@contextmanager
def open_session(settings: Settings | None = None) -> Generator[Session]:
    """Open the platform for one command.

    Raises:
        ConfigurationError: when a setting is wrong.
        UsageError: as `require_here` does.
        DatabaseUnavailableError: when the database cannot be reached or started.
        NotPermittedError: when DATA_PLATFORM_TOKEN is no valid token.
    """
    settings = settings or load_settings()
    require_here(settings)
    with open_records(settings) as records:
        catch_up(settings.home, records)
        yield Session(settings, Warehouse(settings.warehouse_root), current_user(settings, records), records)


@contextmanager
def reading_session() -> Generator[Reading]:
    """Open what a command needs that reads only the warehouse; the database is asked only whose token it is.

    Raises:
        ConfigurationError, DatabaseUnavailableError, NotPermittedError: as `open_session` does.
    """
    settings = load_settings()
    require_here(settings)
    if settings.token is not None:
        with open_session(settings) as session:
            yield session
        return
    yield Reading(settings, Warehouse(settings.warehouse_root), local_administrator())


def require_administration(settings: Settings) -> None:
    """Let the local administrator and administrators' tokens pass; without a token no database is asked.

    Raises:
        NotPermittedError: for everyone else.
        UsageError: as `require_here` does.
    """
    require_here(settings)
    if settings.token is not None:
        with open_session(settings) as session:
            require_administrator(session.user)
