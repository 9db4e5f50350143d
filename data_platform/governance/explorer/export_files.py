"""The files of an export: the rows as CSV or Parquet, and beside them a manifest that says what they are."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from data_platform.errors import UsageError
from data_platform.governance.dto import ExportJobDTO
from data_platform.governance.explorer.tickets import Written
from data_platform.governance.result_files import distinct_names, types_of, write_file, write_parquet

MANIFEST: Final = "manifest.json"

_BEGINNINGS: Final = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - the wide forms too, which some spreadsheets read alike
_FORMULA: Final = f"^[{re.escape(_BEGINNINGS)}]"


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
    """Write UTF-8 with a header line; text stands in quotes, so that an empty text (`""`) is not a missing value.

    Raises:
        UsageError: when a column has a type that CSV has no room for.
    """
    rows = _without_formulas(table) if escape_formulas else table
    try:
        pa_csv.write_csv(rows, file)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        raise UsageError(
            f"A result with columns of these types can't be written as CSV: {types_of(table)}.",
            hint="Cast lists, structs and intervals to VARCHAR, or take Parquet.",
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


def _without_formulas(table: pa.Table) -> pa.Table:
    """Text that a spreadsheet would run gets an apostrophe before it, in the header too; numbers stay numbers."""
    columns: list[Any] = []
    for column in cast("list[Any]", table.columns):
        kind: Any = column.type
        if pa.types.is_dictionary(kind):
            # An ENUM is text like any other.
            kind = kind.value_type
            column = column.cast(kind)  # noqa: PLW2901 - the same values
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            compute = cast("Any", pc)
            escaped = compute.binary_join_element_wise(pa.scalar("'", kind), column, pa.scalar("", kind))
            columns.append(compute.if_else(compute.match_substring_regex(column, _FORMULA), escaped, column))
        else:
            columns.append(column)
    names = [f"'{name}" if name[:1] in tuple(_BEGINNINGS) else name for name in table.column_names]
    return pa.table(columns, names=names)


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
