"""The embedded server's roles and their passwords, kept in one private file."""

from __future__ import annotations

import json
import secrets
from typing import Final

from data_platform.errors import ConfigurationError
from data_platform.records.addresses import Login
from data_platform.records.embedded.layout import Layout
from data_platform.records.private_files import create_private

SUPERUSER: Final = "postgres"
OWNER: Final = "platform_owner"
SERVICE: Final = "platform_service"
DAGSTER: Final = "dagster"
DEMO_OWNER: Final = "wrds_demo_owner"
DEMO_READER: Final = "wrds_demo"

ROLES: Final = (SUPERUSER, OWNER, SERVICE, DAGSTER, DEMO_OWNER, DEMO_READER)

Credentials = dict[str, Login]


def ensure_credentials(layout: Layout) -> Credentials:
    """Read the passwords, making them up on first use.

    Raises:
        ConfigurationError: when the file is gone although the server has data, or can't be understood.
    """
    if not layout.credentials.exists():
        if layout.data.exists():
            raise ConfigurationError(
                f"{layout.credentials} is missing, so nobody can sign in to the data beside it.",
                hint="Restore the file from a backup, or move the whole folder away to begin anew.",
            )
        passwords = {role: secrets.token_urlsafe(32) for role in ROLES}
        create_private(layout.credentials, json.dumps(passwords, indent=1) + "\n")
    return read_credentials(layout)


def read_credentials(layout: Layout) -> Credentials:
    """Read the passwords.

    Raises:
        ConfigurationError: when the file is missing or can't be understood; its content is never repeated.
    """
    try:
        stored = json.loads(layout.credentials.read_text(encoding="utf-8"))
        return {role: Login(role, str(stored[role])) for role in ROLES}
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{layout.credentials} can't be read as the server's passwords.", hint="Restore it from a backup."
        ) from None
