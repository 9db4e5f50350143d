"""The schema registry: which columns each published schema version had, and how a new schema compares.

Versions are ``major.minor.patch``. New columns are accepted and bump the minor version; a column that is gone or has
another type is refused before anything is published.
"""

from __future__ import annotations

import datetime as dt
from pathlib import PurePosixPath

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from data_platform.errors import ChecksumMismatchError, SchemaError
from data_platform.warehouse import layout
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


class SchemaDrift(BaseModel):
    """What changed from one schema to the next; `changed` maps a column to its old and new type."""

    model_config = ConfigDict(frozen=True)

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: dict[str, tuple[str, str]]

    @property
    def is_breaking(self) -> bool:
        """Whether readers of the old schema would break."""
        return bool(self.removed or self.changed)

    @property
    def has_additions(self) -> bool:
        """Whether there are columns that the old schema lacked."""
        return bool(self.added)


def columns_of(schema: pa.Schema) -> dict[str, str]:
    """An Arrow schema as the registry keeps it."""
    return dict(zip(schema.names, map(str, schema.types), strict=True))


def compare(old: dict[str, str], new: dict[str, str]) -> SchemaDrift:
    """What changed between two sets of columns."""
    return SchemaDrift(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed={name: (old[name], new[name]) for name in old if name in new and old[name] != new[name]},
    )


class SchemaRegistry:
    """The registered schemas of one table."""

    def __init__(self, store: ObjectStore, dataset: str, table: str) -> None:
        self._store = store
        self._dataset = dataset
        self._table = table

    def latest(self) -> DatasetSchema | None:
        """The newest registered schema, or None before the first.

        Raises:
            ChecksumMismatchError: when a registered schema file is damaged.
        """
        keys = [key for key in self._store.list(layout.schemas(self._table)) if key.endswith(".json")]
        if not keys:
            return None
        newest = max(keys, key=lambda key: _numbers(PurePosixPath(key).stem.removeprefix("v")))
        try:
            return DatasetSchema.model_validate_json(self._store.get(newest))
        except ValidationError:
            raise ChecksumMismatchError(f"The schema file {newest} is damaged.") from None

    def register(self, columns: dict[str, str], *, now: dt.datetime) -> str:
        """Return the version under which these columns are published, registering it when they are new.

        Two writers that register at once agree: the file is created once, and the loser looks again.

        Raises:
            SchemaError: when columns are gone or have another type than before.
        """
        while True:
            latest = self.latest()
            if latest is None:
                version = FIRST_VERSION
            else:
                drift = compare(latest.columns, columns)
                if drift.is_breaking:
                    raise SchemaError(
                        f"{self._table}: the schema changed in a way that breaks readers: {_describe(drift)}.",
                        hint="Nothing was published. Restore the columns in the catalog, or publish under a new table.",
                    )
                if not drift.has_additions:
                    return latest.version
                major, minor, _ = _numbers(latest.version)
                version = f"{major}.{minor + 1}.0"
            entry = DatasetSchema(
                dataset=self._dataset, table=self._table, version=version, columns=columns, created_at=now
            )
            if self._store.put_if_absent(layout.schema(self._table, version), entry.model_dump_json(indent=1).encode()):
                return version


def _numbers(version: str) -> tuple[int, int, int]:
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)


def _describe(drift: SchemaDrift) -> str:
    parts = [f"{name} is gone" for name in drift.removed]
    parts += [f"{name} was {old} and is {new}" for name, (old, new) in drift.changed.items()]
    return ", ".join(parts)
