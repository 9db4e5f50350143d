"""The server's settings, as text. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from data_platform.records.embedded.layout import PORT

INCLUDE_LINE: Final = "include_if_exists = '../server.conf'\n"
"""Last line of `data/postgresql.conf`, so that our settings win."""

_FIXED: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "cluster_name": "data-platform",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "max_logical_replication_workers": "0",
    # A failing statement and the detail of an error can carry values of rows; neither may reach the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


def server_settings(run: Path) -> str:
    """Return the content of `server.conf`: a private socket in `run`, no network, small memory."""
    settings = {**_FIXED, "unix_socket_directories": str(run)}
    lines = [f"{name} = {_quoted(value)}" for name, value in settings.items()]
    return "# Written before every start; changes made here are lost.\n" + "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
