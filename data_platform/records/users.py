"""`platform_users` and `platform_grants`: accounts, their roles, and what was granted or revoked beyond the role.

Writing needs a scope that sees everything; each change is noted in `platform_audit` in the same transaction, in the
name of that scope. What roles and permissions allow is not known here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import psycopg

from data_platform.errors import UsageError
from data_platform.records import platform_audit, texts
from data_platform.records.connection import Connection

GrantKind = Literal["grant", "revocation"]

_USER: Final = """
    SELECT u.user_id, u.role, u.disabled, u.created_at,
           ARRAY(SELECT g.permission FROM platform.platform_grants g
                 WHERE g.user_id = u.user_id AND g.kind = 'grant') AS grants,
           ARRAY(SELECT g.permission FROM platform.platform_grants g
                 WHERE g.user_id = u.user_id AND g.kind = 'revocation') AS revocations
    FROM platform.platform_users u
"""
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class UserRecord:
    """One account. Revocations beat grants, grants add to the role."""

    user_id: str
    role: str
    disabled: bool
    created_at: dt.datetime
    grants: frozenset[str]
    revocations: frozenset[str]


def add(connection: Connection, user_id: str, role: str, reason: str | None = None) -> UserRecord:
    """Create an account.

    Raises:
        UsageError: when the name is taken or malformed, or the role unknown.
    """
    try:
        with connection.transaction():
            connection.execute("INSERT INTO platform.platform_users (user_id, role) VALUES (%s, %s)", (user_id, role))
    except psycopg.errors.UniqueViolation:
        raise UsageError(f"User {user_id!r} exists already.", hint="Change its role with set-role.") from None
    except psycopg.errors.CheckViolation as error:
        raise _malformed(error, user_id, role) from None
    _note(connection, "users.add", user_id, None, {"role": role}, reason)
    return existing(connection, user_id)


def get(connection: Connection, user_id: str) -> UserRecord | None:
    """Return an account; None when it does not exist or the scope may not see it."""
    row = connection.execute(_USER + " WHERE u.user_id = %s", (user_id,)).fetchone()
    return None if row is None else user_from_row(row)


def every(connection: Connection) -> Iterator[UserRecord]:
    """Yield every account that the scope may see, by name, a page at a time."""
    after = ""
    while rows := connection.execute(
        _USER + " WHERE u.user_id > %s ORDER BY u.user_id LIMIT %s", (after, _PAGE)
    ).fetchall():
        yield from map(user_from_row, rows)
        after = rows[-1]["user_id"]


def administrators(connection: Connection) -> frozenset[str]:
    """Return the accounts with the role admin that are open."""
    rows = connection.execute(
        "SELECT user_id FROM platform.platform_users WHERE role = 'admin' AND NOT disabled ORDER BY user_id"
    ).fetchall()
    return frozenset(row["user_id"] for row in rows)


def wait_for_turn(connection: Connection) -> None:
    """Wait until no other transaction is changing accounts; none begins to until this one ends."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('data-platform accounts', 0))")


def set_role(connection: Connection, user_id: str, role: str, reason: str | None = None) -> UserRecord:
    """Give an account another role.

    Raises:
        UsageError: when the account does not exist or the role is unknown.
    """
    before = existing(connection, user_id)
    try:
        with connection.transaction():
            connection.execute("UPDATE platform.platform_users SET role = %s WHERE user_id = %s", (role, user_id))
    except psycopg.errors.CheckViolation as error:
        raise _malformed(error, user_id, role) from None
    _note(connection, "users.set_role", user_id, {"role": before.role}, {"role": role}, reason)
    return existing(connection, user_id)


def disable(connection: Connection, user_id: str, *, disabled: bool = True, reason: str | None = None) -> UserRecord:
    """Close an account, or open it again with ``disabled=False``.

    Raises:
        UsageError: when the account does not exist.
    """
    before = existing(connection, user_id)
    connection.execute("UPDATE platform.platform_users SET disabled = %s WHERE user_id = %s", (disabled, user_id))
    _note(
        connection,
        "users.disable" if disabled else "users.enable",
        user_id,
        {"disabled": before.disabled},
        {"disabled": disabled},
        reason,
    )
    return existing(connection, user_id)


def grant(connection: Connection, user_id: str, permission: str, reason: str | None = None) -> UserRecord:
    """Grant a permission (``dataset:<name>`` or an action's) beyond the role; it replaces a revocation.

    Raises:
        UsageError: when the account does not exist or the permission is malformed.
    """
    return _set_grant(connection, user_id, permission, "grant", reason)


def revoke(connection: Connection, user_id: str, permission: str, reason: str | None = None) -> UserRecord:
    """Take a permission away, whatever the role says; it replaces a grant.

    Raises:
        UsageError: when the account does not exist or the permission is malformed.
    """
    return _set_grant(connection, user_id, permission, "revocation", reason)


def user_from_row(row: dict[str, Any]) -> UserRecord:
    """Turn a row with aggregated grants into an account."""
    grants, revocations = frozenset(row["grants"]), frozenset(row["revocations"])
    return UserRecord(row["user_id"], row["role"], row["disabled"], row["created_at"], grants, revocations)


def _set_grant(
    connection: Connection, user_id: str, permission: str, kind: GrantKind, reason: str | None
) -> UserRecord:
    before = existing(connection, user_id)
    try:
        with connection.transaction():
            connection.execute(
                """
                INSERT INTO platform.platform_grants (user_id, kind, permission) VALUES (%s, %s, %s)
                ON CONFLICT (user_id, permission) DO UPDATE SET kind = excluded.kind
                """,
                (user_id, kind, permission),
            )
    except psycopg.errors.CheckViolation:
        raise UsageError(
            f"{texts.shown(permission)} is no permission.", hint="Permissions look like dataset:crsp or query:data."
        ) from None
    old = "grant" if permission in before.grants else "revocation" if permission in before.revocations else None
    _note(connection, f"users.{kind}", user_id, {permission: old}, {permission: kind}, reason)
    return existing(connection, user_id)


def existing(connection: Connection, user_id: str) -> UserRecord:
    """Return an account.

    Raises:
        UsageError: when it does not exist or the scope may not see it.
    """
    user = get(connection, user_id)
    if user is None:
        raise UsageError(f"There is no user {texts.shown(user_id)}.", hint="`data-platform users list` shows them all.")
    return user


def _malformed(error: psycopg.errors.CheckViolation, user_id: str, role: str) -> UsageError:
    if "role" in (error.diag.constraint_name or ""):
        return UsageError(f"Unknown role {texts.shown(role)}.", hint="Known: viewer, analyst, operator, admin.")
    return UsageError(
        f"{texts.shown(user_id)} can't be a user's name.",
        hint="Use letters, digits and . _ @ + - (at most 128), beginning with a letter or digit.",
    )


def _note(
    connection: Connection,
    action: str,
    user_id: str,
    old: dict[str, object] | None,
    new: dict[str, object],
    reason: str | None,
) -> None:
    platform_audit.append(
        connection,
        platform_audit.current_actor(connection),
        action,
        subject=user_id,
        old_value=old,
        new_value=new,
        reason=reason,
    )
