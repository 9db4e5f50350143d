"""What in the warehouse needs a person: each condition is found by looking, and is gone when its cause is."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import layout
from data_platform.warehouse.heartbeat import HEARTBEAT_SECONDS
from data_platform.warehouse.integrity import marks
from data_platform.warehouse.lock import LockState
from data_platform.warehouse.manifest import FileEntry
from data_platform.warehouse.quarantine import KEPT_FOR
from data_platform.warehouse.warehouse import Warehouse

_NAMED: Final = 5
_SILENT_AFTER: Final = dt.timedelta(seconds=3 * HEARTBEAT_SECONDS)


class Condition(BaseModel):
    """Something to look at. `table` is None where none is concerned; `hint` is what to do."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["lock_suspect", "lock_silent", "quarantine", "disk", "damaged", "missing_file"]
    severity: Literal["warning", "error"]
    table: str | None
    message: str
    hint: str


def conditions(warehouse: Warehouse, now: dt.datetime) -> list[Condition]:
    """Everything that needs a person now; `now` is UTC."""
    locks = [found for state in warehouse.locks() if (found := lock_condition(state, now)) is not None]
    return [*_disk(warehouse), *file_conditions(warehouse), *locks, *_quarantine(warehouse, now)]


def file_conditions(warehouse: Warehouse) -> list[Condition]:
    """What the latest versions name and is damaged or gone. Files are looked for, none is read."""
    return [*_damaged(warehouse), *_missing(warehouse)]


def lock_condition(state: LockState, now: dt.datetime) -> Condition | None:
    """What is odd about a lock: held for too long, or its living owner shows no sign of life. Pure.

    Neither breaks a lock: the kernel says that its owner lives, and a person may know why it is slow.
    """
    if not state.alive or state.token is None:
        return None  # the next writer takes it over
    release = f"When it is surely stuck: data-platform lock release {state.table} {state.token.writer_id}"
    if now > state.token.expires_at:
        message = f"{state.table} has been locked for more than four hours by {state.token.owner()}"
        return Condition(kind="lock_suspect", severity="warning", table=state.table, message=message, hint=release)
    if now - state.heartbeat_at > _SILENT_AFTER:
        message = (
            f"{state.table} is locked by {state.token.owner()}, which has given no sign of life since "
            f"{state.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC"
        )
        return Condition(kind="lock_silent", severity="warning", table=state.table, message=message, hint=release)
    return None


def _disk(warehouse: Warehouse) -> list[Condition]:
    disk = warehouse.disk()
    if disk.level == "ok":
        return []
    return [
        Condition(
            kind="disk",
            severity="error" if disk.level == "critical" else "warning",
            table=None,
            message=f"The disk of {warehouse.root} is filling up: {disk.message}",
            hint="Syncs are refused from 95 %. See: data-platform retention --dry-run, data-platform gc --dry-run",
        )
    ]


def _damaged(warehouse: Warehouse) -> list[Condition]:
    """Damaged files that the latest version needs; earlier ones can't be fetched again, `verify` names them."""
    marked = {str(mark["sha256"]) for mark in marks(warehouse.store)}
    lost = [found for table in warehouse.tables() if (found := _lost_latest(warehouse, table)) is not None]
    return lost + [
        Condition(
            kind="damaged",
            severity="error",
            table=table,
            message=f"{table}, partition {entry.partition}: the published file is damaged and could not be mended",
            hint=f"Fetch it again: data-platform sync {table} --partition {entry.partition} --full",
        )
        for table in (warehouse.tables() if marked else [])
        for entry in _latest_files(warehouse, table)
        if entry.sha256 in marked
    ]


def _missing(warehouse: Warehouse) -> list[Condition]:
    """Files that the latest version needs and that are not there; those marked as damaged are named already."""
    marked = {str(mark["sha256"]) for mark in marks(warehouse.store)}
    found: list[Condition] = []
    for table in warehouse.tables():
        gone = [
            entry.partition
            for entry in _latest_files(warehouse, table)
            if entry.sha256 not in marked and not warehouse.store.exists(layout.blob(entry.sha256))
        ]
        if gone:
            more = f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
            found.append(
                Condition(
                    kind="missing_file",
                    severity="error",
                    table=table,
                    message=f"{table}: {len(gone)} files of the latest version are gone, of partitions "
                    f"{', '.join(gone[:_NAMED])}{more}",
                    hint=f"Mend it: data-platform verify {table} --repair",
                )
            )
    return found


def _lost_latest(warehouse: Warehouse, table: str) -> Condition | None:
    try:
        warehouse.manifests(table).latest()
    except ChecksumMismatchError as error:
        return Condition(
            kind="damaged",
            severity="error",
            table=table,
            message=error.message.rstrip("."),
            hint=f"Mend it: data-platform verify {table} --repair",
        )
    return None


def _latest_files(warehouse: Warehouse, table: str) -> tuple[FileEntry, ...]:
    manifest = warehouse.manifests(table).last_sound()
    return manifest.files if manifest else ()


def _quarantine(warehouse: Warehouse, now: dt.datetime) -> list[Condition]:
    by_table: dict[str, list[dt.datetime]] = {}
    for entry in warehouse.quarantine.entries():
        by_table.setdefault(entry.table, []).append(entry.created_at)
    return [
        Condition(
            kind="quarantine",
            severity="warning",
            table=table,
            message=f"{table}: {len(times)} in quarantine, the oldest for {(now - min(times)).days} days",
            hint=f"See: data-platform quarantine list {table}; entries go after {KEPT_FOR.days} days",
        )
        for table, times in sorted(by_table.items())
    ]
