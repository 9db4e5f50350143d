"""`data-platform users`: accounts, roles, grants and tokens; for administrators."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from data_platform.cli.options import Json, Reason
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import open_session
from data_platform.governance.accounts import LONGEST_LIFETIME, Accounts
from data_platform.governance.permissions import Role
from data_platform.records.tokens import DEFAULT_LIFETIME

app = typer.Typer(help="Accounts, roles, grants and tokens.", no_args_is_help=True)

UserId = Annotated[str, typer.Argument(metavar="USER")]
Permission = Annotated[str, typer.Argument(metavar="PERMISSION", help="Such as dataset:crsp or query:data.")]


@app.callback()
def group() -> None:
    """Accounts, roles, grants and tokens."""


@app.command()
def add(
    user: UserId, *, role: Annotated[Role, typer.Option(help="What the user may do.")], reason: Reason = ""
) -> None:
    """Create an account."""
    with _accounts() as accounts:
        accounts.add(user, role, reason)
    say(f"{user} has the role {role.value}. Make a token with: data-platform users token {user}")


@app.command("list")
def list_users(*, as_json: Json = False) -> None:
    """List the accounts."""
    with _accounts() as accounts:
        found = accounts.list_users()
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
        say("There are no accounts: whoever can read the home is its administrator. Add one: data-platform users add")
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
    """Give an account another role; the last administrator keeps theirs."""
    with _accounts() as accounts:
        accounts.set_role(user, role, reason)
    say(f"{user} has the role {role.value}.")


@app.command()
def grant(user: UserId, permission: Permission, *, reason: Reason = "") -> None:
    """Grant a permission beyond the role; it lifts a revocation."""
    with _accounts() as accounts:
        accounts.grant(user, permission, reason)
    say(f"{user} now has {permission}.")


@app.command()
def revoke(user: UserId, permission: Permission, *, reason: Reason = "") -> None:
    """Take a permission away, whatever the role says; it lifts a grant."""
    with _accounts() as accounts:
        accounts.revoke(user, permission, reason)
    say(f"{user} no longer has {permission}.")


@app.command()
def disable(user: UserId, *, reason: Reason = "") -> None:
    """Close an account: its tokens stop working at once. The last administrator's stays open."""
    with _accounts() as accounts:
        accounts.disable(user, reason)
    say(f"{user} is disabled.")


@app.command()
def enable(user: UserId, *, reason: Reason = "") -> None:
    """Open a closed account again, with the tokens that it had."""
    with _accounts() as accounts:
        accounts.enable(user, reason)
    say(f"{user} is open again.")


@app.command()
def token(
    user: UserId,
    *,
    days: Annotated[int, typer.Option(min=1, max=LONGEST_LIFETIME.days, help="How long it works.")] = (
        DEFAULT_LIFETIME.days
    ),
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Make a token; it is shown this once. Use it as DATA_PLATFORM_TOKEN."""
    with _accounts() as accounts:
        made = accounts.create_token(user, dt.timedelta(days=days), reason)
    if as_json:
        expires = made.expires_at.isoformat()
        print_json({"id": made.id, "user_id": user, "token": made.secret, "expires_at": expires})
        return
    say(f"Token {made.id} of {user}, until {made.expires_at:%Y-%m-%d}. It is shown this once:")
    typer.echo(made.secret)


@app.command("tokens")
def list_tokens(
    user: Annotated[str | None, typer.Argument(metavar="[USER]", help="Only this user's.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List tokens: when they were made, last used, and end. What they are is kept nowhere."""
    with _accounts() as accounts:
        found = accounts.list_tokens(user)
    if as_json:
        print_json([dataclasses.asdict(token) for token in found])
        return
    if not found:
        say("There are no tokens. Make one with: data-platform users token USER")
        return
    now = dt.datetime.now(dt.UTC)
    print_table(
        "Tokens",
        ["Token", "User", "State", "Made (UTC)", "Last used (UTC)", "Ends (UTC)"],
        [
            [
                token.id,
                token.user_id,
                "revoked" if token.revoked_at else "expired" if token.expires_at <= now else "valid",
                f"{token.created_at:%Y-%m-%d %H:%M}",
                f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else None,
                f"{token.expires_at:%Y-%m-%d %H:%M}",
            ]
            for token in found
        ],
    )


@app.command("revoke-token")
def revoke_token(token_id: Annotated[int, typer.Argument(metavar="TOKEN-ID")], *, reason: Reason = "") -> None:
    """Make a token useless from now on."""
    with _accounts() as accounts:
        accounts.revoke_token(token_id, reason)
    say(f"Token {token_id} no longer works.")


@contextmanager
def _accounts() -> Generator[Accounts]:
    with open_session() as session:
        yield Accounts(session.records, session.user)
