"""Dropped files: finding the chain of deltas that leads back to one, and keeping its rows at hand once put together."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path

import pyarrow as pa

from data_platform.errors import ChecksumMismatchError, SchemaError
from data_platform.warehouse import layout
from data_platform.warehouse.deltas.assembly import Link, Standing, assemble, assemble_in_memory, prove
from data_platform.warehouse.deltas.content_hash import content_hash
from data_platform.warehouse.deltas.form import read_delta, read_rows
from data_platform.warehouse.integrity import hash_file, note, noted, open_sound, state_of
from data_platform.warehouse.store import LocalStore, temporary_beside
from data_platform.warehouse.trash import fetch_from_trash


def rebuild(store: LocalStore, sha256: str) -> Path | None:
    """The path of a file with exactly the rows of a dropped one; None when there is neither a delta nor the trash.

    The file is kept for a week after its last use; when it has been touched meanwhile, its rows are proven anew, and
    one that has others is put together again. It need not have the dropped file's bytes; that it has its rows, in
    order, is proven by their content hash.

    Raises:
        ChecksumMismatchError: when a delta or the file that it starts from is damaged or gone, or the rows are not
            those that were dropped.
        DiskSpaceError: when the disk is full.
    """
    kept = store.path(layout.rebuilt(sha256))
    if _is_right(store, sha256, kept):
        return kept
    if not store.exists(layout.delta(sha256)):
        if not fetch_from_trash(store, sha256, kept):
            return None
    else:
        try:
            _put_in_place(store, sha256)
        except ChecksumMismatchError:
            if not fetch_from_trash(store, sha256, kept):
                raise
    with suppress(FileNotFoundError):  # swept meanwhile: then whoever asked finds out
        note(store, layout.rebuilt_note(sha256), state_of(kept))
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

    Of the other deltas on the way only what they say of themselves is read: each has its own turn. Nothing is written.
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


def _is_right(store: LocalStore, sha256: str, kept: Path) -> bool:
    """Whether a file that was put together earlier still has the rows; if so, it counts as used just now."""
    key = layout.rebuilt_note(sha256)
    try:
        state = state_of(kept)
        if state == noted(store, key):
            os.utime(store.path(key))
            return True
        right = hash_file(kept) == sha256 or (
            content_hash(kept) == read_delta(store.path(layout.delta(sha256)), sha256).content
        )
    except (OSError, ValueError, pa.ArrowException, ChecksumMismatchError, SchemaError):
        return False
    if right:
        note(store, key, state)
    return right


def _put_in_place(store: LocalStore, sha256: str) -> None:
    kept = layout.rebuilt(sha256)
    temporary = temporary_beside(store.path(kept))
    try:
        put_together(store, sha256, temporary)
        if not store.adopt_if_absent(kept, temporary):
            # What is there is not right, or was put together by another process just now.
            store.restore(kept, temporary)
    finally:
        temporary.unlink(missing_ok=True)


def _chain(store: LocalStore, sha256: str, opened: ExitStack) -> tuple[list[Link], Standing]:
    """The deltas from a dropped file to a sound file that stands, and that file, open: it may be dropped meanwhile.

    Nothing is written.
    """
    chain: list[Link] = []
    for following in links_from(store, sha256):
        if chain:
            standing = open_sound(store.path(layout.blob(following)), following)
            if standing is not None:
                return chain, opened.enter_context(standing)
        path = store.path(layout.delta(following))
        try:
            delta = read_delta(path, following)
        except FileNotFoundError:
            raise _broken(sha256, f"the file {following[:12]}… that it starts from is gone or damaged") from None
        if chain and delta.base_sha256 is not None and delta.key != chain[0][0].key:
            # The declared key has changed since, so that the two cannot be taken together.
            with ExitStack() as further:
                return chain, assemble_in_memory(*_chain(store, following, further))
        chain.append((delta, path))
    return chain, None


def _broken(sha256: str, why: str) -> ChecksumMismatchError:
    return ChecksumMismatchError(
        f"The rows of the dropped file {sha256[:12]}… cannot be put together: {why}.",
        hint="Restore the warehouse's deltas and files from a backup.",
    )
