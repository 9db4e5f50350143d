"""The small object-store-shaped interface under the warehouse, and its first implementation: local files.

What makes a commit safe is `put_if_absent`: exactly one of several writers creates a key, and once the call returns
the content and the name survive a power cut. An object store offers the same as a conditional put.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from data_platform.errors import DiskSpaceError

READ_ONLY: Final = 0o444
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
TEMPORARY: Final = ".tmp-"
"""How the name of anything unfinished begins."""


class ObjectStore(Protocol):
    """Keys are relative paths with forward slashes; objects are written whole and never appended to."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create the object durably; False, and nothing changed, when the key exists."""
        ...

    def adopt_if_absent(self, key: str, file: Path) -> bool:
        """Like `put_if_absent` for a finished local file on the same volume; it becomes read-only."""
        ...

    def replace(self, key: str, data: bytes) -> None:
        """Write the object, atomically replacing an earlier one; for hints only, never for facts."""
        ...

    def get(self, key: str) -> bytes:
        """Return the content; `FileNotFoundError` when there is none."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the key has an object."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys of the objects directly under a folder-like prefix, sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""
        ...


class LocalStore:
    """Objects as files under one folder; every acknowledged write has been fsynced, its folder too."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """Where the object of a key lies. Readers of Parquet need real paths."""
        return self.root / key

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create the object durably; False, and nothing changed, when the key exists."""
        target = self.path(key)
        temporary = self._write_temporary(target, data)
        try:
            with no_space_is_clear(target):
                return _link(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def adopt_if_absent(self, key: str, file: Path) -> bool:
        """Hard-link a finished file into place, read-only and durable; False when the key exists."""
        target = self.path(key)
        with no_space_is_clear(target):
            make_folder(target.parent)
            file.chmod(READ_ONLY)
            fsync_path(file)
            return _link(file, target)

    def restore(self, key: str, file: Path) -> None:
        """Put a finished file in the place of a damaged or missing object of the same content."""
        target = self.path(key)
        with no_space_is_clear(target):
            make_folder(target.parent)
            file.chmod(READ_ONLY)
            fsync_path(file)
            file.replace(target)
            fsync_path(target.parent)

    def replace(self, key: str, data: bytes) -> None:
        """Write the object, atomically replacing an earlier one."""
        target = self.path(key)
        temporary = self._write_temporary(target, data)
        try:
            with no_space_is_clear(target):
                temporary.replace(target)
                fsync_path(target.parent)
        finally:
            temporary.unlink(missing_ok=True)

    def get(self, key: str) -> bytes:
        """Return the content; `FileNotFoundError` when there is none."""
        return self.path(key).read_bytes()

    def exists(self, key: str) -> bool:
        """Whether the key has an object."""
        return self.path(key).exists()

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys directly under a folder, sorted; half-written temporaries are not objects."""
        folder = self.path(prefix)
        if folder.is_dir():
            for entry in sorted(folder.iterdir()):
                if entry.is_file() and not entry.name.startswith(TEMPORARY):
                    yield f"{prefix.rstrip('/')}/{entry.name}"

    def delete(self, key: str) -> None:
        """Remove the object durably; nothing happens when there is none."""
        target = self.path(key)
        with suppress(FileNotFoundError), no_space_is_clear(target):
            target.unlink()
            fsync_path(target.parent)

    def _write_temporary(self, target: Path, data: bytes) -> Path:
        temporary = temporary_beside(target)
        with no_space_is_clear(target):
            make_folder(target.parent)
            try:
                with temporary.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        return temporary


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, private to the owner, so that their names survive a power cut."""
    missing: list[Path] = []
    current = folder
    while not current.is_dir():
        missing.append(current)
        current = current.parent
    with no_space_is_clear(folder):
        for path in reversed(missing):
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
            fsync_path(path.parent)


def temporary_beside(target: Path) -> Path:
    """A name for something unfinished in the folder of `target`, which is made."""
    make_folder(target.parent)
    return target.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")


def fsync_path(path: Path) -> None:
    """Flush a file's content, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def no_space_is_clear(target: Path) -> Generator[None]:
    """Turn a full disk, quota or file-size limit into one clear error."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise DiskSpaceError(
            f"No space left while writing to {target.parent}.",
            hint="Free some space, then run the same command again.",
        ) from error


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except FileExistsError:
        # Whoever linked it may have died before this; our caller is about to rely on the name.
        fsync_path(target.parent)
        return False
    fsync_path(target.parent)
    return True
