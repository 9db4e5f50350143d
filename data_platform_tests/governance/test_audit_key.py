"""Where the key comes from, and that there is no query text without one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from data_platform.errors import ConfigurationError
from data_platform.governance.audit_key import key_path, open_cipher
from data_platform.settings import Settings

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def with_key(home: Path, key: str | None, url: str | None = None) -> Settings:
    return Settings(
        home=home,
        query_audit_encryption_key=None if key is None else SecretStr(key),
        postgres_url=None if url is None else SecretStr(url),
    )


def test_text_comes_back_and_is_not_stored_as_it_is(tmp_path: Path) -> None:
    cipher = open_cipher(with_key(tmp_path, NEW))
    stored = cipher.encrypt("SELECT 'café \ud800'")
    assert b"SELECT" not in stored
    assert cipher.decrypt(stored) == "SELECT 'café \ud800'"
    assert not key_path(with_key(tmp_path, NEW)).exists()


def test_after_a_rotation_old_text_stays_readable_and_new_text_uses_the_new_key(tmp_path: Path) -> None:
    old = open_cipher(with_key(tmp_path, OLD)).encrypt("old")
    both = open_cipher(with_key(tmp_path, f" {NEW} , {OLD} "))
    assert both.decrypt(old) == "old"
    assert open_cipher(with_key(tmp_path, NEW)).decrypt(both.encrypt("new")) == "new"
    with pytest.raises(ConfigurationError, match="encrypted with a key that is not configured"):
        open_cipher(with_key(tmp_path, NEW)).decrypt(old)


def test_with_the_embedded_database_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = with_key(tmp_path / "home", None)
    with ThreadPoolExecutor(8) as threads:
        ciphers = list(threads.map(lambda _: open_cipher(settings), range(8)))
    stored = ciphers[0].encrypt("x")
    assert {cipher.decrypt(stored) for cipher in ciphers} == {"x"}
    path = key_path(settings)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["query_audit.key"]


def test_with_an_own_server_there_is_no_query_without_a_key(tmp_path: Path) -> None:
    settings = with_key(tmp_path, None, "postgresql://u:hunter2@db/x")
    with pytest.raises(ConfigurationError, match="no query can run") as caught:
        open_cipher(settings)
    assert "data-platform audit new-key" in str(caught.value)
    assert "QUERY_AUDIT_ENCRYPTION_KEY" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "key",
    ["hunter2", f"{NEW},hunter2", "hunter2-" + NEW[8:-4] + "!!!=", "hunter2é", ","],
    ids=["a word", "one of two", "as long", "not ASCII", "none"],
)
def test_a_malformed_key_is_named_but_not_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigurationError, match="QUERY_AUDIT_ENCRYPTION_KEY does not hold a Fernet key") as caught:
        open_cipher(with_key(tmp_path, key))
    assert "hunter2" not in str(caught.value)


def test_a_damaged_key_file_is_an_error_not_a_new_key(tmp_path: Path) -> None:
    settings = with_key(tmp_path, None)
    open_cipher(settings)
    key_path(settings).write_text("")
    with pytest.raises(ConfigurationError, match=r"query_audit\.key does not hold"):
        open_cipher(settings)
