"""The keys under which query text is kept: no key, no query."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from data_platform.errors import ConfigurationError
from data_platform.records.private_files import create_private, private_folder, write_private
from data_platform.settings import Settings

VARIABLE: Final = "QUERY_AUDIT_ENCRYPTION_KEY"

_KEPT: Final = 2
"""The newest key and the one before it, in the file of the home."""

HOW_TO_MAKE_ONE: Final = f"Make a key with `data-platform audit new-key`, keep a copy elsewhere, set it as {VARIABLE}."


class QueryCipher:
    """Encrypts with the newest key, decrypts with any of them."""

    def __init__(self, keys: list[str]) -> None:
        self._keys = tuple(keys)
        self._newest = Fernet(keys[0]) if keys else None
        self._all = MultiFernet([Fernet(key) for key in keys])

    @property
    def names(self) -> tuple[str, ...]:
        """What people call the keys, newest first: the beginning of each one's SHA-256."""
        return tuple(hashlib.sha256(key.encode()).hexdigest()[:12] for key in self._keys)

    def encrypt(self, text: str) -> bytes:
        """Turn text into what may be stored."""
        return self.encrypt_bytes(text.encode("utf-8", "surrogatepass"))

    def decrypt(self, stored: bytes) -> str:
        """Turn what was stored back into text.

        Raises:
            ConfigurationError: when none of the keys is the one it was written with.
        """
        return self.decrypt_bytes(stored).decode("utf-8", "surrogatepass")

    def encrypt_bytes(self, content: bytes) -> bytes:
        """Turn bytes into what may be stored."""
        return self._all.encrypt(content)

    def decrypt_bytes(self, stored: bytes) -> bytes:
        """Turn what was stored back into bytes.

        Raises:
            ConfigurationError: as `decrypt` does.
        """
        try:
            return self._all.decrypt(stored)
        except InvalidToken:
            raise ConfigurationError(
                "What is stored was encrypted with a key that is not configured.",
                hint=f"Add the older key to {VARIABLE}, comma-separated, newest first.",
            ) from None

    def derived(self, purpose: str) -> list[bytes]:
        """Keys of 32 bytes for another purpose, newest first, from which nobody finds the keys themselves."""
        return [
            HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(
                base64.urlsafe_b64decode(key.encode())
            )
            for key in self._keys
        ]

    def renewed(self, stored: bytes) -> bytes | None:
        """Return the same content under the newest key; None when it is under that one already.

        Raises:
            ConfigurationError: as `decrypt` does.
        """
        assert self._newest is not None  # noqa: S101 - MultiFernet refuses to be made without a key
        try:
            self._newest.decrypt(stored)
        except InvalidToken:
            return self.encrypt_bytes(self.decrypt_bytes(stored))
        return None


def open_cipher(settings: Settings) -> QueryCipher:
    """The cipher of this installation; with the embedded database a key is made once and kept in the home folder.

    Raises:
        ConfigurationError: when there is no key, or it is malformed. The key is never part of the message.
    """
    if settings.query_audit_encryption_key is not None:
        return _cipher(settings.query_audit_encryption_key.get_secret_value(), VARIABLE)
    if settings.postgres_url is not None:
        raise ConfigurationError(
            "No key is set to encrypt audited queries with, so no query can run.", hint=HOW_TO_MAKE_ONE
        )
    path = key_path(settings)
    if not path.exists():
        private_folder(path.parent)
        create_private(path, new_key())
    return _cipher(_read(path), str(path))


def key_path(settings: Settings) -> Path:
    """Where the generated key lies when none is configured."""
    return settings.home / "secrets" / "query_audit.key"


def new_key() -> str:
    """Make a key."""
    return Fernet.generate_key().decode()


def begin_rotation(settings: Settings) -> QueryCipher:
    """The cipher to rotate to: the configured keys, or, where the key lies in the home, a new one before those there.

    Raises:
        ConfigurationError: as `open_cipher` does, and when only one key is configured.
    """
    cipher = open_cipher(settings)
    if settings.query_audit_encryption_key is None:
        path = key_path(settings)
        keys = _split(_read(path))
        # With more than the two that a finished rotation leaves, one is under way: it goes on under its own key.
        if len(keys) <= _KEPT:
            write_private(path, ",".join([new_key(), *keys]))
        return open_cipher(settings)
    if len(cipher.names) == 1:
        raise ConfigurationError(
            f"{VARIABLE} holds one key: there is none to change to.",
            hint="Make one with `data-platform audit new-key` and put it before the old one, with a comma.",
        )
    return cipher


def end_rotation(settings: Settings) -> None:
    """Drop the keys that nothing is under any more from the file in the home, when the keys lie there.

    A process that read the file a moment before the rotation still writes one text under the key of before. That key
    stays, as the second, until the next rotation has looked at everything again.
    """
    if settings.query_audit_encryption_key is None:
        path = key_path(settings)
        write_private(path, ",".join(_split(_read(path))[:_KEPT]))


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace")


def _split(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]


def _cipher(text: str, where: str) -> QueryCipher:
    try:
        return QueryCipher(_split(text))
    except ValueError:
        raise ConfigurationError(
            f"{where} does not hold a Fernet key (32 bytes, base64).", hint=HOW_TO_MAKE_ONE
        ) from None
