"""Changing accounts: who may, one at a time, and never the last administrator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from data_platform.errors import NotPermittedError, UsageError
from data_platform.governance.accounts import Accounts
from data_platform.governance.identity import current_user
from data_platform.governance.permissions import Role, User
from data_platform.records.connection import Records
from data_platform.records.databases import Databases
from data_platform.settings import Settings
from data_platform_tests.records import racers
from data_platform_tests.records.audited import audited
from data_platform_tests.records.racing import race

LOCAL = User("local:root", Role.ADMIN)


@pytest.fixture
def accounts(records: Records) -> Accounts:
    return Accounts(records, LOCAL)


def roles(accounts: Accounts) -> dict[str, str]:
    return {user.user_id: "disabled" if user.disabled else user.role for user in accounts.list_users()}


def test_the_last_administrator_stays(accounts: Accounts) -> None:
    accounts.add("ann", Role.ADMIN)
    accounts.add("ben", Role.ADMIN)
    accounts.disable("ben")
    for act in (lambda: accounts.disable("ann"), lambda: accounts.set_role("ann", Role.OPERATOR)):
        with pytest.raises(UsageError, match="ann is the last administrator") as caught:
            act()
        assert "set-role" in (caught.value.hint or "")
    assert roles(accounts) == {"ann": "admin", "ben": "disabled"}
    accounts.enable("ben")
    accounts.set_role("ann", Role.VIEWER)
    assert roles(accounts) == {"ann": "viewer", "ben": "admin"}
    accounts.disable("ann")


def test_what_leaves_the_last_administrator_one_is_allowed(accounts: Accounts) -> None:
    accounts.add("ann", Role.ADMIN)
    accounts.set_role("ann", Role.ADMIN)
    accounts.revoke("ann", "dataset:taq")
    accounts.create_token("ann")
    assert roles(accounts) == {"ann": "admin"}


@pytest.mark.parametrize("count", [2, 3, 8])
def test_administrators_who_take_the_role_from_each_other_at_once(
    databases: Databases, accounts: Accounts, records: Records, count: int
) -> None:
    names = tuple(f"admin{number}" for number in range(count))
    for name in names:
        accounts.add(name, Role.ADMIN)
    answers = race(count, racers.demote, databases, names)
    left = [name for name, role in roles(accounts).items() if role == "admin"]
    # Whoever lost the role before their turn came could not take it from the next.
    assert answers.count("done") == count - len(left) >= 1
    assert len(left) >= 1
    assert {answer for answer in answers if answer != "done"} <= {"This requires the role admin."} | {
        f"{name} is the last administrator." for name in names
    }
    actions = [entry[1] for entry in audited(records)]
    assert actions == ["users.add"] * count + ["users.set_role"] * answers.count("done")


def test_an_administrator_who_was_closed_meanwhile_changes_nothing(accounts: Accounts, records: Records) -> None:
    accounts.add("ann", Role.ADMIN)
    accounts.add("ben", Role.ADMIN)
    ann = Accounts(records, User("ann", Role.ADMIN))
    ann.add("carl", Role.VIEWER)
    accounts.disable("ann")
    for act in CHANGES:
        with pytest.raises(NotPermittedError):
            act(ann)
    assert roles(accounts) == {"ann": "disabled", "ben": "admin", "carl": "viewer"}


CHANGES: list[Callable[[Accounts], object]] = [
    lambda accounts: accounts.add("eve", Role.ADMIN),
    lambda accounts: accounts.set_role("ben", Role.VIEWER),
    lambda accounts: accounts.grant("ben", "dataset:taq"),
    lambda accounts: accounts.revoke("ben", "dataset:crsp"),
    lambda accounts: accounts.disable("ben"),
    lambda accounts: accounts.enable("ann"),
    lambda accounts: accounts.create_token("ben"),
    lambda accounts: accounts.revoke_token(1),
]
READS: list[Callable[[Accounts], object]] = [lambda a: a.list_users(), lambda a: a.list_tokens()]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.OPERATOR])
def test_accounts_are_for_administrators(accounts: Accounts, records: Records, role: Role) -> None:
    accounts.add("ann", role)
    accounts.add("ben", Role.ADMIN)
    before = audited(records)
    for act in (*CHANGES, *READS):
        with pytest.raises(NotPermittedError, match="requires the role admin"):
            act(Accounts(records, User("ann", role, grants=frozenset({"dataset:crsp"}))))
    assert audited(records) == before


def test_a_token_is_listed_without_its_secret_and_useless_once_revoked(
    accounts: Accounts, records: Records, tmp_path: Path
) -> None:
    accounts.add("ann", Role.ANALYST)
    token = accounts.create_token("ann", dt.timedelta(days=1), "notebook")
    settings = Settings(home=tmp_path, token=SecretStr(token.secret))
    assert current_user(settings, records).user_id == "ann"
    (listed,) = accounts.list_tokens("ann")
    assert (listed.id, listed.user_id, listed.revoked_at) == (token.id, "ann", None)
    assert listed.last_used_at is not None
    assert token.secret not in str(listed)
    accounts.revoke_token(token.id, "lost")
    with pytest.raises(NotPermittedError, match="unknown, expired or revoked"):
        current_user(settings, records)
    with pytest.raises(UsageError, match="revoked already"):
        accounts.revoke_token(token.id)
    assert accounts.list_tokens()[0].revoked_at is not None
    assert [entry[1] for entry in audited(records)] == ["users.add", "tokens.create", "tokens.revoke"]
    assert token.secret not in str(audited(records))


HUGE = "x" * (10 * 2**20)
BAD: list[tuple[str, Callable[[Accounts], object], str]] = [
    ("10 MB of reason", lambda a: a.disable("ann", HUGE), "The reason is 10,485,760 characters long; at most 2,000"),
    ("10 MB of name", lambda a: a.add(HUGE, Role.VIEWER), "can't be a user's name"),
    ("10 MB of permission", lambda a: a.grant("ann", HUGE), "is no permission"),
    ("a NUL in a reason", lambda a: a.disable("ann", "a\0b"), "holds a NUL character at position 2"),
    ("a NUL in a name", lambda a: a.add("a\0b", Role.VIEWER), "NUL"),
    ("a NUL in a name that is asked for", lambda a: a.disable("a\0b"), "NUL"),
    ("half of a surrogate pair", lambda a: a.disable("ann", "\ud800"), "surrogate"),
    ("half of a surrogate pair as a name", lambda a: a.add("\ud800", Role.VIEWER), "surrogate"),
    ("a token's number out of range", lambda a: a.revoke_token(10**30), "There is no valid token"),
    ("a token of nobody", lambda a: a.list_tokens("eve"), "There is no user 'eve'"),
    ("a token for ever", lambda a: a.create_token("ann", dt.timedelta(days=4000)), "at most 3,650 days"),
    ("an unknown permission", lambda a: a.grant("ann", "dataset:nothing"), "is no permission"),
]


@pytest.mark.parametrize(("act", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_one_clear_error_and_changes_nothing(
    accounts: Accounts, records: Records, act: Callable[[Accounts], object], message: str
) -> None:
    accounts.add("ann", Role.VIEWER)
    before = audited(records)
    with pytest.raises(UsageError, match=message) as caught:
        act(accounts)
    assert len(str(caught.value)) < 600
    assert audited(records) == before
    assert roles(accounts) == {"ann": "viewer"}
