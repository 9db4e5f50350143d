"""The schema registry: which columns each published schema version had, and how a new schema compares.

Versions are ``major.minor.patch``. New columns are accepted and bump the minor version; a column that is gone or has
another type is refused before anything is published. Major versions are for a table that is declared anew.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import PurePosixPath
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from data_platform.catalog.drift import compare
from data_platform.errors import ChecksumMismatchError, SchemaError
from data_platform.warehouse import layout
from data_platform.warehouse.manifest import SyncManifest
from data_platform.warehouse.sealed import SEE_VERIFY, seal, unseal
from data_platform.warehouse.store import ObjectStore

FIRST_VERSION: Final = "1.0.0"
_SEAL: Final = "schema_sha256"
_FILE: Final = re.compile(r"v\d+\.\d+\.\d+\.json")


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
    """The registered schemas of one table; a registered file is never changed. Call `register` under the guard."""

    def __init__(self, store: ObjectStore, dataset: str, table: str) -> None:
        self._store = store
        self._dataset = dataset
        self._table = table

    def load(self, version: str) -> DatasetSchema:
        """The schema of a version.

        Raises:
            ChecksumMismatchError: when its file is gone or damaged.
        """
        name = f"The schema file {version} of {self._table}"
        try:
            return parse_schema(self._store.get(layout.schema(self._table, version)), name=name)
        except FileNotFoundError:
            raise ChecksumMismatchError(f"{name} is gone.", hint=SEE_VERIFY) from None

    def versions(self) -> list[str]:
        """Every registered version, lowest first, whether or not its file can be read."""
        stems = (PurePosixPath(key).name for key in self._store.list(layout.schemas(self._table)))
        return sorted((stem[1:].removesuffix(".json") for stem in stems if _FILE.fullmatch(stem)), key=_numbers)

    def register(self, columns: dict[str, str], *, after: str | None, now: dt.datetime) -> str:
        """Return the version under which these columns are published; `after` is the latest manifest's version.

        New columns make a new minor version, another order of the same columns a new patch. The same columns as those
        of a version registered after `after` keep that version's name: after a rollback, or after a writer that
        registered it and died.

        Raises:
            SchemaError: when columns are gone or have another type than in `after`.
            ChecksumMismatchError: when the schema file of `after` is gone or damaged.
        """
        taken = self.versions()
        wanted = FIRST_VERSION
        if after is not None:
            current = self.load(after).columns
            drift = compare(current, columns)
            if drift.is_breaking:
                raise SchemaError(
                    f"{self._table}: the schema changed in a way that breaks readers: {drift.breaks()}.",
                    hint="Nothing was published. Restore the columns in the catalog, or publish under a new table.",
                )
            if list(current) == list(columns):
                return after
            wanted = next_version(after, has_additions=drift.has_additions)
        for version in taken:
            if _numbers(version) >= _numbers(wanted) and self._has(version, columns):
                return version
        while wanted in taken:
            wanted = next_version(wanted, has_additions=True)
        self.write(wanted, columns, now)
        return wanted

    def _has(self, version: str, columns: dict[str, str]) -> bool:
        """Whether a version has just these columns; a damaged file is no answer, and another number is free."""
        try:
            return list(self.load(version).columns.items()) == list(columns.items())
        except ChecksumMismatchError:
            return False

    def write(self, version: str, columns: dict[str, str], now: dt.datetime) -> bytes:
        """Write a schema's file unless there is one, and return what it holds."""
        entry = DatasetSchema(
            dataset=self._dataset, table=self._table, version=version, columns=columns, created_at=now
        )
        data = seal(entry.model_dump(mode="json"), _SEAL)
        self._store.put_if_absent(layout.schema(self._table, version), data)
        return data


def parse_schema(data: bytes, *, name: str) -> DatasetSchema:
    """Read a stored schema.

    Raises:
        ChecksumMismatchError: when it is damaged.
    """
    try:
        return DatasetSchema.model_validate(unseal(data, _SEAL, name=name))
    except ValidationError:
        raise ChecksumMismatchError(f"{name} is not valid.", hint=SEE_VERIFY) from None


def next_version(version: str, *, has_additions: bool) -> str:
    """The version after this one: minor for new columns, patch for the same columns in another order. Pure."""
    major, minor, patch = _numbers(version)
    return f"{major}.{minor + 1}.0" if has_additions else f"{major}.{minor}.{patch + 1}"


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
