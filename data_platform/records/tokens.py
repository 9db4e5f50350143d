"""`platform_tokens`: bearer tokens. Only a token's SHA-256 is stored; it has 256 random bits, so no salt is needed."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from psycopg import sql

from data_platform.errors import UsageError
from data_platform.records import platform_audit, texts, users
from data_platform.records.connection import Connection
from data_platform.records.filters import where
from data_platform.records.users import UserRecord

_PREFIX: Final = "dp_"
"""Lets secret scanners and people recognise a token."""

_PAGE: Final = 1_000

DEFAULT_LIFETIME: Final = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token at the only moment its secret is known."""

    id: int
    user_id: str
    expires_at: dt.datetime
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is kept of a token."""

    id: int
    user_id: str
    created_at: dt.datetime
    expires_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


def create(
    connection: Connection, user_id: str, lifetime: dt.timedelta = DEFAULT_LIFETIME, reason: str | None = None
) -> NewToken:
    """Make a token for an account; the secret is returned this once.

    Raises:
        UsageError: when there is no such account, it is disabled, or the lifetime is not positive.
    """
    if lifetime <= dt.timedelta(0):
        raise UsageError("A token needs a lifetime.", hint="Give it at least a minute.")
    user = users.get(connection, user_id)
    if user is None or user.disabled:
        raise UsageError(
            f"There is no active user {texts.shown(user_id)}.", hint="`data-platform users list` shows them all."
        )
    secret = _PREFIX + secrets.token_urlsafe(32)
    row = connection.execute(
        """
        INSERT INTO platform.platform_tokens (user_id, token_hash, expires_at)
        VALUES (%s, %s, clock_timestamp() + %s)
        RETURNING id, expires_at
        """,
        (user_id, token_hash(secret), lifetime),
    ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING of a one-row INSERT
    token = NewToken(row["id"], user_id, row["expires_at"], secret)
    platform_audit.append(
        connection,
        platform_audit.current_actor(connection),
        "tokens.create",
        subject=user_id,
        new_value={"token": token.id, "expires_at": token.expires_at.isoformat()},
        reason=reason,
    )
    return token


def revoke(connection: Connection, token_id: int, reason: str | None = None) -> None:
    """Make a token useless from now on.

    Raises:
        UsageError: when there is no such token, or it is revoked already.
    """
    row = connection.execute(
        """
        UPDATE platform.platform_tokens SET revoked_at = clock_timestamp()
        WHERE id = %s AND revoked_at IS NULL
        RETURNING user_id
        """,
        (token_id,),
    ).fetchone()
    if row is None:
        raise UsageError(
            f"There is no valid token {token_id}: it was revoked already, or never made.",
            hint="`data-platform users tokens` lists them.",
        )
    platform_audit.append(
        connection,
        platform_audit.current_actor(connection),
        "tokens.revoke",
        subject=row["user_id"],
        old_value={"token": token_id},
        reason=reason,
    )


def every(connection: Connection, user_id: str | None = None) -> Iterator[TokenRecord]:
    """Yield every token that the scope may see, or one account's, oldest first, a page at a time."""
    after = 0
    while True:
        condition = where(sql.SQL("id > {}").format(after), user_id=user_id)
        rows = connection.execute(
            sql.SQL(
                "SELECT id, user_id, created_at, expires_at, last_used_at, revoked_at FROM platform.platform_tokens "
                "{} ORDER BY id LIMIT {}"
            ).format(condition, _PAGE)
        ).fetchall()
        yield from (TokenRecord(**row) for row in rows)
        if len(rows) < _PAGE:
            return
        after = int(rows[-1]["id"])


def find_user(connection: Connection, secret: str) -> UserRecord | None:
    """Return whose token this is; None when it is unknown, expired or revoked, or the account is disabled.

    Needs a scope that sees everything. Notes the use, to the minute.
    """
    row = connection.execute(
        """
        SELECT t.id, t.user_id, coalesce(t.last_used_at < clock_timestamp() - interval '1 minute', true) AS stale
        FROM platform.platform_tokens t JOIN platform.platform_users u USING (user_id)
        WHERE t.token_hash = %s AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND NOT u.disabled
        """,
        (token_hash(secret),),
    ).fetchone()
    if row is None:
        return None
    if row["stale"]:
        connection.execute(
            "UPDATE platform.platform_tokens SET last_used_at = clock_timestamp() WHERE id = %s", (row["id"],)
        )
    return users.get(connection, row["user_id"])


def token_hash(secret: str) -> str:
    """Return what is stored for a token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
