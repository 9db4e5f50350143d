"""Names for versions: a snapshot tags a version of each table, a pin keeps those that a backtest used.

A named version is never dropped. The name is written only after the manifests that it names are known to be durable,
and while no sweep can run, so that what it promises is there.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from data_platform.errors import ChecksumMismatchError, DiskSpaceError, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.sealed import SEE_VERIFY, seal, unseal
from data_platform.warehouse.store import LocalStore, fsync_path, no_space_is_clear
from data_platform.warehouse.sweep_lock import SweepLock

_SEAL: Final = "set_sha256"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}")
_RESERVED: Final = frozenset({"latest"})
_log = logging.getLogger(__name__)


class VersionSet(BaseModel):
    """A name for one version of each of several tables; `checksums` are those of the manifests' files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    created_at: dt.datetime
    created_by: str
    description: str = ""
    versions: dict[str, int]
    checksums: dict[str, str]


class VersionSets:
    """The named versions of one kind: the folder `snapshots/` or `pins/`."""

    def __init__(self, store: LocalStore, folder: str, kind: str) -> None:
        self._store = store
        self._folder = folder
        self.kind = kind

    def create(self, name: str, versions: Mapping[str, int], *, created_by: str, description: str = "") -> VersionSet:
        """Name these versions, durably, once and for all: a name is never moved.

        Raises:
            UsageError: when the name is not fit or taken, no version is given, or one does not exist.
            ChecksumMismatchError: when a manifest is damaged.
            DiskSpaceError: when the disk is full.
        """
        self._require_name(name)
        if not versions:
            raise UsageError(f"The {self.kind} {name} would name no version.", hint="Sync a table first.")
        with SweepLock(self._store.root).shared():
            checksums = {table: self._durable_checksum(table, number) for table, number in versions.items()}
            named = VersionSet(
                name=name,
                created_at=dt.datetime.now(dt.UTC),
                created_by=created_by,
                description=description,
                versions=dict(sorted(versions.items())),
                checksums=dict(sorted(checksums.items())),
            )
            data = seal(named.model_dump(mode="json"), _SEAL)
            if name in self.names() or not self._store.put_if_absent(self.key(name), data):
                raise UsageError(
                    f"There is a {self.kind} {name} already; it names what it named.", hint="Choose another name."
                )
            try:
                self._store.put_if_absent(twin(self.key(name)), data)
            except (OSError, DiskSpaceError) as error:
                # The name is given; what it lacks is the copy that would tell of its loss.
                _log.warning("The %s %s is made; its second copy was not written: %s", self.kind, name, error)
        return named

    def get(self, name: str) -> VersionSet:
        """The versions of that name.

        Raises:
            UsageError: when there is no such name.
            ChecksumMismatchError: when its file is damaged.
        """
        self._require_name(name)
        if name not in self.names():
            raise no_such_set(self.kind, name)
        return self._load(name)

    def names(self) -> list[str]:
        """Every name, sorted, whether or not its file can be read, or is still there: its twin tells of it."""
        keys = [*self._store.list(self._folder), *self._store.list(twin(self._folder))]
        return sorted({PurePosixPath(key).stem for key in keys if key.endswith(".json")})

    def all(self) -> list[VersionSet]:
        """Every set, by name.

        Raises:
            ChecksumMismatchError: when any of them cannot be read; none is ever passed over.
        """
        return [self._load(name) for name in self.names()]

    def by_version(self, table: str) -> dict[int, tuple[str, ...]]:
        """The names of each version of a table that has one; unreadable sets are passed over: this is for showing."""
        names: dict[int, tuple[str, ...]] = {}
        for name in self.names():
            with suppress(ChecksumMismatchError, UsageError):
                number = self.get(name).versions.get(table)
                if number is not None:
                    names[number] = (*names.get(number, ()), name)
        return names

    def checksums_of(self, table: str, version: int) -> tuple[str, ...]:
        """The checksums that readable sets recorded for a version."""
        sets = self.readable()[0]
        return tuple(named.checksums[table] for named in sets if named.versions.get(table) == version)

    def drop(self, name: str) -> VersionSet | None:
        """Remove a name; the versions it named follow the rolling retention again.

        Returns what it named; None when its file could not be read any more. It is removed all the same: otherwise
        one damaged name would keep every old file for ever.

        Raises:
            UsageError: when there is no such name.
        """
        named: VersionSet | None = None
        with suppress(ChecksumMismatchError):
            named = self.get(name)
        self._store.delete(twin(self.key(name)))  # first: a twin alone means a loss
        self._store.delete(self.key(name))
        return named

    def readable(self) -> tuple[list[VersionSet], list[ChecksumMismatchError]]:
        """The sets that can be read, oldest first, and what is wrong with the others; for showing."""
        found: list[VersionSet] = []
        damaged: list[ChecksumMismatchError] = []
        for name in self.names():
            try:
                found.append(self._load(name))
            except ChecksumMismatchError as error:
                damaged.append(error)
        return sorted(found, key=lambda named: named.created_at), damaged

    def renew_twins(self) -> None:
        """Give each readable name that has none its twin: a backup holds every name once."""
        for named in self.readable()[0]:
            key = self.key(named.name)
            self._store.put_if_absent(twin(key), self._store.get(key))

    def key(self, name: str) -> str:
        """Where the set of a name lies."""
        return f"{self._folder}/{name}.json"

    def _durable_checksum(self, table: str, number: int) -> str:
        manifests = Manifests(self._store, table)
        manifest = manifests.load(number)
        path = self._store.path(layout.version(table, number))
        # Its author may have linked the name an instant ago and not yet have flushed the folder.
        with no_space_is_clear(path):
            fsync_path(path)
            fsync_path(path.parent)
        return manifest.checksum

    def _load(self, name: str) -> VersionSet:
        try:
            return parse_set(self._store.get(self.key(name)), name, self.kind)
        except FileNotFoundError:
            raise ChecksumMismatchError(f"The {self.kind} {name} is gone.", hint=SEE_VERIFY) from None

    def _require_name(self, name: str) -> None:
        if not _NAME.fullmatch(name) or name.lower() in _RESERVED:
            raise UsageError(
                f"{name!r} is no name for a {self.kind}.",
                hint="Up to 100 letters, digits, dots, dashes and underscores, beginning with a letter.",
            )


def twin(key: str) -> str:
    """Where the second copy of a set lies. Without it a file that is lost would look like a name that was dropped."""
    folder, _, name = key.partition("/")
    return f"{folder}/.twins/{name}".rstrip("/")


def no_such_set(kind: str, name: str) -> UsageError:
    """The answer to a name that does not exist, or that the caller may not know of."""
    return UsageError(f"There is no {kind} {name}.", hint=f"See: data-platform {kind} list")


def parse_set(data: bytes, name: str, kind: str) -> VersionSet:
    """Read the stored set of a name.

    Raises:
        ChecksumMismatchError: when it is damaged, or another's lies in its place.
    """
    try:
        named = VersionSet.model_validate(unseal(data, _SEAL, name=f"The {kind} {name}"))
    except ValidationError:
        raise ChecksumMismatchError(f"The {kind} {name} is not valid.", hint=SEE_VERIFY) from None
    if named.name != name:
        raise ChecksumMismatchError(f"In the place of the {kind} {name} lies {named.name}.", hint=SEE_VERIFY)
    return named


def snapshots(store: LocalStore) -> VersionSets:
    """The tags."""
    return VersionSets(store, layout.SNAPSHOTS, "snapshot")


def pins(store: LocalStore) -> VersionSets:
    """What backtests used."""
    return VersionSets(store, layout.PINS, "pin")
