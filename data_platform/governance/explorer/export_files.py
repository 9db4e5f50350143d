"""The files of an export: the rows as CSV or Parquet, and beside them a manifest that says what they are."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast

import pyarrow as pa

from data_platform.client.names import distinct_names
from data_platform.errors import UsageError
from data_platform.governance.dto import ExportJobDTO
from data_platform.governance.explorer.tickets import Written
from data_platform.governance.result_csv import write_rows
from data_platform.governance.result_files import types_of, write_file, write_parquet

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """An export that its owner may read: the file, its manifest beside it, and what is known of it."""

    path: Path
    manifest_path: Path
    dto: ExportJobDTO = field(repr=False)

    @property
    def media_type(self) -> str:
        """What the file is, as HTTP says it."""
        return "text/csv; charset=utf-8" if self.dto.format == "csv" else "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that is on the disk, with its size and the SHA-256 of its bytes."""

    path: Path
    bytes: int
    sha256: str


def write_export(folder: Path, table: pa.Table, written: Written) -> WrittenFile:
    """Write the rows; the file appears whole.

    Raises:
        UsageError: when a column has a type that the format has no room for.
        PlatformError: when it can't be written on this machine.
    """
    path = folder / f"export.{written.format}"
    rows = distinct_names(table)
    found: list[WrittenFile] = []

    def write(file: IO[bytes]) -> None:
        if written.format == "csv":
            write_csv(rows, file, escape_formulas=written.escape_formulas)
        else:
            write_parquet(rows, file)
        file.flush()
        file.seek(0)
        found.append(WrittenFile(path, file.seek(0, 2), _sha256(file)))

    write_file(path, write)
    return found[0]


def write_csv(table: pa.Table, file: IO[bytes], *, escape_formulas: bool) -> None:
    """Write the rows as CSV; see `write_rows`.

    Raises:
        UsageError: when a column has a type that CSV has no room for.
    """
    try:
        write_rows(table, file, escape_formulas=escape_formulas)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        raise UsageError(
            f"A result with columns of these types can't be written as CSV: {types_of(table)}.",
            hint="Cast lists, structs, intervals and BLOB to VARCHAR, or take Parquet.",
        ) from None


def write_manifest(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write what the export is; the last of its files to appear.

    Raises:
        PlatformError: when it can't be written on this machine.
    """
    path = folder / MANIFEST
    content = json.dumps(document, indent=2, ensure_ascii=False, default=_text).encode("utf-8", "surrogatepass") + b"\n"
    write_file(path, lambda file: _write(file, content))
    return path


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Read it back; None when the export is gone."""
    try:
        return cast("dict[str, Any]", json.loads((folder / MANIFEST).read_bytes()))
    except FileNotFoundError:
        return None


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(1024 * 1024):
        digest.update(piece)
    return digest.hexdigest()


def _write(file: IO[bytes], content: bytes) -> None:
    file.write(content)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)
