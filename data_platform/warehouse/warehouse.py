"""The door to the room: one object that knows the folder and hands out the parts."""

from __future__ import annotations

from pathlib import Path

from data_platform.warehouse import layout
from data_platform.warehouse.disk import DiskSpaceStatus, status
from data_platform.warehouse.lock import LockState, TableLock
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.quarantine import Quarantine
from data_platform.warehouse.reader import Reader
from data_platform.warehouse.store import LocalStore, make_folder
from data_platform.warehouse.sweep_lock import SweepLock
from data_platform.warehouse.version_sets import VersionSets, pins, snapshots


class Warehouse:
    """Everything kept under one folder; cheap to make, holds nothing open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = LocalStore(root)

    def reader(self, table: str) -> Reader:
        """The way to a table's published rows."""
        return Reader(self.store, table)

    def manifests(self, table: str) -> Manifests:
        """A table's version history."""
        return Manifests(self.store, table)

    def lock(self, table: str) -> TableLock:
        """A table's lock."""
        return TableLock(self.root / "locks", table)

    def locks(self) -> list[LockState]:
        """Every lock that exists now, held or left behind by a dead writer."""
        states = (self.lock(path.stem).state() for path in sorted((self.root / "locks").glob("*.lock")))
        return [state for state in states if state is not None]

    def tables(self) -> list[str]:
        """The tables that have a folder here, whatever the catalog says."""
        return sorted(path.name for path in (self.root / layout.TABLES).glob("[!.]*") if path.is_dir())

    @property
    def snapshots(self) -> VersionSets:
        """Tags, each for one version of several tables."""
        return snapshots(self.store)

    @property
    def pins(self) -> VersionSets:
        """The versions that backtests used."""
        return pins(self.store)

    @property
    def sweeping(self) -> SweepLock:
        """What keeps published files from being swept while someone writes down that they are needed."""
        return SweepLock(self.root)

    @property
    def quarantine(self) -> Quarantine:
        """What failed validation."""
        return Quarantine(self.root / "quarantine")

    @property
    def staging_root(self) -> Path:
        """Where writers keep unfinished files, each in a folder of its own."""
        return self.root / "staging"

    def disk(self) -> DiskSpaceStatus:
        """How full the warehouse's volume is."""
        make_folder(self.root)
        return status(self.root)
