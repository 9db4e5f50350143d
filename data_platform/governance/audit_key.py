"""The key under which query text is kept: no key, no query."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from data_platform.errors import ConfigurationError
from data_platform.records.private_files import create_private, private_folder
from data_platform.settings import Settings

VARIABLE: Final = "QUERY_AUDIT_ENCRYPTION_KEY"

_HOW_TO_MAKE_ONE: Final = (
    "Make a key with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())' "
    f"and set it as {VARIABLE}."
)


class QueryCipher:
    """Encrypts with the newest key, decrypts with any of them."""

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, text: str) -> bytes:
        """Turn text into what may be stored."""
        return self._fernet.encrypt(text.encode("utf-8", "surrogatepass"))

    def decrypt(self, stored: bytes) -> str:
        """Turn what was stored back into text.

        Raises:
            ConfigurationError: when none of the keys is the one it was written with.
        """
        try:
            return self._fernet.decrypt(stored).decode("utf-8", "surrogatepass")
        except InvalidToken:
            raise ConfigurationError(
                "The stored query text was encrypted with a key that is not configured.",
                hint=f"Add the older key to {VARIABLE}, comma-separated, newest first.",
            ) from None


def open_cipher(settings: Settings) -> QueryCipher:
    """The cipher of this installation; with the embedded database a key is made once and kept in the home folder.

    Raises:
        ConfigurationError: when there is no key, or it is malformed. The key is never part of the message.
    """
    if settings.query_audit_encryption_key is not None:
        return _cipher(settings.query_audit_encryption_key.get_secret_value(), VARIABLE)
    if settings.postgres_url is not None:
        raise ConfigurationError(
            "No key is set to encrypt audited queries with, so no query can run.", hint=_HOW_TO_MAKE_ONE
        )
    path = key_path(settings)
    if not path.exists():
        private_folder(path.parent)
        create_private(path, Fernet.generate_key().decode())
    return _cipher(path.read_text(encoding="ascii", errors="replace"), str(path))


def key_path(settings: Settings) -> Path:
    """Where the generated key lies when none is configured."""
    return settings.home / "secrets" / "query_audit.key"


def _cipher(text: str, where: str) -> QueryCipher:
    keys = [key.strip() for key in text.split(",") if key.strip()]
    try:
        return QueryCipher(keys)
    except ValueError:
        raise ConfigurationError(
            f"{where} does not hold a Fernet key (32 bytes, base64).", hint=_HOW_TO_MAKE_ONE
        ) from None
