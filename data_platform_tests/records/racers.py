"""What the racing processes do; imported once by the server that they are forked from."""

from __future__ import annotations

from collections.abc import Callable

from data_platform.errors import NotPermittedError, RateLimitedError, UsageError
from data_platform.governance.accounts import Accounts
from data_platform.governance.permissions import Role, User
from data_platform.records import platform_audit, query_audit, rate_limits
from data_platform.records.connection import connect_records
from data_platform.records.databases import Databases
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import Limit
from data_platform.records.scope import Scope

TEXT = SealedText("b" * 64, "c" * 64, b"encrypted")
SYSTEM = Scope.system("test")
Ready = Callable[[], None]


def attempt(_number: int, databases: Databases, limit: Limit, ready: Ready) -> tuple[bool, int]:
    """Try one query: whether it was let through, and what is left or how long to wait."""
    with connect_records(databases, max_connections=1) as records:
        with records.transaction(SYSTEM):
            ready()
        try:
            return True, query_audit.record_attempt(records, "ann", "crsp", 1, TEXT, None, limit).remaining
        except RateLimitedError as error:
            return False, error.retry_after_seconds


def shared_place(number: int, databases: Databases, limit: Limit, ready: Ready) -> tuple[bool, int]:
    """Take a place of a limit that everybody shares, and note it in the same transaction."""
    with connect_records(databases, max_connections=1) as records:
        with records.transaction(SYSTEM):
            ready()
        with records.transaction(SYSTEM) as connection:
            place = rate_limits.take(connection, limit, f"user{number}")
            if place.granted:
                platform_audit.append(connection, f"user{number}", limit.action)
        return place.granted, place.wait_seconds or place.remaining


def demote(number: int, databases: Databases, names: tuple[str, ...], ready: Ready) -> str:
    """Take the role of administrator from the next one."""
    with connect_records(databases, max_connections=1) as records:
        accounts = Accounts(records, User(names[number], Role.ADMIN))
        with records.transaction(SYSTEM):
            ready()
        try:
            accounts.set_role(names[(number + 1) % len(names)], Role.VIEWER)
        except (UsageError, NotPermittedError) as refusal:
            return refusal.message
        return "done"
