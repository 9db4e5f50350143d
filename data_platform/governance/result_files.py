"""Results kept as files that only the service's account can read: written whole or not at all, durable before named."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import quote
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.client.names import distinct_names
from data_platform.errors import PlatformError, UsageError
from data_platform.records.private_files import private_folder, sync_folder

_LONGEST_NAME: Final = 128
_FACTS: Final = b"data_platform"
_GROUP_ROWS: Final = 10_000
"""Rows that lie together in a kept result: to show a page, only those around it are read."""


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Some rows of a kept result, beginning with number `first` of its `total`, and the facts in its file."""

    table: pa.Table = field(repr=False)
    facts: Mapping[str, Any]
    first: int
    total: int


def result_folder(exports: Path, user_id: str, request_id: UUID) -> Path:
    """Where everything that a request left lies: `<exports>/<user>/<request>`."""
    return exports / user_folder(user_id) / str(request_id)


def write_result(
    exports: Path, user_id: str, request_id: UUID, table: pa.Table, facts: Mapping[str, Any] | None = None
) -> Path:
    """Write a result to `<exports>/<user>/<request>/result.parquet` (0600 in folders of 0700) and return its path.

    Args:
        exports: the folder of all results.
        user_id: whose it is.
        request_id: what it answers.
        table: its rows.
        facts: what else is known, as JSON has it; kept in the file.

    Raises:
        UsageError: when a column has a type that Parquet has no room for.
        PlatformError: when it can't be written on this machine.
    """
    kept = distinct_names(table)
    if facts is not None:
        kept = kept.replace_schema_metadata({_FACTS: json.dumps(facts).encode()})
    path = result_folder(exports, user_id, request_id) / "result.parquet"
    write_file(path, lambda file: write_parquet(kept, file, _GROUP_ROWS))
    return path


def read_result(path: Path, offset: int = 0, rows: int | None = None) -> ReadRows | None:
    """Read back a result, at least the `rows` rows from `offset` on, all unless given; None when it is gone."""
    try:
        with pq.ParquetFile(path) as file:
            groups, first, end = list[int](), 0, 0
            for number in range(file.num_row_groups):
                begin, end = end, end + file.metadata.row_group(number).num_rows
                if end > offset and (rows is None or begin < offset + rows):
                    first = first if groups else begin
                    groups.append(number)
            table = _as_written(file.read_row_groups(groups), file)  # pyright: ignore[reportUnknownMemberType] - stubs
    except FileNotFoundError:
        return None
    metadata = table.schema.metadata or {}  # pyright: ignore[reportUnknownMemberType] - partial stubs
    return ReadRows(table, json.loads(metadata.get(_FACTS, b"{}")), first, end)


def _as_written(table: pa.Table, file: pq.ParquetFile) -> pa.Table:
    """The rows in the types that were written: Parquet counts a time of whole seconds in thousandths."""
    metadata = cast("dict[bytes, bytes]", file.metadata.metadata)
    written = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(metadata[b"ARROW:schema"])))
    if table.schema.equals(written):
        return table
    return table.cast(written).replace_schema_metadata(table.schema.metadata)


def write_parquet(table: pa.Table, file: IO[bytes], group_rows: int | None = None) -> None:
    """Write Parquet with zstd.

    Raises:
        UsageError: when a column has a type that Parquet has no room for.
    """
    try:
        pq.write_table(table, file, group_rows, compression="zstd")  # pyright: ignore[reportUnknownMemberType] - stubs
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError):
        raise UsageError(
            f"A result with columns of these types can't be stored as Parquet: {types_of(table)}.",
            hint="Cast unusual types (INTERVAL, UNION) to VARCHAR.",
        ) from None


def write_file(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file (0600) that appears whole, in a folder that is made if need be (0700).

    Raises:
        PlatformError: when it can't be written on this machine; nothing of it stays.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        private_folder(path.parent)
        try:
            descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w+b") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise PlatformError(
            f"The result could not be kept: {error.strerror or 'its file could not be written'}.",
            hint="An administrator can see to the disk with `data-platform doctor`.",
        ) from None


def remove_result(exports: Path, location: Path) -> None:
    """Remove a result and the folder of its request; a place that is not below the exports is left alone.

    Raises:
        OSError: when it can't be removed.
    """
    folder = location.parent
    if folder.resolve().parent.parent == exports.resolve() and folder.exists():
        shutil.rmtree(folder)


def remove_folder(exports: Path, user_id: str, request_id: UUID) -> None:
    """Remove everything that a request left, when there is anything.

    Raises:
        OSError: when it can't be removed.
    """
    folder = result_folder(exports, user_id, request_id)
    if folder.exists():
        shutil.rmtree(folder)


def user_folder(user_id: str) -> str:
    """One folder name per user, whatever characters the name holds; distinct users get distinct folders."""
    safe = re.sub(r"^\.", "%2E", quote(user_id, safe=""))
    if len(safe) <= _LONGEST_NAME:
        return safe
    return "%" + hashlib.sha256(user_id.encode()).hexdigest()


def types_of(table: pa.Table) -> str:
    """The types of a table's columns, for a message."""
    types = {str(cast("object", field.type)) for field in table.schema}  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - stubs
    return ", ".join(sorted(types))
