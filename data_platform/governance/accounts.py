"""Accounts, roles, grants and tokens: every change by an administrator, one at a time, and in the audit.

Changes wait for each other, and whoever makes one must be an administrator still when their turn comes. So two
administrators who take the role from each other at once don't both succeed, and one always stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, TypeVar

from data_platform.errors import UsageError
from data_platform.governance.identity import LOCAL, user_from_record
from data_platform.governance.permissions import (
    PERMISSIONS,
    Role,
    User,
    decide_removal,
    require_administrator,
)
from data_platform.governance.scopes import administration_scope
from data_platform.records import texts, tokens, users
from data_platform.records.connection import Connection, Records
from data_platform.records.tokens import DEFAULT_LIFETIME, NewToken, TokenRecord
from data_platform.records.users import UserRecord

Changed = TypeVar("Changed")

LONGEST_LIFETIME: Final = dt.timedelta(days=3650)


class Accounts:
    """The accounts, as one administrator may change them.

    Every method raises `NotPermittedError` for everybody else, `UsageError` for what makes no sense, and
    `DatabaseUnavailableError` when the records are away.
    """

    def __init__(self, records: Records, actor: User) -> None:
        self._records = records
        self._actor = actor

    def list_users(self) -> list[UserRecord]:
        """Every account, by name."""
        with self._reading() as connection:
            return list(users.every(connection))

    def list_tokens(self, user_id: str | None = None) -> list[TokenRecord]:
        """Every token, or one account's: when it was made, used and ends; never what it is."""
        with self._reading() as connection:
            if user_id is not None:
                users.existing(connection, user_id)
            return list(tokens.every(connection, user_id))

    def add(self, user_id: str, role: Role, reason: str | None = None) -> UserRecord:
        """Create an account."""
        return self._change(lambda connection: users.add(connection, user_id, role.value, reason))

    def set_role(self, user_id: str, role: Role, reason: str | None = None) -> UserRecord:
        """Give an account another role; the last administrator keeps theirs."""

        def change(connection: Connection) -> UserRecord:
            if role is not Role.ADMIN:
                _keep_one(connection, user_id)
            return users.set_role(connection, user_id, role.value, reason)

        return self._change(change)

    def grant(self, user_id: str, permission: str, reason: str | None = None) -> UserRecord:
        """Grant a permission beyond the role; it lifts a revocation."""
        _require_known(permission)
        return self._change(lambda connection: users.grant(connection, user_id, permission, reason))

    def revoke(self, user_id: str, permission: str, reason: str | None = None) -> UserRecord:
        """Take a permission away, whatever the role says; it lifts a grant."""
        _require_known(permission)
        return self._change(lambda connection: users.revoke(connection, user_id, permission, reason))

    def disable(self, user_id: str, reason: str | None = None) -> UserRecord:
        """Close an account; the last administrator's stays open."""

        def change(connection: Connection) -> UserRecord:
            _keep_one(connection, user_id)
            return users.disable(connection, user_id, reason=reason)

        return self._change(change)

    def enable(self, user_id: str, reason: str | None = None) -> UserRecord:
        """Open a closed account again, with the tokens that it had."""
        return self._change(lambda connection: users.disable(connection, user_id, disabled=False, reason=reason))

    def create_token(
        self, user_id: str, lifetime: dt.timedelta = DEFAULT_LIFETIME, reason: str | None = None
    ) -> NewToken:
        """Make a token; what it is can be seen this once."""
        if lifetime > LONGEST_LIFETIME:
            raise UsageError(f"A token lives for at most {LONGEST_LIFETIME.days:,} days.")
        return self._change(lambda connection: tokens.create(connection, user_id, lifetime, reason))

    def revoke_token(self, token_id: int, reason: str | None = None) -> None:
        """Make a token useless from now on."""
        self._change(lambda connection: tokens.revoke(connection, token_id, reason))

    def _change(self, change: Callable[[Connection], Changed]) -> Changed:
        with self._reading() as connection:
            users.wait_for_turn(connection)
            if not self._actor.user_id.startswith(LOCAL):
                record = users.get(connection, self._actor.user_id)
                require_administrator(self._actor if record is None else user_from_record(record))
            return change(connection)

    @contextmanager
    def _reading(self) -> Generator[Connection]:
        with self._records.transaction(administration_scope(self._actor)) as connection:
            yield connection


def _require_known(permission: str) -> None:
    if permission not in PERMISSIONS:
        raise UsageError(
            f"{texts.shown(permission)} is no permission.", hint=f"Known: {', '.join(sorted(PERMISSIONS))}."
        )


def _keep_one(connection: Connection, user_id: str) -> None:
    decision = decide_removal(users.administrators(connection), user_id)
    if not decision.allowed:
        raise UsageError(
            decision.reason or "Not allowed.", hint="Give another account the role first: data-platform users set-role"
        )
