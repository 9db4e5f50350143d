"""Verification: hash every published file again and name each bad one with every version that depends on it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import layout
from data_platform.warehouse.manifest import FileEntry
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.store import LocalStore

ProblemKind = Literal["manifest", "missing_file", "changed_file", "version_gap", "broken_chain"]


class Problem(BaseModel):
    """One bad object and the versions that need it."""

    model_config = ConfigDict(frozen=True)

    table: str
    kind: ProblemKind
    partition: str | None
    versions: tuple[int, ...]
    message: str


class VerifyReport(BaseModel):
    """What was checked and what is wrong."""

    model_config = ConfigDict(frozen=True)

    table: str
    versions_checked: int
    files_checked: int
    bytes_checked: int
    problems: tuple[Problem, ...]


def verify_table(store: LocalStore, table: str, progress: Callable[[int], None] = lambda _bytes: None) -> VerifyReport:
    """Check every manifest and every file that any version of the table names, each file once.

    `progress` is called with the bytes of each file after it was hashed.
    """
    manifests = Manifests(store, table)
    numbers = manifests.numbers()
    problems = _gaps(table, numbers)
    users: dict[str, list[int]] = defaultdict(list)
    entries: dict[str, FileEntry] = {}
    checksums: dict[int, str] = {}
    for number in numbers:
        try:
            manifest = manifests.load(number)
        except ChecksumMismatchError as error:
            problems.append(_problem(table, "manifest", None, [number], error.message))
            continue
        if number - 1 in checksums and manifest.previous_checksum != checksums[number - 1]:
            message = f"{table}: version {number} does not follow version {number - 1}"
            problems.append(_problem(table, "broken_chain", None, [number], message))
        checksums[number] = manifest.checksum
        for entry in manifest.files:
            users[entry.sha256].append(number)
            entries[entry.sha256] = entry
    checked = 0
    for sha256, entry in entries.items():
        kind = _check(store, entry)
        if kind is not None:
            what = "is gone" if kind == "missing_file" else "has changed"
            message = f"{table}, partition {entry.partition}: the file {sha256[:12]}… {what}"
            problems.append(_problem(table, kind, entry.partition, users[sha256], message))
        checked += entry.bytes
        progress(entry.bytes)
    return VerifyReport(
        table=table,
        versions_checked=len(numbers),
        files_checked=len(entries),
        bytes_checked=checked,
        problems=tuple(problems),
    )


def published_bytes(store: LocalStore, table: str) -> int:
    """How many bytes `verify_table` will hash; damaged manifests count as nothing."""
    manifests = Manifests(store, table)
    sizes: dict[str, int] = {}
    for number in manifests.numbers():
        with suppress(ChecksumMismatchError):
            sizes.update({entry.sha256: entry.bytes for entry in manifests.load(number).files})
    return sum(sizes.values())


def _check(store: LocalStore, entry: FileEntry) -> Literal["missing_file", "changed_file"] | None:
    try:
        with store.path(layout.blob(entry.sha256)).open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "missing_file"
    return None if actual == entry.sha256 else "changed_file"


def _gaps(table: str, numbers: list[int]) -> list[Problem]:
    missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
    return [
        _problem(table, "version_gap", None, [number], f"{table}: the manifest of version {number} is gone")
        for number in missing
    ]


def _problem(
    table: str,
    kind: ProblemKind,
    partition: str | None,
    versions: list[int],
    message: str,
) -> Problem:
    return Problem(table=table, kind=kind, partition=partition, versions=tuple(versions), message=message)
