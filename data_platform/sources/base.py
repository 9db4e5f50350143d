"""What every source offers: a fingerprint that changes when its data does, and the rows as Arrow batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from data_platform.catalog import Table
from data_platform.errors import SchemaError


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the source's data looked like, without holding any of it.

    `value` is the SHA-256 hex digest over everything that would make a new extraction differ. `row_count` is the
    source's own count where it can count without extracting. `details` are what a person may want to see of it:
    comments, hashes and dates, never a licensed value. `query_hash` is the SHA-256 of the extract query's text, for
    sources that are asked by query.
    """

    value: str
    row_count: int | None
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    query_hash: str | None = None


class Source(Protocol):
    """An opened source. One instance serves one caller at a time.

    `name` is ``wrds``, ``demo``, ``ken_french`` or ``ken_french_demo``; `bytes_received` counts what came over the
    wire so far; `warnings` collects what the caller should tell its user although the rows are usable.
    """

    name: str
    bytes_received: int
    warnings: list[str]

    def fingerprint(self, table: Table, partition: str) -> Fingerprint:
        """Describe the partition's present state at the source."""
        ...

    def extract(self, table: Table, partition: str) -> Iterator[pa.RecordBatch]:
        """Yield the partition's rows in exactly ``table.arrow_schema``, ordered by the table's key.

        Memory is bounded whatever the number of rows. Closing the iterator early stops the work at the source.
        """
        ...


class UnusableData(SchemaError):  # noqa: N818 - what it is, not that it failed: data to be quarantined
    """A source file arrived whole but is not what the catalog declares; `evidence` is that file, byte for byte."""

    def __init__(self, message: str, *, evidence_name: str, evidence: bytes, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.evidence_name = evidence_name
        self.evidence = evidence


def place(table: Table, partition: str) -> str:
    """Where an error happened, as its message begins: the table and the partition."""
    return f"{table.name} {partition}"


def digest(facts: object) -> str:
    """SHA-256 hex of a JSON-representable value, independent of the order of mappings."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
