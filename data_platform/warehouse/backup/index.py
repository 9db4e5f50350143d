"""The sets at one place: naming them, finding the newest, loading and storing their indexes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from data_platform.errors import ChecksumMismatchError, ConfigurationError, UsageError
from data_platform.warehouse.backup.destination import Destination
from data_platform.warehouse.backup.keys import VARIABLE, Key, Keyring
from data_platform.warehouse.backup.objects import open_document, seal_document
from data_platform.warehouse.backup.sets import BackupSet, StoredFile, damaged_set

SETS: Final = "sets"
_ENDING: Final = ".json.age"


@dataclass(frozen=True, slots=True)
class SetName:
    """A set that exists, and the key that its index is under."""

    set_id: str
    key_name: str


class Index:
    """Every set at a place that the keyring opens."""

    def __init__(self, destination: Destination, keyring: Keyring) -> None:
        self._destination = destination
        self._keyring = keyring
        self._loaded: dict[str, BackupSet] = {}

    @property
    def newest_key_name(self) -> str:
        """The name of the key that new sets are under."""
        return self._keyring.newest.name

    def names(self) -> list[SetName]:
        """The sets, oldest first; one that lies under two keys (a rotation is unfinished) counts under the newer.

        Raises:
            ConfigurationError: when there are sets, and none is under a key that is here.
            DestinationError: when the place fails.
        """
        present = [_name(key) for key in self._destination.sizes(SETS) if key.endswith(_ENDING)]
        names: dict[str, SetName] = {}
        for key in reversed(tuple(self._keyring)):
            names |= {name.set_id: name for name in present if name.key_name == key.name}
        if present and not names:
            made_with = ", ".join(sorted({name.key_name for name in present}))
            raise ConfigurationError(
                f"The backups at {self._destination.shown} were made with another key ({made_with}); "
                f"{VARIABLE} holds {', '.join(key.name for key in self._keyring)}.",
                hint=f"Add the older key to {VARIABLE}, comma-separated, newest first.",
            )
        return [names[set_id] for set_id in sorted(names)]

    def newest(self) -> BackupSet:
        """The newest set.

        Raises:
            UsageError: when there is none.
            ChecksumMismatchError: when it is damaged; an older one is never taken silently.
        """
        names = self.names()
        if not names:
            raise UsageError(
                f"There is no backup at {self._destination.shown}.", hint="Make one with: data-platform backup run"
            )
        return self._read(names[-1])

    def load(self, set_id: str) -> BackupSet:
        """The set of that name.

        Raises:
            UsageError: when there is none.
            ChecksumMismatchError: when it is damaged.
        """
        name = next((name for name in self.names() if name.set_id == set_id), None)
        if name is None:
            raise UsageError(f"There is no backup {set_id!r}.", hint="See: data-platform backup list")
        return self._read(name)

    def load_under(self, key: Key, set_id: str) -> BackupSet:
        """The set of that name whose index is under that key.

        Raises:
            ChecksumMismatchError: when it is damaged.
        """
        try:
            document = open_document(self._destination, set_key(key.name, set_id), key)
        except ChecksumMismatchError:
            raise damaged_set(set_id) from None
        return BackupSet.from_bytes(document, set_id=set_id)

    def store(self, backup: BackupSet) -> None:
        """Write a set's index under the newest key; from then on the set exists."""
        key = self._keyring.newest
        seal_document(self._destination, set_key(key.name, backup.id), backup.to_bytes(), key)
        self._loaded[backup.id] = backup

    def copies_of(self, file_key: str) -> Iterator[StoredFile]:
        """The different contents that the sets hold under a key, newest first; damaged sets are passed over."""
        seen: set[str] = set()
        for name in reversed(self.names()):
            try:
                found = self._read(name).find(file_key)
            except ChecksumMismatchError:
                continue
            if found is not None and found.sha256 not in seen:
                seen.add(found.sha256)
                yield found

    def _read(self, name: SetName) -> BackupSet:
        if name.set_id not in self._loaded:
            key = next(key for key in self._keyring if key.name == name.key_name)
            self._loaded[name.set_id] = self.load_under(key, name.set_id)
        return self._loaded[name.set_id]


def set_key(key_name: str, set_id: str) -> str:
    """Where the index of a set lies."""
    return f"{SETS}/{key_name}/{set_id}{_ENDING}"


def _name(stored_key: str) -> SetName:
    path = PurePosixPath(stored_key)
    return SetName(path.name.removesuffix(_ENDING), path.parent.name)
