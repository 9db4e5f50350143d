"""The keys of the backups: age identities from the environment, newest first."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pyrage

from data_platform.errors import ConfigurationError

VARIABLE: Final = "DATA_PLATFORM_BACKUP_KEY"
ROTATE_AFTER: Final = dt.timedelta(days=90)
HOW_TO_MAKE_ONE: Final = f"Make one with `data-platform backup new-key`, keep a copy elsewhere, set it as {VARIABLE}."


@dataclass(frozen=True, slots=True)
class Key:
    """One identity and its public half, the `recipient`, which may be shown."""

    recipient: str
    identity: pyrage.x25519.Identity = field(repr=False)

    @property
    def name(self) -> str:
        """What folders and people call the key: the beginning of the recipient's SHA-256."""
        return name_of(self.recipient)


@dataclass(frozen=True, slots=True)
class Keyring:
    """At least one key; the first encrypts, all of them decrypt."""

    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        """The key that new objects are encrypted with."""
        return self.keys[0]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)

    def find(self, name: str) -> Key | None:
        """The key of that name, if it is here."""
        return next((key for key in self.keys if key.name == name), None)


def parse_keyring(text: str | None) -> Keyring:
    """Read the variable: identities separated by commas or white space.

    Raises:
        ConfigurationError: when there is none or one is malformed; the message never repeats it.
    """
    words = [word for word in re.split(r"[\s,]+", text or "") if word]
    if not words:
        raise ConfigurationError(f"There is no key for backups: {VARIABLE} is not set.", hint=HOW_TO_MAKE_ONE)
    keys: list[Key] = []
    for place, word in enumerate(words, start=1):
        try:
            identity = pyrage.x25519.Identity.from_str(word)
        except pyrage.IdentityError:
            raise ConfigurationError(
                f"{VARIABLE}: key {place} of {len(words)} is no age identity (AGE-SECRET-KEY-1…).",
                hint=HOW_TO_MAKE_ONE,
            ) from None
        key = Key(str(identity.to_public()), identity)
        if key.recipient not in {known.recipient for known in keys}:
            keys.append(key)
    return Keyring(tuple(keys))


def make_key() -> tuple[str, Key]:
    """Make a new identity: its secret form, to be shown once, and the key."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), Key(str(identity.to_public()), identity)


def name_of(recipient: str) -> str:
    """The short name of a recipient."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:12]
