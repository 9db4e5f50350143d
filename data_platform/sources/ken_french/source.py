"""The data library as a source: each file is downloaded once and serves fingerprint and rows alike."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import pyarrow as pa

from data_platform.catalog import KenFrenchPortfolios, KenFrenchSite, Table
from data_platform.errors import UsageError
from data_platform.sources.base import Fingerprint, UnusableData, declaration_digest, digest, place
from data_platform.sources.ken_french.assembling import AssemblyError, ParsedFile, assemble
from data_platform.sources.ken_french.download import download, library_client
from data_platform.sources.ken_french.parsing import FormatError, SourceTable, decode, parse_tables, vintage
from data_platform.sources.ken_french.portfolios import assemble_portfolios
from data_platform.sources.ken_french.unpacking import Member, unpack

_BATCH_ROWS: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Download:
    payload: bytes
    member: Member


class KenFrenchSource:
    """A source in the sense of `data_platform.sources.base.Source`, over one HTTP client."""

    def __init__(self, name: str, client: httpx.Client) -> None:
        self.name = name
        self.bytes_received = 0
        self.warnings: list[str] = []
        self._client = client
        self._downloads: dict[str, _Download] = {}

    def fingerprint(self, table: Table, partition: str) -> Fingerprint:
        """Describe the files by their unpacked content: the same data, zipped again, is the same.

        Raises:
            SourceError: when a file is missing, cannot be fetched, or is no zip with one CSV.
        """
        facts: dict[str, str] = {}
        details = {"declaration_hash": declaration_digest(table)}
        for name in _file_names(_origin_of(table)):
            member = self._download(name, table, partition).member
            facts[name] = hashlib.sha256(member.data).hexdigest()
            details[f"sha256 {name}"] = facts[name]
            details[f"vintage {name}"] = vintage(decode(member.data)) or "not stated"
        return Fingerprint(
            value=digest({"declaration": details["declaration_hash"], "files": facts}), row_count=None, details=details
        )

    def survey(self, table: Table, partitions: Sequence[str]) -> Mapping[str, Fingerprint]:
        """Describe several partitions; the files are downloaded once whatever their number."""
        return {partition: self.fingerprint(table, partition) for partition in partitions}

    def extract(self, table: Table, partition: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows; see `Source.extract`. Warnings of this extraction replace earlier ones.

        Raises:
            SourceError: when a file is missing, cannot be fetched, or is no zip with one CSV.
            UnusableData: when a file arrived whole but is malformed, empty, or lacks a declared column or table.
        """
        dates = table.partition_range(partition)
        origin = _origin_of(table)
        parsed = {name: self._parsed(name, table, partition) for name in _file_names(origin)}
        try:
            if isinstance(origin, KenFrenchPortfolios):
                rows, self.warnings = assemble_portfolios(parsed[origin.file], table, origin, dates)
            else:
                files = [ParsedFile(file, parsed[file.name]) for file in origin.files]
                rows, self.warnings = assemble(files, table, origin, dates)
        except AssemblyError as error:
            raise self._unusable(error.file, error.problem, table, partition) from None
        yield from rows.combine_chunks().to_batches(max_chunksize=_BATCH_ROWS)

    def _parsed(self, name: str, table: Table, partition: str) -> list[SourceTable]:
        try:
            return parse_tables(decode(self._download(name, table, partition).member.data))
        except FormatError as error:
            raise self._unusable(name, f"is malformed in {error}", table, partition) from None

    def _unusable(self, name: str, problem: str, table: Table, partition: str) -> UnusableData:
        return UnusableData(
            f"{place(table, partition)}: {name} {problem}.",
            evidence_name=name,
            evidence=self._downloads[name].payload,
            hint="The last good version stays. Compare the quarantined file with the catalog's declaration.",
        )

    def _download(self, name: str, table: Table, partition: str) -> _Download:
        if name not in self._downloads:
            where = place(table, partition)
            payload = download(self._client, name, where)
            self.bytes_received += len(payload)
            self._downloads[name] = _Download(payload, unpack(name, payload, where))
        return self._downloads[name]


def _origin_of(table: Table) -> KenFrenchSite | KenFrenchPortfolios:
    if not isinstance(table.origin, (KenFrenchSite, KenFrenchPortfolios)):
        raise UsageError(f"{table.name} does not come from Ken French's data library.")
    return table.origin


def _file_names(origin: KenFrenchSite | KenFrenchPortfolios) -> list[str]:
    return [origin.file] if isinstance(origin, KenFrenchPortfolios) else [file.name for file in origin.files]


@contextmanager
def open_ken_french(name: str, base_url: str) -> Generator[KenFrenchSource]:
    """Open the library at an address for the length of the block; nothing is fetched yet.

    Raises:
        ConfigurationError: when the address is not an HTTP address.
    """
    with library_client(base_url) as client:
        yield KenFrenchSource(name, client)
