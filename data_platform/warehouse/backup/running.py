"""Making a backup: what is new travels, then the set that names everything is written."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import layout
from data_platform.warehouse.backup.index import Index
from data_platform.warehouse.backup.objects import OBJECTS, Objects, is_plausible, object_key
from data_platform.warehouse.backup.selecting import Candidate, Finding, select
from data_platform.warehouse.backup.sets import BackupSet, Kind, StoredFile, new_set_id
from data_platform.warehouse.warehouse import Warehouse

Progress = Callable[[int, int], None]
"""Called with the plain bytes sent just now and the number to send in all."""


class BackupReport(BaseModel):
    """What a backup did. Sizes are of plain content; `findings` is what could not be taken from the warehouse."""

    model_config = ConfigDict(frozen=True)

    set_id: str
    kind: Kind
    created_at: dt.datetime
    recipient: str
    files: int
    bytes: int
    sent_files: int
    sent_bytes: int
    seconds: float
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Extras:
    """Files from outside the warehouse that belong into the set, and who owned the records dumped among them."""

    files: tuple[Candidate, ...] = ()
    records_owner: str | None = None


class BackupPlan(BaseModel):
    """What a daily run would send, as far as it is known beforehand; sizes are of plain content."""

    model_config = ConfigDict(frozen=True)

    files: int
    bytes: int
    new_files: int
    new_bytes: int
    findings: tuple[Finding, ...]


def plan(index: Index, warehouse: Warehouse, extras: Extras) -> BackupPlan:
    """Hold the warehouse against the last set and say what is new; nothing is written.

    Raises:
        ConfigurationError, DestinationError: when the place can't be read.
        LockBusyError: when files are being swept for more than a minute.
    """
    findings: list[Finding] = []
    previous = _last_of_this_key(index, findings)
    with warehouse.sweeping.shared():
        selection = select(warehouse, {file.key: file.sha256 for file in previous.files} if previous else {})
    candidates = (*selection.candidates, *extras.files)
    there = {file.sha256 for file in previous.files} if previous else set[str]()
    new = {item.sha256: item.bytes for item in candidates if item.sha256 not in there}
    return BackupPlan(
        files=len(candidates),
        bytes=sum(item.bytes for item in candidates),
        new_files=len(new),
        new_bytes=sum(new.values()),
        findings=(*findings, *selection.findings),
    )


def run(
    objects: Objects, index: Index, warehouse: Warehouse, kind: Kind, extras: Extras, progress: Progress
) -> BackupReport:
    """Back up the warehouse and the extra files. Call it under the backups' lock.

    A daily run trusts the last set about what is there already; a weekly one asks the place for the size of every
    object and sends again what is missing or not whole. Where a file of the warehouse is damaged, the new set keeps
    naming the sound copy that the last one had.

    Raises:
        DestinationError, DiskSpaceError: when the place fails; there is no new set, and the next run continues.
        LockBusyError: when files are being swept for more than a minute.
    """
    started, created_at = time.monotonic(), dt.datetime.now(dt.UTC)
    findings: list[Finding] = []
    previous = _last_of_this_key(index, findings)
    recorded = {file.sha256: file.stored_bytes for file in previous.files} if previous else {}
    there = _Present(objects, recorded, check_all=kind == "weekly")
    with warehouse.sweeping.shared():
        selection = select(warehouse, {file.key: file.sha256 for file in previous.files} if previous else {})
        findings += selection.findings
        findings += _vanished(previous, {item.key for item in (*selection.candidates, *selection.findings)})
        candidates = (*selection.candidates, *extras.files)
        sizes = {item.sha256: there.size(item.sha256, item.bytes) for item in candidates}
        missing = {item.sha256: item for item in candidates if sizes[item.sha256] is None}
        sent = _send(objects, sorted(missing.values(), key=lambda item: item.key), findings, progress)
    sizes |= sent
    files = {
        item.key: StoredFile(key=item.key, sha256=item.sha256, bytes=item.bytes, stored_bytes=size)
        for item in candidates
        if (size := sizes[item.sha256]) is not None
    }
    damaged = {finding.key for finding in findings} | {item.key for item in candidates if item.key not in files}
    carried = _carry_over(previous, damaged, files.keys(), there)
    backup = BackupSet(
        id=new_set_id(kind, created_at),
        kind=kind,
        created_at=created_at,
        platform_version=importlib.metadata.version("data-platform"),
        recipient=objects.keyring.newest.recipient,
        records_owner=extras.records_owner,
        files=(*files.values(), *carried),
        missing=tuple(sorted(damaged - files.keys() - {file.key for file in carried})),
    )
    index.store(backup)
    return BackupReport(
        set_id=backup.id,
        kind=kind,
        created_at=created_at,
        recipient=backup.recipient,
        files=len(backup.files),
        bytes=backup.bytes,
        sent_files=len(sent),
        sent_bytes=sum(missing[sha256].bytes for sha256 in sent),
        seconds=time.monotonic() - started,
        findings=tuple(findings),
    )


class _Present:
    """Which objects are whole at the place, under the newest key."""

    def __init__(self, objects: Objects, recorded: dict[str, int], *, check_all: bool) -> None:
        self._objects = objects
        self._recorded = recorded
        newest = objects.keyring.newest
        self._listed = objects.destination.sizes(f"{OBJECTS}/{newest.name}") if check_all else None

    def size(self, sha256: str, plain_bytes: int) -> int | None:
        """The stored size of a whole object; None when it must be sent."""
        recorded = self._recorded.get(sha256)
        if self._listed is None and recorded is not None:
            return recorded
        key = object_key(self._objects.keyring.newest, sha256)
        # No set names it: a run that was killed before its set may have left it.
        actual = self._objects.destination.size(key) if self._listed is None else self._listed.get(key)
        if actual is None:
            return None
        whole = actual == recorded if recorded is not None else is_plausible(plain_bytes, actual)
        if not whole:
            self._objects.destination.delete(key)
        return actual if whole else None


def _send(
    objects: Objects, candidates: Sequence[Candidate], findings: list[Finding], progress: Progress
) -> dict[str, int]:
    total = sum(item.bytes for item in candidates)
    sent: dict[str, int] = {}
    for item in candidates:
        try:
            sent[item.sha256] = objects.send(item.path, item.sha256, lambda size: progress(size, total))
        except ChecksumMismatchError as error:
            findings.append(Finding(key=item.key, message=error.message))
    return sent


def _carry_over(previous: BackupSet | None, damaged: set[str], taken: Set[str], there: _Present) -> list[StoredFile]:
    """The last set's sound copies of files that are damaged now.

    What only a damaged manifest names can't be known, so with one of those every published file is kept.
    """
    if previous is None:
        return []
    whole = any(_is_lasting(key) for key in damaged)
    kept = (
        file
        for file in previous.files
        if file.key not in taken and (file.key in damaged or (whole and file.key.startswith(f"{layout.BLOBS}/")))
    )
    return [file for file in kept if there.size(file.sha256, file.bytes) is not None]


def _vanished(previous: BackupSet | None, known: set[str]) -> list[Finding]:
    """What is kept for ever and is not there any more, although the last set has it."""
    gone = [file.key for file in previous.files if _is_lasting(file.key) and file.key not in known] if previous else []
    return [Finding(key=key, message=f"{key} is gone; the last backup has it.") for key in gone]


def _is_lasting(key: str) -> bool:
    return key.startswith(f"{layout.TABLES}/")


def _last_of_this_key(index: Index, findings: list[Finding]) -> BackupSet | None:
    """The newest set under the newest key; one that is damaged is found and does without."""
    names = [name for name in index.names() if name.key_name == index.newest_key_name]
    if not names:
        return None
    try:
        return index.load(names[-1].set_id)
    except ChecksumMismatchError as error:
        findings.append(Finding(key=names[-1].set_id, message=error.message))
        return None
