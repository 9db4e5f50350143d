"""Reading: pin one version of a table, then scan exactly its files. Nothing else opens published Parquet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.as_of import AsOf, version_at
from data_platform.warehouse.deltas.rebuild import rebuild
from data_platform.warehouse.integrity import Fault, fault_of
from data_platform.warehouse.manifest import FileEntry, SyncManifest
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.store import LocalStore


class NoDataError(UsageError):
    """The table was never synced."""


@dataclass(frozen=True, slots=True)
class PinnedVersion:
    """One version of a table, undisturbed by later publishing for as long as it is held.

    Retention may replace the files of a version that expired while it is read; whoever reads such a version for long
    holds `Warehouse.sweeping.shared()` meanwhile, or tags it first.
    """

    table: str
    version: int
    manifest: SyncManifest
    _store: LocalStore

    @property
    def row_count(self) -> int:
        """Rows in this version."""
        return self.manifest.row_count

    @property
    def files(self) -> tuple[Path, ...]:
        """The Parquet files of every partition, in partition order."""
        return self.paths()

    def paths(
        self,
        *,
        partitions: frozenset[str] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
    ) -> tuple[Path, ...]:
        """The files that can hold rows of these partitions and of the dates from `start` to `end` inclusive.

        A file without dates can hold rows of any.

        A file that retention has dropped is put together again. A damaged file stops the reading of its partition
        only; others can be asked for.

        Raises:
            ChecksumMismatchError: when a file that is asked for is gone or changed and cannot be put together.
        """
        wanted = (
            entry
            for entry in self.manifest.files
            if (partitions is None or entry.partition in partitions)
            and (start is None or entry.max_date is None or entry.max_date >= start)
            and (end is None or entry.min_date is None or entry.min_date <= end)
        )
        return tuple(file_of(self._store, self.table, self.version, entry) for entry in wanted)

    def scan(
        self,
        *,
        partitions: frozenset[str] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
    ) -> pl.LazyFrame:
        """The rows of the files that `paths` gives, as a lazy frame; a column that an older file lacks is null there.

        Raises:
            ChecksumMismatchError: as `paths` does.
            NoDataError: when no file is left.
        """
        files = self.paths(partitions=partitions, start=start, end=end)
        if not files:
            raise NoDataError(f"{self.table} version {self.version} has no rows of what was asked for.")
        newest = max(files, key=lambda path: len(pl.read_parquet_schema(path)))
        schema = pl.scan_parquet(newest).collect_schema()
        return pl.scan_parquet(list(files), schema=schema, missing_columns="insert")


def file_of(store: LocalStore, table: str, version: int, entry: FileEntry) -> Path:
    """A sound file with the rows of a manifest's entry: the published one, or one put together from later ones.

    Raises:
        ChecksumMismatchError: when there is neither.
    """
    fault = fault_of(store, entry)
    if fault is None:
        return store.path(layout.blob(entry.sha256))
    why = ""
    try:
        path = rebuild(store, entry.sha256)
        if path is not None:
            return path
    except ChecksumMismatchError as error:
        why = f" ({error.message.rstrip('.')})"
    marked = store.exists(layout.damage(entry.sha256))
    raise ChecksumMismatchError(
        f"{table} version {version}, partition {entry.partition}: the stored file is "
        f"{'gone' if fault is Fault.GONE else 'damaged'}{' and could not be mended' if marked else ''}{why}; "
        "other partitions can be read.",
        hint=_mend_hint(store, table, entry, marked=marked),
    )


def _mend_hint(store: LocalStore, table: str, entry: FileEntry, *, marked: bool) -> str:
    latest = Manifests(store, table).last_sound()
    if latest is not None and latest.file(entry.partition) == entry:
        fetch = f"Run `data-platform sync {table} --partition {entry.partition} --full` to fetch it again"
        return f"{fetch}." if marked else f"{fetch}, or `data-platform verify {table} --repair` to mend it from a copy."
    return f"Run `data-platform verify {table} --repair` to mend it from a copy; the latest version does not need it."


class Reader:
    """The way to one table's published rows."""

    def __init__(self, store: LocalStore, table: str) -> None:
        self._store = store
        self._table = table

    def pin(self, as_of: AsOf | int | None = None) -> PinnedVersion:
        """Pin the latest version, or the one that a number, a tag or a moment means.

        Raises:
            NoDataError: when the table was never synced.
            UsageError: when there is no such version.
            ChecksumMismatchError: when the manifest is damaged.
        """
        manifests = Manifests(self._store, self._table)
        if as_of is None or manifests.latest_number() == 0:
            manifest = manifests.latest()
        else:
            wanted = AsOf(version=as_of) if isinstance(as_of, int) else as_of
            manifest = manifests.load(version_at(self._store, self._table, wanted))
        if manifest is None:
            raise NoDataError(
                f"No data available in {self._table}: it was never synced.",
                hint=f"Run: data-platform sync {self._table} --all",
            )
        return PinnedVersion(self._table, manifest.manifest_version, manifest, self._store)
