"""Quarantine: what failed validation is kept aside with its reason, and never becomes a version."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from data_platform.errors import QuarantineError, UsageError
from data_platform.warehouse.store import TEMPORARY, fsync_path, make_folder, no_space_is_clear, temporary_beside

KEPT_FOR: Final = dt.timedelta(days=7)
_REASON: Final = "reason.json"
_LEFT_BEHIND_SECONDS: Final = 3600.0
_log = logging.getLogger(__name__)


class QuarantineEntry(BaseModel):
    """Why a partition was set aside. `findings` are sentences without licensed values; `files` lie beside it.

    `source_rows` is how many rows the source said it had, `query_hash` that of the query that was sent to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    entry_id: str
    dataset: str
    table: str
    partition: str
    created_at: dt.datetime
    findings: tuple[str, ...]
    source: str
    source_fingerprint: str
    row_count: int | None
    source_rows: int | None = None
    query_hash: str | None = None
    files: tuple[str, ...]


class Quarantine:
    """The folder `quarantine/<table>/<entry>/`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, entry: QuarantineEntry, *, moved: Mapping[str, Path], written: Mapping[str, bytes]) -> Path:
        """Keep files (moved here) and bytes under an entry; it appears whole or not at all."""
        target = self._root / entry.table / entry.entry_id
        building = temporary_beside(target)
        try:
            with no_space_is_clear(target):
                make_folder(building)
                for name, path in moved.items():
                    path.rename(building / name)
                for name, data in {**written, _REASON: entry.model_dump_json(indent=1).encode()}.items():
                    with (building / name).open("xb") as file:
                        file.write(data)
                        file.flush()
                        os.fsync(file.fileno())
                fsync_path(building)
                building.rename(target)
                fsync_path(target.parent)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        return target

    def entries(self, table: str | None = None) -> list[QuarantineEntry]:
        """All readable entries, newest first; one that cannot be read is logged and passed over."""
        pattern = f"{table or '*'}/[!.]*/{_REASON}"
        found: list[QuarantineEntry] = []
        for path in self._root.glob(pattern):
            try:
                found.append(_load(path))
            except QuarantineError as error:
                _log.warning("%s", error)
        return sorted(found, key=lambda entry: entry.created_at, reverse=True)

    def get(self, entry_id: str) -> QuarantineEntry:
        """One entry by its id.

        Raises:
            UsageError: when there is none of that id.
        """
        for entry in self.entries():
            if entry.entry_id == entry_id:
                return entry
        raise no_such_entry(entry_id)

    def delete(self, entry: QuarantineEntry) -> None:
        """Remove an entry and its files; interrupted, what is left of it is no entry any more."""
        folder = self.folder(entry)
        leaving = temporary_beside(folder)
        folder.rename(leaving)
        try:
            with no_space_is_clear(folder):
                fsync_path(folder.parent)
        finally:
            shutil.rmtree(leaving)

    def sweep(self) -> None:
        """Remove what interrupted additions and deletions left behind more than an hour ago."""
        for folder in self._root.glob(f"*/{TEMPORARY}*"):
            if time.time() - folder.stat().st_mtime > _LEFT_BEHIND_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def folder(self, entry: QuarantineEntry) -> Path:
        """Where an entry's files lie."""
        return self._root / entry.table / entry.entry_id


def expired(entries: Iterable[QuarantineEntry], now: dt.datetime) -> list[QuarantineEntry]:
    """The entries that have been there for longer than seven days. Pure."""
    return [entry for entry in entries if now - entry.created_at > KEPT_FOR]


def no_such_entry(entry_id: str) -> UsageError:
    """The answer to an id that does not exist, or that the caller may not know of."""
    return UsageError(f"No quarantine entry {entry_id!r}.", hint="See: data-platform quarantine list")


def entry_id(now: dt.datetime) -> str:
    """The id of an entry made at `now` (UTC): sortable, precise to the microsecond."""
    return f"{now:%Y%m%dT%H%M%S.%fZ}"


def _load(path: Path) -> QuarantineEntry:
    try:
        return QuarantineEntry.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise QuarantineError(
            f"Quarantine entry {path.parent.name} of {path.parent.parent.name} cannot be read.",
            hint=f"Look at {path.parent} and remove it when it is not needed.",
        ) from None
