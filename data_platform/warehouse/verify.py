"""Verification: hash every published file again, and name each bad object with everything that depends on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from data_platform.catalog import TABLES
from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.deltas.rebuild import delta_problem
from data_platform.warehouse.integrity import Fault, fault_of
from data_platform.warehouse.manifest import FileEntry, SyncManifest
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.problems import Problem, ProblemKind, VerifyReport
from data_platform.warehouse.schemas import SchemaRegistry
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.version_sets import VersionSets, pins, snapshots
from data_platform.warehouse.warehouse import Warehouse


@dataclass(slots=True)
class _Findings:
    """Collects problems of one table, each with the tags and pins that its versions stand under."""

    table: str
    tags: Mapping[int, tuple[str, ...]]
    pinned: Mapping[int, tuple[str, ...]]
    problems: list[Problem] = field(default_factory=list[Problem])

    def add(self, kind: ProblemKind, key: str, message: str, versions: list[int], entry: FileEntry | None) -> None:
        self.problems.append(
            Problem(
                table=self.table,
                kind=kind,
                key=key,
                partition=entry.partition if entry else None,
                sha256=entry.sha256 if entry else None,
                versions=tuple(versions),
                tags=_names(self.tags, versions),
                pins=_names(self.pinned, versions),
                message=f"{self.table}{message}",
            )
        )


def verify_table(store: LocalStore, table: str, progress: Callable[[int], None] = lambda _bytes: None) -> VerifyReport:
    """Check every manifest, every schema and every file that any version of the table names, each file once.

    A file that retention has dropped is sound when its rows can still be put together. `progress` is called with the
    bytes of each file after it was hashed.
    """
    found = _Findings(table, snapshots(store).by_version(table), pins(store).by_version(table))
    history = Manifests(store, table)
    for number in history.missing_numbers():
        found.add(
            "version_gap", layout.version(table, number), f": the manifest of version {number} is gone", [number], None
        )
    numbers = history.numbers()
    manifests = _readable(store, table, numbers, found)
    _check_schemas(store, manifests, found)
    users: dict[str, list[int]] = defaultdict(list)
    entries: dict[str, FileEntry] = {}
    for manifest in manifests:
        for entry in manifest.files:
            users[entry.sha256].append(manifest.manifest_version)
            entries[entry.sha256] = entry
    for sha256, entry in entries.items():
        _check_file(store, entry, users[sha256], found)
        progress(entry.bytes)
    return VerifyReport(
        table=table,
        versions_checked=len(numbers),
        files_checked=len(entries),
        bytes_checked=sum(entry.bytes for entry in entries.values()),
        problems=tuple(found.problems),
    )


def tables_to_verify(warehouse: Warehouse) -> list[str]:
    """Every table of the catalog, and those that have left it: damage in their files stops retention all the same."""
    return list(dict.fromkeys([*TABLES, *warehouse.tables()]))


def verify_tables(
    store: LocalStore,
    tables: Iterable[str],
    *,
    with_names: bool,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> list[VerifyReport]:
    """Verify tables one by one, and with `with_names` the tags and pins over all of them."""
    reports = [verify_table(store, table, progress) for table in tables]
    return [*reports, verify_names(store)] if with_names else reports


def verify_names(store: LocalStore) -> VerifyReport:
    """Check every tag and pin: can it be read, and does what it names have the checksum that it promised?"""
    problems: list[Problem] = []
    checked = 0
    for sets in (snapshots(store), pins(store)):
        for name in sets.names():
            checked += 1
            problems += _problems_of_name(store, sets, name)
    return VerifyReport(table="", versions_checked=0, files_checked=checked, bytes_checked=0, problems=tuple(problems))


def published_bytes(store: LocalStore, table: str) -> int:
    """How many bytes `verify_table` will report as hashed; damaged manifests count as nothing."""
    manifests = Manifests(store, table)
    sizes: dict[str, int] = {}
    for number in manifests.numbers():
        with suppress(ChecksumMismatchError):
            sizes.update({entry.sha256: entry.bytes for entry in manifests.load(number).files})
    return sum(sizes.values())


def _readable(store: LocalStore, table: str, numbers: list[int], found: _Findings) -> list[SyncManifest]:
    manifests = Manifests(store, table)
    readable: list[SyncManifest] = []
    for number in numbers:
        key = layout.version(table, number)
        try:
            manifest = manifests.load(number)
        except ChecksumMismatchError as error:
            found.add("manifest", key, f": {error.message}", [number], None)
            continue
        before = readable[-1] if readable else None
        followed = {before.checksum, None} if before and before.manifest_version == number - 1 else None
        # None: it was published when the manifest before it was lost.
        if followed is not None and manifest.previous_checksum not in followed:
            found.add("broken_chain", key, f": version {number} does not follow version {number - 1}", [number], None)
        readable.append(manifest)
    return readable


def _check_schemas(store: LocalStore, manifests: list[SyncManifest], found: _Findings) -> None:
    users: dict[tuple[str, str], list[int]] = defaultdict(list)
    for manifest in manifests:
        users[manifest.dataset, manifest.schema_version].append(manifest.manifest_version)
    for (dataset, version), numbers in users.items():
        try:
            SchemaRegistry(store, dataset, found.table).load(version)
        except ChecksumMismatchError as error:
            found.add("schema", layout.schema(found.table, version), f": {error.message}", numbers, None)


def _check_file(store: LocalStore, entry: FileEntry, versions: list[int], found: _Findings) -> None:
    fault = fault_of(store, entry, trust_notes=False)
    if fault is None:
        return
    dropped = delta_problem(store, entry.sha256)
    where, short = f", partition {entry.partition}", f"{entry.sha256[:12]}…"
    if dropped is None:
        if fault is Fault.CHANGED:  # one that is gone was dropped
            message = f"{where}: the file {short} has changed; its rows are put together from later files"
            found.add("changed_file", layout.blob(entry.sha256), message, versions, entry)
        return
    if store.exists(layout.delta(entry.sha256)):
        message = f"{where}: the dropped file {short} cannot be put together: {dropped}"
        found.add("delta", layout.delta(entry.sha256), message, versions, entry)
        return
    what = "is gone" if fault == "missing_file" else "has changed"
    found.add(fault.value, layout.blob(entry.sha256), f"{where}: the file {short} {what}", versions, entry)


def _names(by_version: Mapping[int, tuple[str, ...]], versions: list[int]) -> tuple[str, ...]:
    return tuple(sorted({name for number in versions for name in by_version.get(number, ())}))


def _problems_of_name(store: LocalStore, sets: VersionSets, name: str) -> list[Problem]:
    tags, pinned = ((name,), ()) if sets.kind == "snapshot" else ((), (name,))
    try:
        named = sets.get(name)
    except (ChecksumMismatchError, UsageError) as error:
        kind: ProblemKind = "snapshot" if sets.kind == "snapshot" else "pin"
        return [Problem(table="", kind=kind, key=sets.key(name), tags=tags, pins=pinned, message=error.message)]
    problems: list[Problem] = []
    for table, number in named.versions.items():
        manifests = Manifests(store, table)
        key, promise = layout.version(table, number), f"The {sets.kind} {name} names version {number} of {table}"
        found: tuple[ProblemKind, str] | None = None
        try:
            if manifests.load(number).checksum != named.checksums.get(table):
                found = "other_files", f"{promise}, which has other files than it had"
        except UsageError:
            found = "version_gap", f"{promise}, whose manifest is gone"
        except ChecksumMismatchError:
            continue  # reported with its table
        if found is not None:
            problems.append(
                Problem(
                    table=table, kind=found[0], key=key, versions=(number,), tags=tags, pins=pinned, message=found[1]
                )
            )
    return problems
