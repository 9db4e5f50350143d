"""The schema registry: which columns each published schema version had, and how a new schema compares.

Versions are ``major.minor.patch``. New columns are accepted and bump the minor version; a column that is gone or has
another type is refused before anything is published.
"""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, ValidationError

from data_platform.catalog.drift import compare
from data_platform.errors import ChecksumMismatchError, SchemaError
from data_platform.warehouse import layout
from data_platform.warehouse.manifest import SyncManifest
from data_platform.warehouse.store import ObjectStore

FIRST_VERSION = "1.0.0"


class DatasetSchema(BaseModel):
    """One registered schema: column names and Arrow types, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    table: str
    version: str
    columns: dict[str, str]
    created_at: dt.datetime
    description: str = ""


class SchemaRegistry:
    """The registered schemas of one table. Only those that a manifest names count; call `register` under the guard."""

    def __init__(self, store: ObjectStore, dataset: str, table: str) -> None:
        self._store = store
        self._dataset = dataset
        self._table = table

    def load(self, version: str) -> DatasetSchema:
        """The schema of a version.

        Raises:
            ChecksumMismatchError: when its file is gone or damaged.
        """
        key = layout.schema(self._table, version)
        try:
            return DatasetSchema.model_validate_json(self._store.get(key))
        except (FileNotFoundError, ValidationError):
            raise ChecksumMismatchError(f"The schema file {key} is gone or damaged.") from None

    def register(self, columns: dict[str, str], *, after: str | None, now: dt.datetime) -> str:
        """Return the version under which these columns are published; `after` is the latest manifest's version.

        Raises:
            SchemaError: when columns are gone or have another type than in `after`.
            ChecksumMismatchError: when the schema file of `after` is gone or damaged.
        """
        version = FIRST_VERSION
        if after is not None:
            drift = compare(self.load(after).columns, columns)
            if drift.is_breaking:
                raise SchemaError(
                    f"{self._table}: the schema changed in a way that breaks readers: {drift.breaks()}.",
                    hint="Nothing was published. Restore the columns in the catalog, or publish under a new table.",
                )
            if not drift.has_additions:
                return after
            major, minor, _ = _numbers(after)
            version = f"{major}.{minor + 1}.0"
        entry = DatasetSchema(
            dataset=self._dataset, table=self._table, version=version, columns=columns, created_at=now
        )
        key, data = layout.schema(self._table, version), entry.model_dump_json(indent=1).encode()
        if not self._store.put_if_absent(key, data) and self.load(version).columns != columns:
            # Left by a writer that registered it and never published: no manifest names it.
            self._store.replace(key, data)
        return version


def registered_columns(store: ObjectStore, manifest: SyncManifest | None) -> dict[str, str] | None:
    """The columns and types of a version, or None without one.

    Raises:
        ChecksumMismatchError: when the schema file is gone or damaged.
    """
    if manifest is None:
        return None
    return SchemaRegistry(store, manifest.dataset, manifest.table).load(manifest.schema_version).columns


def _numbers(version: str) -> tuple[int, int, int]:
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)
