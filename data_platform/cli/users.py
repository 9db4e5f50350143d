"""`data-platform users`: accounts, roles, grants and tokens; for administrators."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import open_session
from data_platform.errors import UsageError
from data_platform.governance.permissions import PERMISSIONS, Role, require_administrator
from data_platform.records import tokens, users
from data_platform.records.connection import Connection
from data_platform.records.scope import Scope

app = typer.Typer(help="Accounts, roles, grants and tokens.", no_args_is_help=True)

UserId = Annotated[str, typer.Argument(metavar="USER")]
Permission = Annotated[str, typer.Argument(metavar="PERMISSION", help="Such as dataset:crsp or query:data.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the audit.")]


@app.callback()
def group() -> None:
    """Accounts, roles, grants and tokens."""


@app.command()
def add(
    user: UserId, *, role: Annotated[Role, typer.Option(help="What the user may do.")], reason: Reason = ""
) -> None:
    """Create an account."""
    with _administration() as connection:
        users.add(connection, user, role.value, reason or None)
    say(f"{user} has the role {role.value}. Make a token with: data-platform users token {user}")


@app.command("list")
def list_users(*, as_json: Json = False) -> None:
    """List the accounts."""
    with _administration() as connection:
        found = users.list_all(connection)
    if as_json:
        print_json(
            [
                {
                    "user_id": user.user_id,
                    "role": user.role,
                    "disabled": user.disabled,
                    "grants": sorted(user.grants),
                    "revocations": sorted(user.revocations),
                    "created_at": user.created_at.isoformat(),
                }
                for user in found
            ]
        )
        return
    if not found:
        say("There are no accounts: whoever can read the home is its administrator. Add one with: users add")
        return
    print_table(
        "Users",
        ["User", "Role", "Disabled", "Granted", "Revoked", "Since (UTC)"],
        [
            [
                user.user_id,
                user.role,
                user.disabled,
                ", ".join(sorted(user.grants)),
                ", ".join(sorted(user.revocations)),
                f"{user.created_at:%Y-%m-%d}",
            ]
            for user in found
        ],
    )


@app.command("set-role")
def set_role(user: UserId, role: Annotated[Role, typer.Argument()], *, reason: Reason = "") -> None:
    """Give an account another role."""
    with _administration() as connection:
        users.set_role(connection, user, role.value, reason or None)
    say(f"{user} has the role {role.value}.")


@app.command()
def grant(user: UserId, permission: Permission, *, reason: Reason = "") -> None:
    """Grant a permission beyond the role."""
    with _administration() as connection:
        users.grant(connection, user, _known(permission), reason or None)
    say(f"{user} now has {permission}.")


@app.command()
def revoke(user: UserId, permission: Permission, *, reason: Reason = "") -> None:
    """Take a permission away, whatever the role says."""
    with _administration() as connection:
        users.revoke(connection, user, _known(permission), reason or None)
    say(f"{user} no longer has {permission}.")


@app.command()
def disable(user: UserId, *, reason: Reason = "") -> None:
    """Close an account: its tokens stop working at once."""
    with _administration() as connection:
        users.disable(connection, user, reason=reason or None)
    say(f"{user} is disabled.")


@app.command()
def token(
    user: UserId,
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it works.")] = 90,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Make a token; it is shown this once. Use it as DATA_PLATFORM_TOKEN."""
    with _administration() as connection:
        made = tokens.create(connection, user, dt.timedelta(days=days), reason or None)
    if as_json:
        expires = made.expires_at.isoformat()
        print_json({"id": made.id, "user_id": user, "token": made.secret, "expires_at": expires})
        return
    say(f"Token {made.id} of {user}, until {made.expires_at:%Y-%m-%d}. It is shown this once:")
    typer.echo(made.secret)


@app.command("revoke-token")
def revoke_token(token_id: Annotated[int, typer.Argument(metavar="TOKEN-ID")], *, reason: Reason = "") -> None:
    """Make a token useless from now on."""
    with _administration() as connection:
        tokens.revoke(connection, token_id, reason or None)
    say(f"Token {token_id} no longer works.")


@contextmanager
def _administration() -> Generator[Connection]:
    with open_session() as session:
        require_administrator(session.user)
        with session.records.transaction(Scope(session.user.user_id, None)) as connection:
            yield connection


def _known(permission: str) -> str:
    if permission not in PERMISSIONS:
        raise UsageError(f"{permission!r} is no permission.", hint=f"Known: {', '.join(sorted(PERMISSIONS))}.")
    return permission
