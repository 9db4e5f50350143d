"""Where the embedded server keeps its things, and whether a socket fits there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data_platform.errors import ConfigurationError
from data_platform.records.private_files import private_folder

PORT: Final = 5432
"""Part of the socket's file name only: the server never listens on a network."""

MAX_SOCKET_BYTES: Final = 107
"""Room in `sockaddr_un.sun_path`, without the closing NUL."""

_SHELL_CHARACTERS: Final = frozenset('"$`\\\n\r')


@dataclass(frozen=True, slots=True)
class Layout:
    """The `postgres` folder of one home."""

    root: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder; appears only when it is complete."""
        return self.root / "data"

    @property
    def run(self) -> Path:
        """The folder of the socket."""
        return self.root / "run"

    @property
    def socket(self) -> Path:
        """The socket that clients connect to."""
        return self.run / f".s.PGSQL.{PORT}"

    @property
    def socket_lock(self) -> Path:
        """The server's note beside the socket of the process that listens there."""
        return self.run / f"{self.socket.name}.lock"

    @property
    def log(self) -> Path:
        """What the server and its tools say."""
        return self.root / "server.log"

    @property
    def settings(self) -> Path:
        """Our server settings, rewritten before every start and included by `data/postgresql.conf`."""
        return self.root / "server.conf"

    @property
    def credentials(self) -> Path:
        """The passwords of the server's roles."""
        return self.root / "credentials.json"

    @property
    def cluster(self) -> Path:
        """Which PostgreSQL made the data folder, and which one ran it last."""
        return self.root / "cluster.json"

    @property
    def guard(self) -> Path:
        """Locked exclusively, briefly, by whoever starts or stops the server."""
        return self.root / "guard"

    @property
    def users(self) -> Path:
        """Locked shared by every command that is using the server."""
        return self.root / "users"

    @property
    def pid_file(self) -> Path:
        """The server's own note of its process id."""
        return self.data / "postmaster.pid"


def layout_of(home: Path) -> Layout:
    """Return the layout of a home.

    Raises:
        ConfigurationError: when the home's path is too long for a socket or holds characters that `pg_ctl` would
            hand to a shell.
    """
    layout = Layout(home / "postgres")
    size = len(bytes(layout.socket))
    if size > MAX_SOCKET_BYTES:
        raise ConfigurationError(
            f"PostgreSQL's socket, {layout.socket}, would have {size} bytes; the system allows {MAX_SOCKET_BYTES}.",
            hint=f"Choose a DATA_PLATFORM_HOME that is at least {size - MAX_SOCKET_BYTES} bytes shorter.",
        )
    if _SHELL_CHARACTERS & set(str(home)):
        raise ConfigurationError(
            "DATA_PLATFORM_HOME holds a quote, dollar sign, backtick, backslash or line break.",
            hint="Choose a folder without them for the embedded PostgreSQL.",
        )
    return layout


def prepare(layout: Layout) -> None:
    """Create the folders, 0700 each; a home that exists already keeps its mode.

    Raises:
        ConfigurationError: when the home can't be written.
    """
    try:
        private_folder(layout.root)
        private_folder(layout.run)
    except OSError as error:
        raise ConfigurationError(
            f"{layout.root} can't be created: {error.strerror}.",
            hint="Set DATA_PLATFORM_HOME to a folder that this user may write.",
        ) from None
