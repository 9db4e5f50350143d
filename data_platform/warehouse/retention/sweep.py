"""Garbage collection: what nothing needs, left behind by crashes, by rebuilding and by retention.

It works on hashes, never on paths, and starts from every manifest, snapshot and pin; where one cannot be read it does
nothing. A published file that any manifest names, of an expired version or not, is never touched: retention alone
replaces those. Publishers hold the sweep lock shared from placing a file until a manifest names it, so a file that no
manifest names while we hold it exclusively belongs to nobody; the hour of grace is for people who look into a crash.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from data_platform.warehouse import layout
from data_platform.warehouse.deltas.rebuild import delta_problem
from data_platform.warehouse.integrity import open_sound
from data_platform.warehouse.retention.roots import read_roots
from data_platform.warehouse.store import TEMPORARY, LocalStore, fsync_path, no_space_is_clear
from data_platform.warehouse.trash import TrashedFile, delete_trashed, move_to_trash, new_run, trashed
from data_platform.warehouse.warehouse import Warehouse

UNFINISHED_AGE: Final = dt.timedelta(hours=1)
REBUILT_AGE: Final = dt.timedelta(days=7)
TRASH_AGE: Final = dt.timedelta(days=7)
_FOLDERS: Final = (
    layout.BLOBS,
    layout.TABLES,
    layout.DELTAS,
    layout.REBUILT,
    layout.DAMAGED,
    layout.SNAPSHOTS,
    layout.PINS,
)
_PARQUET: Final = re.compile(r"([0-9a-f]{64})\.parquet")

Kind = Literal["unnamed file", "unfinished file", "rebuilt file", "trashed file", "stale note"]


class Garbage(BaseModel):
    """Something that nothing needs. `kept` says why it stays nevertheless; an unnamed file goes to the trash first."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str
    bytes: int
    kept: str = ""


class SweepReport(BaseModel):
    """What a sweep removed, or in a dry run would remove; `bytes_freed` leaves out what only went to the trash."""

    model_config = ConfigDict(frozen=True)

    dry_run: bool
    garbage: tuple[Garbage, ...]
    files_removed: int
    bytes_freed: int


def plan_sweep(warehouse: Warehouse, *, now: dt.datetime | None = None) -> SweepReport:
    """Say what `sweep` would do; nothing is written.

    Raises:
        ChecksumMismatchError: when a manifest, snapshot or pin cannot be read, or there is no version at all.
    """
    found = _garbage(warehouse, now or dt.datetime.now(dt.UTC))
    return _report([garbage for garbage, _ in found], dry_run=True)


def sweep(warehouse: Warehouse, *, now: dt.datetime | None = None) -> SweepReport:
    """Remove what nothing needs.

    Raises:
        ChecksumMismatchError: as `plan_sweep` does; nothing is removed.
        LockBusyError: when publishers leave no room; nothing is removed.
    """
    now = now or dt.datetime.now(dt.UTC)
    run = new_run(now)
    done: list[Garbage] = []
    with warehouse.sweeping.exclusive():
        for garbage, remove in list(_garbage(warehouse, now)):
            if not garbage.kept:
                remove(run)
            done.append(garbage)
    return _report(done, dry_run=False)


Removal = Callable[[str], None]


def _garbage(warehouse: Warehouse, now: dt.datetime) -> Iterator[tuple[Garbage, Removal]]:
    store = warehouse.store
    roots = read_roots(warehouse)
    named = {entry.sha256 for entry in roots.entries()}
    yield from _unnamed(store, named, now)
    for folder in _FOLDERS:
        for path in sorted(store.path(folder).rglob(f"{TEMPORARY}*")):
            if path.is_file() and _age(path, now) >= UNFINISHED_AGE:
                yield from _plain("unfinished file", path, str(path.relative_to(store.root)))
    for path in sorted(store.path(layout.REBUILT).glob("*/*.parquet")):
        note = store.path(layout.rebuilt_note(path.stem))
        if not path.name.startswith(TEMPORARY) and min(_age(path, now), _age(note, now)) >= REBUILT_AGE:
            yield from _plain("rebuilt file", path, path.stem, note)
    for path in sorted(store.path(layout.REBUILT).glob("*/*.sound")):
        if not store.exists(layout.rebuilt(path.stem)):
            yield from _plain("stale note", path, path.stem)
    for path in sorted(store.path(layout.SOUND).glob("*/*")):
        if not store.exists(layout.blob(path.name)):
            yield from _plain("stale note", path, path.name)
    yield from _trash(store, named, now)


def _unnamed(store: LocalStore, named: set[str], now: dt.datetime) -> Iterator[tuple[Garbage, Removal]]:
    for folder in sorted(store.path(layout.BLOBS).glob("*")):
        for key in store.list(f"{layout.BLOBS}/{folder.name}"):
            path = store.path(key)
            match = _PARQUET.fullmatch(path.name)
            if match is None or key != layout.blob(match[1]) or match[1] in named:
                continue
            if _age(path, now) >= UNFINISHED_AGE:
                sha256 = match[1]
                with suppress(FileNotFoundError):
                    garbage = Garbage(kind="unnamed file", name=sha256, bytes=path.stat().st_size)
                    yield garbage, lambda run, sha256=sha256: move_to_trash(store, sha256, run)


def _trash(store: LocalStore, named: set[str], now: dt.datetime) -> Iterator[tuple[Garbage, Removal]]:
    for file in trashed(store):
        if now - file.trashed_at >= TRASH_AGE:
            kept = _still_needed(store, file, named)
            with suppress(FileNotFoundError):  # deleted by another run while this one only looks
                garbage = Garbage(kind="trashed file", name=file.sha256, bytes=file.path.stat().st_size, kept=kept)
                yield garbage, lambda _run, file=file: delete_trashed(file)


def _still_needed(store: LocalStore, file: TrashedFile, named: set[str]) -> str:
    """Why the rows of a file in the trash would be lost with it; empty when they would not be."""
    if file.sha256 not in named:
        return ""
    published = open_sound(store.path(layout.blob(file.sha256)), file.sha256)
    if published is not None:
        published.close()
        return ""
    return delta_problem(store, file.sha256) or ""


def _plain(kind: Kind, path: Path, name: str, *notes: Path) -> Iterator[tuple[Garbage, Removal]]:
    """A file to be unlinked with the notes on it; nothing when its owner took it away meanwhile."""

    def remove(_run: str) -> None:
        with no_space_is_clear(path):
            for file in (path, *notes):
                file.unlink(missing_ok=True)
            fsync_path(path.parent)

    with suppress(FileNotFoundError):
        yield Garbage(kind=kind, name=name, bytes=path.stat().st_size), remove


def _age(path: Path, now: dt.datetime) -> dt.timedelta:
    """How long ago a file was changed; beyond all measure when there is none."""
    try:
        return now - dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    except FileNotFoundError:
        return dt.timedelta.max


def _report(garbage: list[Garbage], *, dry_run: bool) -> SweepReport:
    going = [item for item in garbage if not item.kept]
    return SweepReport(
        dry_run=dry_run,
        garbage=tuple(garbage),
        files_removed=len(going),
        bytes_freed=sum(item.bytes for item in going if item.kind != "unnamed file"),
    )
