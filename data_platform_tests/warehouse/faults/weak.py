"""Stores and locks with a fault in them, which the harness must find. Nothing else uses them."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self, cast

from data_platform.warehouse import SyncManifest
from data_platform.warehouse.lock import HeldLock
from data_platform.warehouse.publish import Provenance, publish_partition
from data_platform.warehouse.staging import stage, staging_folder
from data_platform.warehouse.store import LocalStore
from data_platform_tests.warehouse.faults.crowd import keep_writing
from data_platform_tests.warehouse.faults.scenarios import TABLE
from data_platform_tests.warehouse.frames import PASSED, SCHEMA, batch


def without_fsync(operation: Callable[[Path], None], root: Path) -> None:
    """Run an operation whose flushes do nothing; for a process of its own."""
    os.fsync = lambda _descriptor: None  # type: ignore[assignment]
    operation(root)


def in_place(operation: Callable[[Path], None], root: Path) -> None:
    """Run an operation whose objects are written under their final names; for a process of its own."""
    LocalStore.put_if_absent = _put_in_place  # type: ignore[method-assign]
    operation(root)


def _put_in_place(store: LocalStore, key: str, data: bytes) -> bool:
    target = store.path(key)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb", buffering=0) as file:
        file.write(data[:100])
        file.write(data[100:])
        os.fsync(file.fileno())
    return True


class RenamingStore(LocalStore):
    """Puts a version in place by renaming, as one does who trusts in a lock; its disk is slow."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write over whatever is there."""
        time.sleep(0.01)
        self.replace(key, data)
        return True


class AgingLock:
    """A lock file that counts as abandoned after 10 ms. Its taker then moves it away and makes its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """There is no guard."""
        yield

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                self._path.touch(exist_ok=False)
            except FileExistsError:
                with suppress(FileNotFoundError):
                    if time.time() - self._path.stat().st_mtime > 0.01:
                        self._path.rename(self._path.with_suffix(".stale"))
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)


def naive_writer(root: Path, seed: int, pipe: Connection) -> None:
    """Like `writer`, with a lock that ages and versions that are renamed into place."""
    keep_writing(_write_naively, root, seed, pipe)


def _write_naively(root: Path, year: int, *, rows: int, ret: float) -> SyncManifest:
    with (
        AgingLock(root / "locks" / "naive") as lock,
        staging_folder(root / "staging", uuid.uuid4().hex, "naive") as folder,
    ):
        return publish_partition(
            RenamingStore(root),
            cast("HeldLock", lock),
            dataset="crsp",
            table=TABLE,
            partition=str(year),
            staged=stage(iter([batch(year, rows, ret)]), SCHEMA, "date", folder / f"{year}.parquet"),
            provenance=Provenance("test", "fingerprint", None),
            checks=(PASSED,),
        )
