"""The door: backups at one place, under the keys that the environment gives."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Final

from data_platform.errors import ChecksumMismatchError
from data_platform.settings import Settings
from data_platform.warehouse.backup import restoring, rotating, running
from data_platform.warehouse.backup.destination import Destination
from data_platform.warehouse.backup.index import Index, SetName
from data_platform.warehouse.backup.keys import ROTATE_AFTER, Keyring, parse_keyring
from data_platform.warehouse.backup.objects import Objects
from data_platform.warehouse.backup.rotating import RotationReport, birth_key, birth_note
from data_platform.warehouse.backup.running import BackupPlan, BackupReport, Extras
from data_platform.warehouse.backup.sets import BackupSet, Kind
from data_platform.warehouse.lock import HeldLock, TableLock
from data_platform.warehouse.store import make_folder
from data_platform.warehouse.warehouse import Warehouse

_LOCK: Final = "backups"
_DRILL_LOCK: Final = "backup-drill"
_WORK: Final = "work-"


def _unwatched(_bytes: int, _total: int) -> None:
    return


class Backups:
    """Every backup at a place. `home` is whose: one backup or rotation of it runs at a time."""

    def __init__(self, destination: Destination, keyring: Keyring, home: Path) -> None:
        self.place = destination.shown
        self.keyring = keyring
        self.index = Index(destination, keyring)
        self._destination = destination
        self._objects = Objects(destination, keyring)
        self._home = home

    @property
    def folder(self) -> Path:
        """A private folder of the home for what is made on the way: dumps, drills and their reports."""
        folder = self._home / "backups"
        make_folder(folder)
        return folder

    def names(self) -> list[SetName]:
        """The sets, oldest first.

        Raises:
            ConfigurationError, DestinationError: as `Index.names` does.
        """
        return self.index.names()

    def get(self, set_id: str | None) -> BackupSet:
        """A set, or the newest.

        Raises:
            UsageError: when there is none.
            ChecksumMismatchError: when its index is damaged.
        """
        return self.index.newest() if set_id is None else self.index.load(set_id)

    def fetch(self, key: str, target: Path, *, skip: int = 0) -> bool:
        """Write the newest sound copy of a warehouse key to `target`; False, and no file, when there is none.

        That a copy is sound means that it is what was sent. `skip` passes over so many of the newest contents that
        differ, for when those were spoilt before they were sent.

        Raises:
            ConfigurationError, DestinationError: as `Index.names` does.
            ChecksumMismatchError: when there are copies, and each of them is gone or damaged.
            DiskSpaceError: when the disk is full.
        """
        damage: ChecksumMismatchError | None = None
        for copy in islice(self.index.copies_of(key), skip, None):
            try:
                self._objects.fetch(copy.sha256, target, name=key)
            except ChecksumMismatchError as error:
                damage = damage or error
            else:
                return True
        if damage is not None:
            raise damage
        return False

    def run(
        self, warehouse: Warehouse, kind: Kind, extras: Extras, progress: running.Progress = _unwatched
    ) -> BackupReport:
        """Make a backup of a warehouse and the extra files; the caller holds `exclusive`.

        Raises:
            DestinationError, DiskSpaceError, LockBusyError: as `running.run` does.
        """
        self._destination.clear_drafts()
        self._note_birth()
        return running.run(self._objects, self.index, warehouse, kind, extras, progress)

    def plan(self, warehouse: Warehouse, extras: Extras) -> BackupPlan:
        """Say what `run` would send; nothing is written.

        Raises:
            ConfigurationError, DestinationError, LockBusyError: as `running.plan` does.
        """
        return running.plan(self.index, warehouse, extras)

    def restore(
        self, backup: BackupSet, home: Path, outside: frozenset[str], progress: restoring.Progress = _unwatched
    ) -> None:
        """Write a set's files into a home.

        Raises:
            ChecksumMismatchError, DiskSpaceError, DestinationError: as `restoring.restore_files` does.
        """
        restoring.restore_files(self._objects, backup, home, outside, progress)

    def rotate(self, progress: rotating.Progress = _unwatched) -> RotationReport:
        """Encrypt everything again with the newest key; the caller holds `exclusive`.

        Raises:
            ConfigurationError, DestinationError, DiskSpaceError: as `rotating.rotate` does.
        """
        self._destination.clear_drafts()
        self._note_birth()
        with self.work() as folder:
            return rotating.rotate(self._objects, self.index, folder, progress)

    def key_age(self, now: dt.datetime) -> dt.timedelta | None:
        """For how long the newest key has been in use here; None before its first use."""
        stored_key = birth_key(self.keyring.newest.name)
        if self._destination.size(stored_key) is None:
            return None
        with self._destination.reading(stored_key) as file:
            data = file.read()
        try:
            return now - dt.datetime.fromisoformat(json.loads(data)["first_used_at"])
        except (ValueError, KeyError, TypeError):
            raise ChecksumMismatchError(
                f"The note {stored_key} at {self.place} is damaged.", hint="Delete it; the next backup writes it anew."
            ) from None

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """Hold the backups' lock of this home for the block; what killed holders left in `work` folders goes first.

        Raises:
            LockBusyError: when another backup or rotation of this home is at work.
        """
        with self._alone(_LOCK):
            for left_behind in self.folder.glob(f"{_WORK}*"):
                shutil.rmtree(left_behind)
            yield

    @contextmanager
    def drilling(self) -> Generator[None]:
        """Be the only drill of this home for the block; backups may go on.

        Raises:
            LockBusyError: when another drill is at work.
        """
        with self._alone(_DRILL_LOCK):
            yield

    @contextmanager
    def work(self) -> Generator[Path]:
        """A private folder for plain files on their way, removed in the end; the caller holds `exclusive`."""
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=_WORK) as folder:
            yield Path(folder)

    def _alone(self, name: str) -> HeldLock:
        return TableLock(self._home / "warehouse" / "locks", name).acquire()

    def _note_birth(self) -> None:
        key = self.keyring.newest
        stored_key = birth_key(key.name)
        if self._destination.size(stored_key) is None:
            note = birth_note(key, dt.datetime.now(dt.UTC).isoformat())
            self._destination.write(stored_key, lambda sink: _write(sink, note))


def open_backups(settings: Settings) -> Backups:
    """The backups that the settings name; the place is asked nothing yet.

    Raises:
        ConfigurationError: when the key or the URL is missing or malformed; neither is repeated.
        DestinationError: when the place can't be reached.
    """
    key = settings.backup_key.get_secret_value() if settings.backup_key else None
    keyring = parse_keyring(key)
    url = settings.backup_url.get_secret_value() if settings.backup_url else f"file://{settings.home / 'backups'}"
    return Backups(Destination.at(url), keyring, settings.home)


def _write(sink: IO[bytes], data: bytes) -> None:
    sink.write(data)


def is_due(age: dt.timedelta | None) -> bool:
    """Whether a key of that age should be rotated: each quarter."""
    return age is not None and age > ROTATE_AFTER
