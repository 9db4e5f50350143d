"""Dropped files: finding the chain of deltas that leads back to one, and keeping its rows at hand once put together."""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Final

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import layout
from data_platform.warehouse.assembly import Link, assemble, prove
from data_platform.warehouse.deltas import read_delta, read_rows
from data_platform.warehouse.store import LocalStore, make_folder, no_space_is_clear
from data_platform.warehouse.trash import fetch_from_trash

TEMPORARY: Final = ".tmp-"
"""How the name of an unfinished file begins, as the store has it."""


def rebuild(store: LocalStore, sha256: str) -> Path | None:
    """The path of a file with exactly the rows of a dropped one; None when there is neither a delta nor the trash.

    The file is kept for a week after its last use. It need not have the dropped file's bytes; that it has its rows,
    in order, is proven by their content hash.

    Raises:
        ChecksumMismatchError: when a delta or the file that it starts from is damaged or gone, or the rows are not
            those that were dropped.
        DiskSpaceError: when the disk is full.
    """
    kept = store.path(layout.rebuilt(sha256))
    with suppress(FileNotFoundError):
        os.utime(kept)
        return kept
    if not store.exists(layout.delta(sha256)):
        return kept if fetch_from_trash(store, sha256, kept) else None
    temporary = temporary_beside(kept)
    try:
        put_together(store, sha256, temporary)
        store.adopt_if_absent(layout.rebuilt(sha256), temporary)
    except ChecksumMismatchError:
        if not fetch_from_trash(store, sha256, kept):
            raise
    finally:
        temporary.unlink(missing_ok=True)
    return kept


def put_together(store: LocalStore, sha256: str, target: Path) -> None:
    """Write the rows of a dropped file to a new file, flushed and proven.

    Raises:
        ChecksumMismatchError, DiskSpaceError: as `rebuild` does.
    """
    with ExitStack() as opened:
        chain, standing = _chain(store, sha256, opened)
        assemble(chain, standing, target)


def prove_delta(store: LocalStore, sha256: str) -> None:
    """See that the delta of a file gives its rows back, whether or not the file still stands.

    Raises:
        ChecksumMismatchError: as `rebuild` does.
    """
    with ExitStack() as opened:
        prove(*_chain(store, sha256, opened))


def delta_problem(store: LocalStore, sha256: str) -> str | None:
    """Why a dropped file could not be put together; None when its delta is sound and leads to a file that stands.

    Of the other deltas on the way only what they say of themselves is read: each has its own turn.
    """
    if not store.exists(layout.delta(sha256)):
        return "there is no delta"
    try:
        with ExitStack() as opened:
            (delta, path), *_ = _chain(store, sha256, opened)[0]
            read_rows(path, delta)
    except ChecksumMismatchError as error:
        return error.message
    return None


def links_from(store: LocalStore, sha256: str) -> list[str]:
    """The files that a file's rows depend on by deltas, nearest first, itself included; deltas never form a ring.

    Raises:
        ChecksumMismatchError: when a delta on the way is damaged.
    """
    found: list[str] = []
    following: str | None = sha256
    while following is not None:
        if following in found:
            raise _broken(sha256, "its deltas lead round in a ring")
        found.append(following)
        try:
            following = read_delta(store.path(layout.delta(following)), following).base_sha256
        except FileNotFoundError:
            return found
    return found


def temporary_beside(target: Path) -> Path:
    """A name for an unfinished file in the folder of `target`, which is made."""
    with no_space_is_clear(target):
        make_folder(target.parent)
    return target.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")


def _chain(store: LocalStore, sha256: str, opened: ExitStack) -> tuple[list[Link], IO[bytes] | None]:
    """The deltas from a dropped file to a sound file that stands, and that file, open: it may be dropped meanwhile."""
    chain: list[Link] = []
    for following in links_from(store, sha256):
        if chain:
            standing = _open_sound(store, following, opened)
            if standing is not None:
                return chain, standing
        path = store.path(layout.delta(following))
        try:
            delta = read_delta(path, following)
        except FileNotFoundError:
            raise _broken(sha256, f"the file {following[:12]}… that it starts from is gone or damaged") from None
        if chain and delta.base_sha256 is not None and delta.key != chain[0][0].key:
            # The declared key has changed since, so that the two cannot be taken together.
            rebuilt = rebuild(store, following)
            return chain, opened.enter_context(rebuilt.open("rb")) if rebuilt else None
        chain.append((delta, path))
    return chain, None


def _open_sound(store: LocalStore, sha256: str, opened: ExitStack) -> IO[bytes] | None:
    try:
        file = opened.enter_context(store.path(layout.blob(sha256)).open("rb"))
    except FileNotFoundError:
        return None
    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
        return None
    file.seek(0)
    return file


def _broken(sha256: str, why: str) -> ChecksumMismatchError:
    return ChecksumMismatchError(
        f"The rows of the dropped file {sha256[:12]}… cannot be put together: {why}.",
        hint="Restore the warehouse's deltas and files from a backup.",
    )
