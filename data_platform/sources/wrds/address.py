"""Where a WRDS server is and as whom to enter, as libpq wants to hear it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from data_platform.settings import Settings

APPLICATION_NAME: Final = "data-platform"
"""How our session shows in the server's list of sessions."""

CONNECT_SECONDS: Final = 60
"""Long enough to answer a multi-factor prompt on a phone, which WRDS sends while the connection is being opened."""


@dataclass(frozen=True, slots=True)
class WrdsAddress:
    """One server, one user. `host` is a name or, beginning with a slash, the folder of a Unix socket."""

    host: str
    port: int
    dbname: str
    user: str
    password: str | None = field(repr=False)
    sslmode: str
    connect_seconds: int = CONNECT_SECONDS

    @classmethod
    def from_settings(cls, settings: Settings, user: str) -> WrdsAddress:
        """The address that the settings name, for a user that they name too."""
        return cls(
            host=settings.wrds_host,
            port=settings.wrds_port,
            dbname=settings.wrds_dbname,
            user=user,
            password=settings.wrds_password.get_secret_value() if settings.wrds_password else None,
            sslmode=settings.wrds_sslmode,
        )

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.dbname}"

    @property
    def connect_args(self) -> dict[str, str | int]:
        """The libpq keywords of the connection.

        Without a password none is passed on, so that libpq looks into `.pgpass` as users of WRDS expect. A dead peer
        is noticed after about a minute and a half by TCP keepalive, also in the middle of a long query.
        """
        arguments: dict[str, str | int] = {
            "host": self.host,
            "port": self.port,
            "dbname": self.dbname,
            "user": self.user,
            "sslmode": "disable" if self.host.startswith("/") else self.sslmode,
            "application_name": APPLICATION_NAME,
            "client_encoding": "UTF8",
            "connect_timeout": self.connect_seconds,
            "keepalives": 1,
            "keepalives_idle": 30,
            "keepalives_interval": 15,
            "keepalives_count": 4,
        }
        if self.password:
            arguments["password"] = self.password
        return arguments

    def redact(self, text: str) -> str:
        """Take the password out of a text that came from elsewhere."""
        return text.replace(self.password, "***") if self.password else text
