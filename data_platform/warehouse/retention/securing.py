"""Securing a file that is about to be dropped: a delta in its place, proven to give its rows back.

The nearest later file of the partition that is sound, or can itself be put together, serves as base, unless its own
deltas lead to this very file: content may have come back, and deltas must never form a ring.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from data_platform.errors import ChecksumMismatchError, SchemaError
from data_platform.warehouse import layout
from data_platform.warehouse.deltas.assembly import prove
from data_platform.warehouse.deltas.rebuild import links_from, prove_delta, rebuild
from data_platform.warehouse.deltas.writing import write_reverse, write_whole
from data_platform.warehouse.integrity import hash_file
from data_platform.warehouse.retention.deciding import Expiring
from data_platform.warehouse.store import LocalStore, no_space_is_clear, temporary_beside

_CANNOT_BE_READ: Final = (
    OSError,  # an unreadable sector
    ValueError,
    TypeError,
    pa.ArrowException,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,  # not an Exception: how polars gives up on what it does not know
)
"""What reading one file may end with; the others have their turn nevertheless."""


def secure_delta(store: LocalStore, file: Expiring, key: tuple[str, ...]) -> str:
    """Put a proven delta of a file in place; `key` are the columns that identify a row, none if unknown.

    Returns why the file must be kept; empty when its rows are secured.

    Raises:
        DiskSpaceError: when the disk is full.
    """
    sha256 = file.entry.sha256
    old = store.path(layout.blob(sha256))
    if not _is_sound(old, sha256):
        return "it is damaged; see data-platform verify"
    target = store.path(layout.delta(sha256))
    try:
        with no_space_is_clear(target), ExitStack() as cleaning:
            if _is_secured(store, sha256):
                return ""
            store.delete(layout.delta(sha256))  # what cannot give the rows back is none
            base = _base(store, file)
            written = _temporary(target, cleaning)
            if not _write_reverse(old, base, written, file, key):
                written = _temporary(target, cleaning)
                whole = write_whole(old, written, dropped=sha256)
                if written.stat().st_size >= file.entry.bytes:
                    return "a delta would be no smaller"
                prove([(whole, written)], None)
            store.adopt_if_absent(layout.delta(sha256), written)
    except SchemaError as error:
        return error.message
    except ChecksumMismatchError:
        return "its rows could not be put together again from a delta"
    except _CANNOT_BE_READ as error:
        # Not its text: that may quote values.
        return f"no delta could be made of it ({type(error).__name__})"
    return ""


def _is_secured(store: LocalStore, sha256: str) -> bool:
    """Whether an earlier run, or an earlier life of the same content, left a delta that gives the rows back."""
    if not store.exists(layout.delta(sha256)):
        return False
    try:
        prove_delta(store, sha256)
    except ChecksumMismatchError:
        return False
    return True


def _base(store: LocalStore, file: Expiring) -> tuple[str, Path] | None:
    """The nearest later file that can be relied upon, and where its rows are."""
    for candidate in file.later:
        sha256 = candidate.sha256
        try:
            if file.entry.sha256 in links_from(store, sha256):
                continue
            path = store.path(layout.blob(sha256))
            if _is_sound(path, sha256):
                return sha256, path
            rebuilt = rebuild(store, sha256) if store.exists(layout.delta(sha256)) else None
        except ChecksumMismatchError:
            continue
        if rebuilt is not None:
            return sha256, rebuilt
    return None


def _is_sound(path: Path, sha256: str) -> bool:
    """Whether the bytes can be had and are those that were published."""
    try:
        return hash_file(path) == sha256
    except OSError:  # gone, or on an unreadable sector
        return False


def _write_reverse(
    old: Path,
    base: tuple[str, Path] | None,
    written: Path,
    file: Expiring,
    key: tuple[str, ...],
) -> bool:
    """Write a delta against the base and prove it; False when there is none that is smaller than the file and true."""
    if base is None:
        return False
    base_sha256, path = base
    try:
        delta = write_reverse(old, path, written, dropped=file.entry.sha256, base_sha256=base_sha256, key=key)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False  # it has no such type, or time zone: then all rows are kept, which needs no comparison
    if delta is None or written.stat().st_size >= file.entry.bytes:
        return False
    try:
        prove([(delta, written)], path)
    except ChecksumMismatchError:
        return False
    return True


def _temporary(target: Path, cleaning: ExitStack) -> Path:
    path = temporary_beside(target)
    cleaning.callback(path.unlink, missing_ok=True)
    return path
