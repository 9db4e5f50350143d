"""The way in: a lease on the embedded server of a home, with its roles and databases in place."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from data_platform.errors import DatabaseUnavailableError, PlatformError
from data_platform.records.addresses import redacted, socket_url
from data_platform.records.embedded import binaries, server
from data_platform.records.embedded.bootstrap import ensure_roles_and_databases
from data_platform.records.embedded.cluster import ensure_cluster
from data_platform.records.embedded.credentials import (
    SUPERUSER,
    Credentials,
    ensure_credentials,
    read_credentials,
)
from data_platform.records.embedded.layout import PORT, Layout, layout_of, prepare
from data_platform.records.embedded.lease import lease
from data_platform.records.embedded.programs import Programs

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server: where it listens, and who may sign in."""

    layout: Layout
    credentials: Credentials

    def url(self, role: str, dbname: str) -> str:
        """Return the URL of a database for one of the server's roles."""
        return socket_url(self.layout.run, PORT, dbname, self.credentials[role])


@contextmanager
def open_embedded(home: Path) -> Generator[EmbeddedServer]:
    """Use the embedded server of a home, creating and starting it when needed, stopping it when nobody else uses it.

    Raises:
        ConfigurationError: when the home is unfit for a server, or its data can't be run here.
        DatabaseUnavailableError: when the server can't be created or started.
    """
    layout = layout_of(home)
    prepare(layout)
    with lease(layout.guard, layout.users, lambda: _bring_up(layout), lambda: _take_down(layout)):
        yield EmbeddedServer(layout, read_credentials(layout))


def revive(home: Path) -> bool:
    """Start the embedded server of a home that is in use and has died; what fails is logged, for the next call.

    Returns:
        Whether the server answers.
    """
    layout = layout_of(home)
    try:
        if server.is_answering(layout):
            return True
        with open_embedded(home):
            _log.warning("The embedded PostgreSQL did not answer; it does again.")
    except PlatformError as error:
        _log.warning("%s", error)
    except Exception as error:  # noqa: BLE001 - a full disk, say; whoever calls again and again must not end by it
        _log.warning("The embedded PostgreSQL could not be started: %s", type(error).__name__)
    else:
        return True
    return False


def _bring_up(layout: Layout) -> None:
    credentials = ensure_credentials(layout)
    if not server.is_answering(layout):
        programs = _programs(layout)
        ensure_cluster(layout, programs, credentials)
        server.start(layout, programs)
    superuser = socket_url(layout.run, PORT, "postgres", credentials[SUPERUSER])
    try:
        ensure_roles_and_databases(superuser, credentials)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(
            f"The embedded PostgreSQL refuses us: {redacted(str(error), superuser)}.",
            hint=f"Its log is {layout.log}; its passwords belong in {layout.credentials}.",
        ) from None


def _take_down(layout: Layout) -> None:
    if layout.data.exists():
        server.stop(layout, _programs(layout))


def _programs(layout: Layout) -> Programs:
    data_major = binaries.major_of(layout.data)
    return Programs.prepare(binaries.choose_installation(binaries.installations(), data_major), layout)
