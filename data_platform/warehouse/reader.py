"""Reading: pin one version of a table, then scan exactly its files. Nothing else opens published Parquet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.manifest import FileEntry, SyncManifest
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.store import LocalStore


class NoDataError(UsageError):
    """The table was never synced."""


@dataclass(frozen=True, slots=True)
class PinnedVersion:
    """One version of a table, undisturbed by later publishing for as long as it is held."""

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

        Raises:
            ChecksumMismatchError: when a file is gone or has another size than was published.
        """
        wanted = (
            entry
            for entry in self.manifest.files
            if (partitions is None or entry.partition in partitions)
            and (start is None or entry.max_date >= start)
            and (end is None or entry.min_date <= end)
        )
        return tuple(self._path(entry) for entry in wanted)

    def scan(self) -> pl.LazyFrame:
        """All rows as a lazy frame; a column that an older file lacks is null there."""
        newest = max(self.files, key=lambda path: len(pl.read_parquet_schema(path)))
        schema = pl.scan_parquet(newest).collect_schema()
        return pl.scan_parquet(list(self.files), schema=schema, missing_columns="insert")

    def _path(self, entry: FileEntry) -> Path:
        path = self._store.path(layout.blob(entry.sha256))
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            size = -1
        if size != entry.bytes:
            raise ChecksumMismatchError(
                f"{self.table} version {self.version}, partition {entry.partition}: the stored file is "
                f"{'gone' if size < 0 else 'damaged'}.",
                hint=f"Run `data-platform sync {self.table} --partition {entry.partition} --full` to mend it.",
            )
        return path


class Reader:
    """The way to one table's published rows."""

    def __init__(self, store: LocalStore, table: str) -> None:
        self._store = store
        self._table = table

    def pin(self, version: int | None = None) -> PinnedVersion:
        """Pin a version, or the latest.

        Raises:
            NoDataError: when the table was never synced.
            UsageError: when there is no such version.
            ChecksumMismatchError: when the manifest is damaged.
        """
        manifests = Manifests(self._store, self._table)
        manifest = manifests.latest() if version is None else manifests.load(version)
        if manifest is None:
            raise NoDataError(
                f"No data available in {self._table}: it was never synced.",
                hint=f"Run: data-platform sync {self._table} --all",
            )
        return PinnedVersion(self._table, manifest.manifest_version, manifest, self._store)
