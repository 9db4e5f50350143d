"""Which databases to talk to: the embedded server's, or the user's own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from data_platform.records.embedded.bootstrap import DAGSTER_DB, DEMO_DB, PLATFORM_DB
from data_platform.records.embedded.credentials import DAGSTER, DEMO_OWNER, DEMO_READER, OWNER, SERVICE
from data_platform.records.embedded.layout import PORT
from data_platform.records.embedded.service import EmbeddedServer, open_embedded
from data_platform.records.own_server import prepare_own_server
from data_platform.settings import Settings


@dataclass(frozen=True, slots=True)
class DemoServer:
    """The database that plays WRDS: `owner` loads it, `reader` may connect seven times and only reads."""

    socket_folder: Path
    port: int
    dbname: str
    reader: str
    reader_password: str = field(repr=False)
    owner: str
    owner_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Databases:
    """Addresses as libpq URLs, which psycopg, psycopg2 and SQLAlchemy read; they hold passwords and never print.

    `owner_url` runs migrations, `service_url` does everything else under row-level security, `dagster_url` is the
    storage of runs and events. `demo` is there with the embedded server only.
    """

    owner_url: str = field(repr=False)
    service_url: str = field(repr=False)
    dagster_url: str = field(repr=False)
    embedded: bool
    demo: DemoServer | None


@contextmanager
def open_databases(settings: Settings) -> Generator[Databases]:
    """Make the databases available for the duration of the block, starting the embedded server when needed.

    Raises:
        ConfigurationError: when a setting, the home or a role is unfit; the hint says what to change.
        DatabaseUnavailableError: when the server can't be started or reached.
    """
    if settings.postgres_url is not None:
        own = prepare_own_server(settings.postgres_url.get_secret_value(), settings.home)
        yield Databases(own.owner_url, own.service_url, own.owner_url, embedded=False, demo=None)
        return
    with open_embedded(settings.home) as server:
        yield embedded_databases(server)


def embedded_databases(server: EmbeddedServer) -> Databases:
    """Return the addresses of a running embedded server."""
    reader, owner = server.credentials[DEMO_READER], server.credentials[DEMO_OWNER]
    return Databases(
        owner_url=server.url(OWNER, PLATFORM_DB),
        service_url=server.url(SERVICE, PLATFORM_DB),
        dagster_url=server.url(DAGSTER, DAGSTER_DB),
        embedded=True,
        demo=DemoServer(
            socket_folder=server.layout.run,
            port=PORT,
            dbname=DEMO_DB,
            reader=reader.role,
            reader_password=reader.password,
            owner=owner.role,
            owner_password=owner.password,
        ),
    )
