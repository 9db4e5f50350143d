"""Which versions expire, and which later file each of their files is derived from. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from data_platform.warehouse.manifest import FileEntry, SyncManifest
from data_platform.warehouse.retention.roots import Roots

KEEP_DAYS: Final = 90


class Verdict(BaseModel):
    """Whether a version's files are still kept as they were published, and why."""

    model_config = ConfigDict(frozen=True)

    table: str
    version: int
    published_at: dt.datetime
    superseded_at: dt.datetime | None
    expires: bool
    reason: str


class Expiring(BaseModel):
    """A file that only expired versions need, with what its rows may be derived from: later files, nearest first."""

    model_config = ConfigDict(frozen=True)

    table: str
    entry: FileEntry
    later: tuple[FileEntry, ...]


def judge_versions(
    history: Sequence[SyncManifest], names: Mapping[int, Sequence[str]], *, now: dt.datetime, keep_days: int = KEEP_DAYS
) -> list[Verdict]:
    """Judge each version of one table, oldest first.

    A version expires `keep_days` after it was superseded, that is after the next one was published: so what was the
    latest version on any of these days is still there. The latest never expires, nor does one that has a name.
    """
    following = [*(manifest.sync_timestamp for manifest in history[1:]), None]
    return [
        _verdict(manifest, superseded, names.get(manifest.manifest_version, ()), now, keep_days)
        for manifest, superseded in zip(history, following, strict=True)
    ]


def judge_all(roots: Roots, *, now: dt.datetime, keep_days: int = KEEP_DAYS) -> list[Verdict]:
    """Judge every version of every table."""
    return [
        verdict
        for table, history in sorted(roots.histories.items())
        for verdict in judge_versions(
            history,
            {number: found for (named, number), found in roots.names.items() if named == table},
            now=now,
            keep_days=keep_days,
        )
    ]


def expiring_files(roots: Roots, verdicts: Sequence[Verdict]) -> list[Expiring]:
    """The files that expired versions need and no kept version of any table does, in the order of their last use.

    The same content may be used by several tables, partitions or versions; it appears once.
    """
    expired = {(verdict.table, verdict.version) for verdict in verdicts if verdict.expires}
    needed = {
        entry.sha256
        for table, history in roots.histories.items()
        for manifest in history
        if (table, manifest.manifest_version) not in expired
        for entry in manifest.files
    }
    found: dict[str, Expiring] = {}
    for table, history in sorted(roots.histories.items()):
        for partition in sorted({entry.partition for manifest in history for entry in manifest.files}):
            states = _states(history, partition)
            for index, entry in enumerate(states):
                if entry.sha256 not in needed and entry.sha256 not in found:
                    found[entry.sha256] = Expiring(table=table, entry=entry, later=tuple(states[index + 1 :]))
    return list(found.values())


def _states(history: Sequence[SyncManifest], partition: str) -> list[FileEntry]:
    """The different files that a partition has had, in the order in which each was used for the last time."""
    last_use: dict[str, FileEntry] = {}
    for manifest in history:
        entry = manifest.file(partition)
        if entry is not None:
            last_use.pop(entry.sha256, None)
            last_use[entry.sha256] = entry
    return list(last_use.values())


def _verdict(
    manifest: SyncManifest, superseded: dt.datetime | None, names: Sequence[str], now: dt.datetime, keep_days: int
) -> Verdict:
    expires = False
    if superseded is None:
        reason = "the latest version"
    elif names:
        reason = f"kept by {', '.join(names)}"
    else:
        days = (now - superseded).days
        expires = days >= keep_days
        reason = f"superseded {days} days ago" + ("" if expires else f", kept for {keep_days}")
    return Verdict(
        table=manifest.table,
        version=manifest.manifest_version,
        published_at=manifest.sync_timestamp,
        superseded_at=superseded,
        expires=expires,
        reason=reason,
    )
