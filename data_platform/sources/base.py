"""What every source offers: a fingerprint that changes when its data does, and the rows as Arrow batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import pyarrow as pa

from data_platform.catalog import KenFrenchPortfolios, KenFrenchSite, Table, WrdsQuery
from data_platform.errors import SchemaError

STORED_AS: Final = 1
"""Raise when the same bytes at the source would be stored differently: every partition is then extracted anew."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the source's data looked like, without holding any of it.

    `value` is the SHA-256 hex digest over everything that would make a new extraction differ: the data, and how it
    is declared and stored (`declaration_digest`). `row_count` is the source's own count where it can count without
    extracting. `details` are what a person may want to see of it: comments, hashes and dates, never a licensed value;
    some of them, such as a comment, may change while the value stays. `query_hash` is the SHA-256 of the extract
    query's text, for sources that are asked by query.
    """

    value: str
    row_count: int | None
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    query_hash: str | None = None


class Source(Protocol):
    """An opened source. One instance serves one caller at a time."""

    @property
    def name(self) -> str:
        """``wrds``, ``wrds_siz``, ``demo``, ``demo_siz``, ``ken_french`` or ``ken_french_demo``.

        It may change when rows have to be had from another place, but not between a fingerprint and its rows.
        """
        ...

    @property
    def bytes_received(self) -> int:
        """What came over the wire so far."""
        ...

    @property
    def warnings(self) -> list[str]:
        """What the caller should tell its user although the rows are usable."""
        ...

    def fingerprint(self, table: Table, partition: str) -> Fingerprint:
        """Describe the partition's present state at the source."""
        ...

    def survey(self, table: Table, partitions: Sequence[str]) -> Mapping[str, Fingerprint]:
        """Describe the present state of several partitions at once: of each, what `fingerprint` would say."""
        ...

    def extract(self, table: Table, partition: str) -> Iterator[pa.RecordBatch]:
        """Yield the partition's rows in exactly ``table.arrow_schema``, ordered by the table's key.

        Memory is bounded whatever the number of rows. Closing the iterator early stops the work at the source.

        Raises:
            RowsOutOfOrder: when what was yielded must be thrown away and the extraction begun again.
        """
        ...


class RowsOutOfOrder(Exception):  # noqa: N818 - not an error: a signal to whoever keeps the rows
    """The rows did not come in the key's order; the source now knows, and will sort them when it is asked again."""


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


def declaration_digest(table: Table) -> str:
    """SHA-256 hex of what decides how a source's data becomes the table's rows; titles and limits do not count."""
    return digest(
        {
            "stored_as": STORED_AS,
            "columns": [[column.name, column.dtype, column.source, column.nullable] for column in table.columns],
            "key": table.key,
            "origin": _mapping(table.origin),
        }
    )


def _mapping(origin: WrdsQuery | KenFrenchSite | KenFrenchPortfolios) -> dict[str, object]:
    if isinstance(origin, WrdsQuery):
        return {"relation": origin.relation}
    if isinstance(origin, KenFrenchPortfolios):
        return {"portfolios": [origin.file, origin.count], "frequency": origin.frequency}
    files = [[file.name, dict(file.columns), dict(file.repeats)] for file in origin.files]
    # Daily goes without saying: what was published before frequencies were declared keeps its fingerprint.
    return {"files": files} if origin.frequency == "daily" else {"files": files, "frequency": origin.frequency}
