"""Who is asking: the owner of the configured token, or whoever runs this process on this machine.

Whoever can start the process can read its files, so without a token they are the local administrator. The limits and
the audit bind them all the same.
"""

from __future__ import annotations

import os
import pwd
from typing import Final

from data_platform.errors import NotPermittedError
from data_platform.governance.permissions import Role, User
from data_platform.records import tokens, users
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform.records.users import UserRecord
from data_platform.settings import Settings

LOCAL: Final = "local:"
"""No account can have a name with a colon, so a local administrator can't be impersonated by one."""

TOKEN_HINT: Final = (
    "Set DATA_PLATFORM_TOKEN to a valid token; an administrator can make one with `data-platform users`."  # noqa: S105 - none
)

_SCOPE: Final = Scope.system("identity")


def current_user(settings: Settings, records: Records) -> User:
    """The user in whose name this process acts.

    Raises:
        NotPermittedError: when the token is unknown, expired or revoked, or its account is disabled.
    """
    if settings.token is None:
        return local_administrator()
    with records.transaction(_SCOPE) as connection:
        record = tokens.find_user(connection, settings.token.get_secret_value())
    if record is None:
        raise NotPermittedError(
            "The token is unknown, expired or revoked, or its user is disabled.",
            hint=TOKEN_HINT,
        )
    return user_from_record(record)


def user_named(settings: Settings, records: Records, user_id: str) -> User:
    """A user as they are now, for work that was submitted earlier in their name.

    Raises:
        NotPermittedError: when there is no such account, or a local administrator other than this one is meant.
    """
    if user_id.startswith(LOCAL):
        local = local_administrator()
        if settings.token is None and user_id == local.user_id:
            return local
        raise NotPermittedError(f"{user_id} is not the local administrator of this process.")
    with records.transaction(_SCOPE) as connection:
        record = users.get(connection, user_id)
    if record is None:
        raise NotPermittedError(f"There is no user {user_id}.")
    return user_from_record(record)


def local_administrator() -> User:
    """The administrator that the operating system's user of this process is."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = f"uid{os.geteuid()}"
    return User(f"{LOCAL}{name}", Role.ADMIN)


def user_from_record(record: UserRecord) -> User:
    """The stored account in the terms of `permissions`."""
    return User(record.user_id, Role(record.role), record.grants, record.revocations, record.disabled)
