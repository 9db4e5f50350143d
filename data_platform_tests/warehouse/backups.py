"""Shortcuts for the tests of backups: places, keys, a warehouse worth losing, and an end at any step."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING

from data_platform.warehouse import Warehouse
from data_platform.warehouse.backup.backups import Backups
from data_platform.warehouse.backup.destination import Destination
from data_platform.warehouse.backup.keys import make_key, parse_keyring
from data_platform.warehouse.backup.running import BackupReport, Extras
from data_platform.warehouse.backup.selecting import Candidate, candidate
from data_platform.warehouse.backup.sets import Kind
from data_platform_tests.warehouse.frames import batch, publish

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = Extras()


def new_key() -> str:
    """A secret identity."""
    return make_key()[0]


def place(kind: str, folder: Path) -> str:
    """The URL of an empty place of that protocol."""
    return f"file://{folder}/place" if kind == "file" else f"memory://{uuid.uuid4().hex}/place"


def backups_at(url: str, home: Path, *keys: str) -> Backups:
    """The backups at a URL under these secret keys, newest first."""
    return Backups(Destination.at(url), parse_keyring(",".join(keys)), home)


def run(backups: Backups, warehouse: Warehouse, kind: Kind = "daily", extras: Extras = NOTHING) -> BackupReport:
    """One backup, under the lock."""
    with backups.exclusive():
        return backups.run(warehouse, kind, extras)


def filled(home: Path) -> Warehouse:
    """Two tables, three versions of the first, a tag and a pin."""
    warehouse = Warehouse(home / "warehouse")
    publish(warehouse, "t", "2023", batch(2023))
    publish(warehouse, "t", "2024", batch(2024))
    publish(warehouse, "t", "2023", batch(2023, ret=0.02))
    publish(warehouse, "u", "2024", batch(2024, rows=5))
    warehouse.snapshots.create("paper", {"t": 2, "u": 1}, created_by="tests")
    warehouse.pins.create("backtest-1", {"t": 1}, created_by="tests")
    return warehouse


def facts(warehouse: Warehouse) -> dict[str, bytes]:
    """Every file of a warehouse that a backup must hold, by key."""
    root = warehouse.root
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in ("blobs", "tables", "snapshots", "pins", "deltas", "damaged")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and path.name != "latest" and path.parent.name != ".twins"
    }


def dump_like(folder: Path, content: bytes = b"a dump") -> Candidate:
    """A file from outside the warehouse."""
    path = folder / f"{uuid.uuid4().hex}.dump"
    path.write_bytes(content)
    return candidate("restored/platform.dump", path)


class Ended(BaseException):
    """What a step is interrupted with; like a kill, nothing on the way up handles it."""


class EndingDestination(Destination):
    """A real place whose writer ends for good before its n-th change; counts the changes."""

    changes = 0
    end_before: int | None = None

    def write(self, key: str, fill: Callable[[IO[bytes]], None]) -> None:
        self._step()
        super().write(key, fill)

    def delete(self, key: str) -> None:
        self._step()
        super().delete(key)

    def _step(self) -> None:
        if self.changes == self.end_before:
            raise Ended
        self.changes += 1
