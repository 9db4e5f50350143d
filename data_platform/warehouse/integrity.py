"""Are the published bytes still those that were published? Asked before a file is read.

Hashing a file costs about as much as reading it, so it is done once for each state of the file: what the file system
says of a file that was found sound (device, inode, size, times) is noted beside it, and as long as that has not
changed the file is not hashed again. Bits that rot underneath, without the file system noticing, are what the regular
`verify` is for: it hashes everything, whatever was noted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import ExitStack, suppress
from enum import StrEnum
from pathlib import Path
from typing import IO, Final

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import layout
from data_platform.warehouse.manifest import FileEntry
from data_platform.warehouse.sealed import seal, unseal
from data_platform.warehouse.store import LocalStore

_SEAL: Final = "mark_sha256"


class Fault(StrEnum):
    """What can be wrong with a published file."""

    GONE = "missing_file"
    CHANGED = "changed_file"


def fault_of(store: LocalStore, entry: FileEntry, *, trust_notes: bool = True) -> Fault | None:
    """What is wrong with the stored file of an entry; None when it is sound.

    `trust_notes` spares the hashing of a file that was found sound before and has not been touched since.
    """
    path = store.path(layout.blob(entry.sha256))
    try:
        state = state_of(path)
        if path.stat().st_size != entry.bytes:
            return Fault.CHANGED
        if trust_notes and state == noted(store, layout.sound(entry.sha256)):
            return None
        actual = hash_file(path)
    except FileNotFoundError:
        return Fault.GONE
    except OSError:
        return Fault.CHANGED  # an unreadable sector: the bytes cannot be had
    if actual != entry.sha256:
        return Fault.CHANGED
    note(store, layout.sound(entry.sha256), state)
    return None


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_sound(path: Path, sha256: str) -> IO[bytes] | None:
    """A file, open at its beginning, that has that hash; None when it is gone, damaged or cannot be read.

    Once open it can be read to its end, even when its name is taken away meanwhile.
    """
    with suppress(OSError), ExitStack() as opened:
        file = opened.enter_context(path.open("rb"))
        if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
            file.seek(0)
            opened.pop_all()
            return file
    return None


def mark_damaged(store: LocalStore, table: str, entry: FileEntry, fault: Fault) -> None:
    """Write down that a file is damaged and could not be mended. Marking twice is harmless."""
    mark = {
        "table": table,
        "partition": entry.partition,
        "sha256": entry.sha256,
        "fault": fault.value,
        "found_at": dt.datetime.now(dt.UTC).isoformat(),
    }
    store.put_if_absent(layout.damage(entry.sha256), seal(mark, _SEAL))


def clear_mark(store: LocalStore, sha256: str) -> None:
    """Take the mark of a file away, now that it is sound again."""
    store.delete(layout.damage(sha256))


def marks(store: LocalStore) -> list[dict[str, object]]:
    """What is marked as damaged: table, partition, sha256, fault and found_at of each; a torn mark gives its hash."""
    found: list[dict[str, object]] = []
    for key in store.list(layout.DAMAGED):
        try:
            found.append(unseal(store.get(key), _SEAL, name=key))
        except (ChecksumMismatchError, FileNotFoundError):
            found.append({"sha256": Path(key).stem})
    return found


def state_of(path: Path) -> str:
    """What the file system says of a file, so that a later change shows.

    Raises:
        OSError: when it is gone, or the file system does not answer.
    """
    stat = path.stat()
    return f"{stat.st_dev}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"


def noted(store: LocalStore, key: str) -> str:
    """The state that was noted under a key; empty when there is no note that can be read."""
    try:
        return store.path(key).read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def note(store: LocalStore, key: str, state: str) -> None:
    """Remember the state of a sound file. A lost or torn note costs a hash, so it is not flushed."""
    path = store.path(key)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(state)
