"""A result kept as a Parquet file that only the service's account can read."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections import Counter
from pathlib import Path
from typing import Final, cast
from urllib.parse import quote
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.errors import UsageError
from data_platform.records.private_files import private_folder, sync_folder

_LONGEST_NAME: Final = 128


def write_result(exports: Path, user_id: str, request_id: UUID, table: pa.Table) -> Path:
    """Write a result to `<exports>/<user>/<request>/result.parquet` (0600 in folders of 0700) and return its path.

    Raises:
        UsageError: when a column has a type that Parquet has no room for.
    """
    folder = private_folder(exports / user_folder(user_id) / str(request_id))
    path = folder / "result.parquet"
    draft = folder / f".{path.name}.{secrets.token_hex(4)}"
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            try:
                pq.write_table(distinct_names(table), file, compression="zstd")  # pyright: ignore[reportUnknownMemberType] - stubs
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError):
                raise UsageError(
                    f"A result with columns of these types can't be stored as Parquet: {_types(table)}.",
                    hint="Cast unusual types (INTERVAL, UNION) to VARCHAR.",
                ) from None
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(folder)
    return path


def remove_result(exports: Path, location: Path) -> None:
    """Remove a result and the folder of its request; a place that is not below the exports is left alone.

    Raises:
        OSError: when it can't be removed.
    """
    folder = location.parent
    if folder.resolve().parent.parent == exports.resolve() and folder.exists():
        shutil.rmtree(folder)


def user_folder(user_id: str) -> str:
    """One folder name per user, whatever characters the name holds; distinct users get distinct folders."""
    safe = re.sub(r"^\.", "%2E", quote(user_id, safe=""))
    if len(safe) <= _LONGEST_NAME:
        return safe
    return "%" + hashlib.sha256(user_id.encode()).hexdigest()


def distinct_names(table: pa.Table) -> pa.Table:
    """The table with repeated column names numbered (`a`, `a_2`), since readers of Parquet look columns up by name."""
    taken = set(table.column_names)
    seen: Counter[str] = Counter()
    names: list[str] = []
    for name in table.column_names:
        seen[name] += 1
        unique = name
        while seen[name] > 1 and unique in taken:
            unique = f"{name}_{seen[name]}"
            seen[name] += unique in taken
        taken.add(unique)
        names.append(unique)
    return table.rename_columns(names)


def _types(table: pa.Table) -> str:
    types = {str(cast("object", field.type)) for field in table.schema}  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - stubs
    return ", ".join(sorted(types))
