"""The services that a command asks: those of this process, or, with DATA_PLATFORM_URL, those of a server."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from data_platform.catalog import TABLES
from data_platform.cli.remote import RemoteQuality, RemoteSyncs
from data_platform.cli.remote_explorer import RemoteExplorer
from data_platform.cli.session import Session, open_session, reading_session
from data_platform.client import connect
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.permissions import Action, Role, User, require
from data_platform.governance.quality import DataQualityService
from data_platform.governance.sync_dto import ConditionDTO
from data_platform.governance.sync_service import DataSyncService, conditions_of
from data_platform.settings import load_settings
from data_platform.sync.state import TableState, table_state

ELSEWHERE: Final = User("elsewhere", Role.VIEWER, disabled=True)
"""The user of a server's services: who it is, the server tells from the token. Here they may do nothing."""


@dataclass(frozen=True, slots=True)
class Services:
    """The services, and the user that each method is given. `session` is the open platform, None with a server."""

    user: User
    syncs: DataSyncService | RemoteSyncs
    quality: DataQualityService | RemoteQuality
    explorer: DataExplorerService | RemoteExplorer
    session: Session | None = None

    def datasets(self) -> list[str]:
        """The names of the datasets that the user may see, in order."""
        if self.session is not None:
            return sorted(self.session.datasets)
        return sorted(each.name for each in self.explorer.list_datasets(self.user))


@contextmanager
def open_services() -> Generator[Services]:
    """Open what a command asks.

    Raises:
        ConfigurationError, DatabaseUnavailableError, NotPermittedError: as `open_session` and `connect` do.
    """
    settings = load_settings()
    if settings.url is not None:
        with connect() as client, TemporaryDirectory(prefix="data-platform-") as folder:
            explorer = RemoteExplorer(client, Path(folder))
            yield Services(ELSEWHERE, RemoteSyncs(client), RemoteQuality(client), explorer)
        return
    with open_session(settings) as session:
        yield Services(
            session.user,
            DataSyncService(session.records, session.warehouse, session.settings),
            DataQualityService(session.records, session.warehouse),
            DataExplorerService(session.records, session.warehouse, session.settings),
            session,
        )


def table_states() -> tuple[list[TableState], list[ConditionDTO]]:
    """Where each table stands, and what in the warehouse needs a person. On this machine no database is asked.

    Raises:
        ConfigurationError, DatabaseUnavailableError, NotPermittedError: as `reading_session` and `connect` do.
    """
    if load_settings().url is not None:
        with open_services() as services:
            found = services.syncs.get_sync_status(services.user)
            states = [TableState(**{name: getattr(each, name) for name in TableState.model_fields}) for each in found]
            return states, services.syncs.get_conditions(services.user)
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC)
        states = [table_state(session.warehouse, each) for each in TABLES.values() if each.dataset in session.datasets]
        return states, conditions_of(session.warehouse, session.user)
