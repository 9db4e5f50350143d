"""In whose name a process acts."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from data_platform.errors import NotPermittedError
from data_platform.governance.identity import current_user, local_administrator, user_named
from data_platform.governance.permissions import Role, User
from data_platform.records import tokens, users
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform.settings import Settings

ADMIN = Scope.system("test")


def with_token(home: Path, token: str | None) -> Settings:
    return Settings(home=home, token=None if token is None else SecretStr(token))


@pytest.fixture
def token(records: Records) -> tokens.NewToken:
    with records.transaction(ADMIN) as connection:
        users.add(connection, "ann", "analyst")
        users.grant(connection, "ann", "dataset:taq")
        users.revoke(connection, "ann", "dataset:crsp")
        return tokens.create(connection, "ann")


def test_without_a_token_the_local_administrator_acts(records: Records, tmp_path: Path) -> None:
    user = current_user(with_token(tmp_path, None), records)
    assert user == local_administrator()
    assert user.user_id.startswith("local:")
    assert user.role is Role.ADMIN


def test_a_token_stands_for_its_user_with_grants_and_revocations(
    records: Records, tmp_path: Path, token: tokens.NewToken
) -> None:
    expected = User("ann", Role.ANALYST, frozenset({"dataset:taq"}), frozenset({"dataset:crsp"}))
    assert current_user(with_token(tmp_path, token.secret), records) == expected
    assert user_named(with_token(tmp_path, None), records, "ann") == expected


@pytest.mark.parametrize("why", ["unknown", "expired", "revoked", "disabled"])
def test_a_token_that_is_not_good_opens_nothing(
    records: Records, tmp_path: Path, token: tokens.NewToken, why: str
) -> None:
    secret = token.secret
    with records.transaction(ADMIN) as connection:
        match why:
            case "unknown":
                secret = secret[:-1] + ("a" if secret[-1] != "a" else "b")
            case "expired":
                secret = tokens.create(connection, "ann", dt.timedelta(milliseconds=1)).secret
            case "revoked":
                tokens.revoke(connection, token.id)
            case _:
                users.disable(connection, "ann")
    time.sleep(0.01)
    with pytest.raises(NotPermittedError, match="unknown, expired or revoked") as caught:
        current_user(with_token(tmp_path, secret), records)
    assert secret not in repr(caught.value) + str(caught.value)


def test_the_local_administrator_is_nobody_elses_name(records: Records, tmp_path: Path) -> None:
    local = local_administrator()
    assert user_named(with_token(tmp_path, None), records, local.user_id) == local
    for settings, name in [
        (with_token(tmp_path, None), "local:somebody-else"),
        (with_token(tmp_path, "dp_x"), local.user_id),
        (with_token(tmp_path, None), "nobody"),
    ]:
        with pytest.raises(NotPermittedError):
            user_named(settings, records, name)
