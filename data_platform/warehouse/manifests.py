"""A table's versions: finding the latest, loading one, publishing the next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Final

from data_platform.errors import ChecksumMismatchError, DiskSpaceError, Fenced, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.lock import HeldLock
from data_platform.warehouse.manifest import SyncManifest
from data_platform.warehouse.manifest_form import documents_of, load_manifest
from data_platform.warehouse.sealed import SEE_VERIFY, seal, unseal
from data_platform.warehouse.store import ObjectStore

_NONE: Final = 0
_SEAL: Final = "hint_sha256"
_log = logging.getLogger(__name__)


class Manifests:
    """The version history of one table."""

    def __init__(self, store: ObjectStore, table: str) -> None:
        self._store = store
        self.table = table

    def latest_number(self) -> int:
        """The highest version; 0 when nothing was ever published.

        The hint may lag behind after a crash, so we look onwards from it until there is no next version. It is only
        ever written after the commit: a hint beyond the highest manifest says that a manifest was lost, and its
        number is never given again.
        """
        number = self._hinted()
        if not self._store.exists(layout.version(self.table, number)):
            number = max(number, *self.numbers(), _NONE)
        while self._store.exists(layout.version(self.table, number + 1)):
            number += 1
        return number

    def latest(self) -> SyncManifest | None:
        """The latest version, or None when nothing was ever published.

        Raises:
            ChecksumMismatchError: when the latest manifest is damaged or gone; it is never passed over silently.
        """
        number = self.latest_number()
        return self.load(number) if number != _NONE else None

    def load(self, number: int) -> SyncManifest:
        """Load one version.

        Raises:
            UsageError: when there never was such a version.
            ChecksumMismatchError: when the manifest is damaged or gone.
        """
        try:
            return load_manifest(self._store, self.table, number)
        except FileNotFoundError:
            if 1 <= number < self.latest_number() or number == self._hinted() != _NONE:
                raise ChecksumMismatchError(
                    f"The manifest of {self.table} version {number} is gone.", hint=SEE_VERIFY
                ) from None
            raise UsageError(
                f"{self.table} has no version {number}.", hint=f"See: data-platform versions {self.table}"
            ) from None

    def successor_of(self, number: int) -> SyncManifest | None:
        """The version after this one, or None when there is none that can be read."""
        try:
            return self.load(number + 1)
        except (UsageError, ChecksumMismatchError):
            return None

    def predecessor_of(self, number: int) -> SyncManifest | None:
        """The version before this one, or None when there is none that can be read."""
        return self.successor_of(number - 2) if number > 1 else None

    def last_sound(self) -> SyncManifest | None:
        """The highest version whose manifest can be read, or None."""
        for number in reversed(self.numbers()):
            try:
                return self.load(number)
            except ChecksumMismatchError:
                continue
        return None

    def numbers(self) -> list[int]:
        """All published versions, oldest first."""
        keys = self._store.list(layout.versions(self.table))
        return sorted(int(PurePosixPath(key).stem) for key in keys if PurePosixPath(key).stem.isdigit())

    def missing_numbers(self) -> list[int]:
        """Versions whose manifest is gone, the newest included when the hint still knows of it."""
        # The highest number first: whatever is published from here on is in the list that is read after it.
        last = self.latest_number()
        return sorted(set(range(1, last + 1)) - set(self.numbers()))

    def __iter__(self) -> Iterator[SyncManifest]:
        """All versions, oldest first."""
        return (self.load(number) for number in self.numbers())

    def publish(self, lock: HeldLock, base: int, make: Callable[[int], SyncManifest]) -> SyncManifest:
        """Create version ``base + 1``: the creation is the commit, and it happens at most once per base.

        `make` receives the new version's number. Every blob it names must already be in place.

        Raises:
            Fenced: when the lock was lost or another version was published on the same base.
        """
        with lock.guarded():
            if self.latest_number() != base:
                raise Fenced(
                    f"Another version of {self.table} was published meanwhile; nothing was published.",
                    hint="Run the sync again.",
                )
            manifest = make(base + 1)
            document, parts = documents_of(manifest)
            for key, part in parts.items():
                if not self._store.put_if_absent(key, part) and self._store.get(key) != part:
                    self._store.replace(key, part)  # it is named by its content, and had gone bad
            if not self._store.put_if_absent(layout.version(self.table, base + 1), document):
                raise Fenced(
                    f"Version {base + 1} of {self.table} exists already; nothing was published.",
                    hint="Run the sync again.",
                )
            try:
                self._store.replace(layout.latest_hint(self.table), seal({"version": base + 1}, _SEAL))
            except (OSError, DiskSpaceError) as error:
                # The version is committed; readers find it without the hint.
                _log.warning("%s: version %d is published; its hint was not written: %s", self.table, base + 1, error)
        return manifest

    def _hinted(self) -> int:
        """The version that the hint names; 0 without a readable one."""
        try:
            content = unseal(self._store.get(layout.latest_hint(self.table)), _SEAL, name="The hint")
        except (OSError, ChecksumMismatchError):
            return _NONE
        number = content.get("version")
        return number if isinstance(number, int) else _NONE
