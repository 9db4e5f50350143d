"""Accounts, grants and tokens, and the audit entry that every change leaves."""

from __future__ import annotations

import datetime as dt
import hashlib
import time

import pytest

from data_platform.errors import NotPermittedError, UsageError
from data_platform.records import platform_audit, tokens, users
from data_platform.records.connection import Records
from data_platform.records.scope import Scope

ADMIN = Scope("adm", None)


def entries(records: Records) -> list[tuple[str, str, str | None, object, object, str | None]]:
    with records.transaction(Scope.system("test")) as connection:
        return [
            (entry.actor, entry.action, entry.subject, entry.old_value, entry.new_value, entry.reason)
            for entry in platform_audit.recent(connection)[::-1]
        ]


def test_an_accounts_life_is_remembered_in_the_name_of_the_scope(records: Records) -> None:
    with records.transaction(ADMIN) as connection:
        users.add(connection, "ann@example.org", "viewer", reason="new")
    with records.transaction(ADMIN) as connection:
        users.set_role(connection, "ann@example.org", "analyst", reason="promoted")
        users.grant(connection, "ann@example.org", "dataset:taq")
        users.revoke(connection, "ann@example.org", "dataset:crsp")
        users.revoke(connection, "ann@example.org", "dataset:taq")
        users.grant(connection, "ann@example.org", "query:data")
        ann = users.disable(connection, "ann@example.org", reason="left")
    assert (ann.role, ann.disabled) == ("analyst", True)
    assert (ann.grants, ann.revocations) == (frozenset({"query:data"}), frozenset({"dataset:crsp", "dataset:taq"}))
    who = ("adm", "ann@example.org")
    assert [(entry[0], entry[2]) for entry in entries(records)] == [who] * 7
    assert [(entry[1], *entry[3:]) for entry in entries(records)] == [
        ("users.add", None, {"role": "viewer"}, "new"),
        ("users.set_role", {"role": "viewer"}, {"role": "analyst"}, "promoted"),
        ("users.grant", {"dataset:taq": None}, {"dataset:taq": "grant"}, None),
        ("users.revocation", {"dataset:crsp": None}, {"dataset:crsp": "revocation"}, None),
        ("users.revocation", {"dataset:taq": "grant"}, {"dataset:taq": "revocation"}, None),
        ("users.grant", {"query:data": None}, {"query:data": "grant"}, None),
        ("users.disable", {"disabled": False}, {"disabled": True}, "left"),
    ]


def test_a_change_that_is_undone_leaves_no_entry(records: Records) -> None:
    with pytest.raises(ZeroDivisionError), records.transaction(ADMIN) as connection:
        users.add(connection, "ann", "viewer")
        raise ZeroDivisionError
    assert entries(records) == []
    with records.transaction(ADMIN) as connection:
        assert users.get(connection, "ann") is None


def test_accounts_are_listed_by_name(records: Records) -> None:
    with records.transaction(ADMIN) as connection:
        for name in ("carl", "ann", "ben"):
            users.add(connection, name, "viewer")
        assert [user.user_id for user in users.every(connection)] == ["ann", "ben", "carl"]


@pytest.mark.parametrize(
    ("user_id", "role", "message"),
    [
        ("ann", "viewer", "exists already"),
        ("ben", "owner", "Unknown role 'owner'"),
        ("system:sync", "admin", "can't be a user's name"),
        ("local:root", "admin", "can't be a user's name"),
        ("", "viewer", "can't be a user's name"),
        ("../ann", "viewer", "can't be a user's name"),
        ("a b", "viewer", "can't be a user's name"),
        ("x" * 129, "viewer", "can't be a user's name"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(records: Records, user_id: str, role: str, message: str) -> None:
    with records.transaction(ADMIN) as connection:
        users.add(connection, "ann", "viewer")
        with pytest.raises(UsageError, match=message):
            users.add(connection, user_id, role)
        # The refusal has not spoilt the transaction.
        assert [user.user_id for user in users.every(connection)] == ["ann"]


def test_what_is_asked_of_nobody_is_refused(records: Records) -> None:
    with records.transaction(ADMIN) as connection:
        for act in (
            lambda: users.set_role(connection, "eve", "viewer"),
            lambda: users.disable(connection, "eve"),
            lambda: users.grant(connection, "eve", "dataset:crsp"),
            lambda: users.revoke(connection, "eve", "dataset:crsp"),
            lambda: tokens.create(connection, "eve"),
        ):
            with pytest.raises(UsageError, match="'eve'"):
                act()


@pytest.mark.parametrize("permission", ["", "crsp", "dataset:", "Dataset:crsp", "dataset:crsp,taq", "a:b:c"])
def test_a_malformed_permission_is_refused(records: Records, permission: str) -> None:
    with records.transaction(ADMIN) as connection:
        users.add(connection, "ann", "viewer")
        with pytest.raises(UsageError, match="is no permission"):
            users.grant(connection, "ann", permission)
        with pytest.raises(UsageError, match="Unknown role"):
            users.set_role(connection, "ann", "owner")


@pytest.fixture
def ann(records: Records) -> str:
    with records.transaction(ADMIN) as connection:
        users.add(connection, "ann", "analyst")
    return "ann"


def test_a_token_finds_its_user_and_only_its_hash_is_kept(records: Records, ann: str) -> None:
    with records.transaction(ADMIN) as connection:
        users.grant(connection, ann, "dataset:taq")
        token = tokens.create(connection, ann)
        found = tokens.find_user(connection, token.secret)
    assert found is not None
    assert (found.user_id, found.role, found.grants) == ("ann", "analyst", frozenset({"dataset:taq"}))
    assert token.secret not in repr(token)
    with records.transaction(ADMIN) as connection:
        row = connection.execute("SELECT token_hash, last_used_at FROM platform.platform_tokens").fetchone()
    assert row is not None
    assert row["token_hash"] == hashlib.sha256(token.secret.encode()).hexdigest()
    assert row["last_used_at"] is not None
    assert token.secret not in str(entries(records))


def test_use_is_noted_once_a_minute(records: Records, ann: str) -> None:
    with records.transaction(ADMIN) as connection:
        token = tokens.create(connection, ann)
    seen: list[object] = []
    for _ in range(2):
        with records.transaction(ADMIN) as connection:
            tokens.find_user(connection, token.secret)
            seen += connection.execute("SELECT last_used_at FROM platform.platform_tokens").fetchall()
    assert seen[0] == seen[1] != {"last_used_at": None}


def test_a_token_that_does_not_count_finds_nobody(records: Records, ann: str) -> None:
    with records.transaction(ADMIN) as connection:
        expired = tokens.create(connection, ann, dt.timedelta(milliseconds=20))
        revoked = tokens.create(connection, ann)
        tokens.revoke(connection, revoked.id, reason="lost")
        good = tokens.create(connection, ann)
    time.sleep(0.05)
    with records.transaction(ADMIN) as connection:
        for secret in (expired.secret, revoked.secret, good.secret[:-1], good.secret + "x", "", "\ud800"):
            assert tokens.find_user(connection, secret) is None
        assert tokens.find_user(connection, good.secret) is not None
        users.disable(connection, ann)
        assert tokens.find_user(connection, good.secret) is None
        users.disable(connection, ann, disabled=False)
        assert tokens.find_user(connection, good.secret) is not None


def test_a_disabled_account_gets_no_token(records: Records, ann: str) -> None:
    with records.transaction(ADMIN) as connection:
        users.disable(connection, ann)
        with pytest.raises(UsageError, match="no active user"):
            tokens.create(connection, ann)


def test_a_token_is_revoked_once_and_lives_for_a_positive_time(records: Records, ann: str) -> None:
    with records.transaction(ADMIN) as connection:
        token = tokens.create(connection, ann)
        tokens.revoke(connection, token.id)
        for act in (
            lambda: tokens.revoke(connection, token.id),
            lambda: tokens.create(connection, ann, dt.timedelta(0)),
        ):
            with pytest.raises(UsageError, match="token"):
                act()


def test_a_token_is_not_found_in_the_name_of_a_limited_scope(records: Records, ann: str) -> None:
    with records.transaction(ADMIN) as connection:
        token = tokens.create(connection, ann)
    with records.transaction(Scope("ben", frozenset({"crsp"}))) as connection:
        assert tokens.find_user(connection, token.secret) is None
    with pytest.raises(NotPermittedError), records.transaction(Scope("ben", frozenset())) as connection:
        users.add(connection, "carl", "admin")
