"""What everything that removes published files starts from: all versions of all tables, and the names that keep some.

A root that cannot be read may need any file, so nothing is ever removed beside one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse.manifest import FileEntry, SyncManifest
from data_platform.warehouse.version_sets import VersionSets
from data_platform.warehouse.warehouse import Warehouse

_HINT = "Nothing was removed. Mend it first: data-platform verify --repair"


@dataclass(frozen=True, slots=True)
class Roots:
    """`histories`: every version of each table, oldest first; `names`: what names a version, by table and number."""

    histories: Mapping[str, tuple[SyncManifest, ...]]
    names: Mapping[tuple[str, int], tuple[str, ...]]

    def entries(self) -> Iterator[FileEntry]:
        """Every file that any version names, as often as it is named."""
        return (entry for history in self.histories.values() for manifest in history for entry in manifest.files)


def read_roots(warehouse: Warehouse) -> Roots:
    """Read every manifest, snapshot and pin.

    Raises:
        ChecksumMismatchError: when one of them is damaged or gone, or there is none at all.
    """
    histories = {table: _history(warehouse, table) for table in warehouse.tables()}
    names: dict[tuple[str, int], tuple[str, ...]] = {}
    for sets in (warehouse.snapshots, warehouse.pins):
        for (table, number), name in _named(sets, histories):
            names[table, number] = (*names.get((table, number), ()), name)
    if not any(histories.values()):
        raise ChecksumMismatchError(
            f"There is not one version of a table in {warehouse.root}, so no file can be said to be superfluous.",
            hint="Is DATA_PLATFORM_HOME the right folder? Nothing was removed.",
        )
    return Roots(histories, names)


def _history(warehouse: Warehouse, table: str) -> tuple[SyncManifest, ...]:
    manifests = warehouse.manifests(table)
    missing = manifests.missing_numbers()
    if missing:
        raise ChecksumMismatchError(
            f"The manifest of {table} version {missing[0]} is gone; its files are not known.", hint=_HINT
        )
    try:
        return tuple(manifests)
    except ChecksumMismatchError as error:
        raise ChecksumMismatchError(error.message, hint=_HINT) from error


def _named(
    sets: VersionSets, histories: Mapping[str, tuple[SyncManifest, ...]]
) -> Iterator[tuple[tuple[str, int], str]]:
    try:
        found = sets.all()
    except ChecksumMismatchError as error:
        raise ChecksumMismatchError(error.message, hint=_HINT) from error
    for named in found:
        for table, number in named.versions.items():
            history = histories.get(table, ())
            if number > len(history) or history[number - 1].checksum != named.checksums.get(table):
                raise ChecksumMismatchError(
                    f"The {sets.kind} {named.name} names version {number} of {table}, which is gone or another.",
                    hint=_HINT,
                )
            yield (table, number), f"{sets.kind} {named.name}"
