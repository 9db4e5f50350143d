"""The manifest: what one version of a table consists of, with the invariants that hold on every load."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SchemaVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]


class FileCheck(BaseModel):
    """One verdict under which a file was published: counts, shares, dates or names, never a licensed value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    validation_type: str
    status: Literal["passed", "warning"]
    expected: str
    actual: str
    message: str = ""


class FileEntry(BaseModel):
    """One partition's published Parquet file, the state of the source it was made from, and the verdicts on it.

    The dates are None for a table without dates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    partition: str = Field(min_length=1)
    sha256: Sha256
    bytes: int = Field(gt=0)
    rows: int = Field(gt=0)
    min_date: dt.date | None
    max_date: dt.date | None
    source: str
    source_fingerprint: str
    checks: tuple[FileCheck, ...] = ()

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if (self.min_date is None) != (self.max_date is None):
            raise ValueError(f"partition {self.partition}: one of min_date and max_date is missing")
        if self.min_date is not None and self.max_date is not None and self.min_date > self.max_date:
            raise ValueError(f"partition {self.partition}: min_date is after max_date")
        return self


class SyncManifest(BaseModel):
    """One immutable version of a table. `checksum` covers the files; the dates are None for a table without dates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    table: str
    manifest_version: int = Field(ge=1)
    sync_timestamp: dt.datetime
    start_date: dt.date | None
    end_date: dt.date | None
    row_count: int = Field(ge=1)
    checksum: Sha256
    checksum_algorithm: Literal["sha256"] = "sha256"
    previous_checksum: Sha256 | None
    schema_version: SchemaVersion
    wrds_query_hash: str | None
    source_fingerprint: str
    validation_status: Literal["passed", "warning"]
    quarantine_path: str | None = None
    changed_partitions: tuple[str, ...] = Field(min_length=1)
    files: tuple[FileEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _invariants(self) -> Self:
        if self.sync_timestamp.utcoffset() != dt.timedelta(0):
            raise ValueError("sync_timestamp is not UTC")
        partitions = [entry.partition for entry in self.files]
        if partitions != sorted(set(partitions)):
            raise ValueError("files are not in partition order, or a partition appears twice")
        if (self.start_date, self.end_date) != span(self.files):
            raise ValueError("start_date and end_date do not span the files")
        if self.row_count != sum(entry.rows for entry in self.files):
            raise ValueError("row_count is not the sum over the files")
        if self.checksum != files_checksum(self.files):
            raise ValueError("checksum does not match the files")
        return self

    def file(self, partition: str) -> FileEntry | None:
        """The entry of a partition, or None when this version has none."""
        return next((entry for entry in self.files if entry.partition == partition), None)


def span(files: Iterable[FileEntry]) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last date in any of the files; None and None when they have no dates."""
    entries = list(files)
    firsts = [entry.min_date for entry in entries if entry.min_date is not None]
    lasts = [entry.max_date for entry in entries if entry.max_date is not None]
    return min(firsts, default=None), max(lasts, default=None)


def files_checksum(files: tuple[FileEntry, ...]) -> str:
    """SHA-256 over the sorted ``partition:sha256`` lines: equal content, equal checksum."""
    lines = sorted(f"{entry.partition}:{entry.sha256}" for entry in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
