"""A download that is either whole and what was exported, or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from data_platform.client.places import unwritable
from data_platform.client.transport import Transport
from data_platform.errors import ChecksumMismatchError


@contextmanager
def destination(path: Path) -> Generator[BinaryIO]:
    """A file beside `path` (mode 0600) to write to, which takes its place when the block ends without an error.

    Raises:
        UsageError: when it can't be written there.
    """
    try:
        _require_place(path)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise unwritable(path, error) from None
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _require_place(path: Path) -> None:
    """Refuse what a file can't or must not take the place of.

    Raises:
        OSError: for a folder, a name that can't be, and what is there and no file, such as /dev/null.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "A name holds no NUL character")
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a file")


def fetch(transport: Transport, export: str, file: BinaryIO) -> dict[str, Any]:
    """Write an export's file to an open one and return its manifest.

    Raises:
        ChecksumMismatchError: when its SHA-256 is not the manifest's.
    """
    manifest: dict[str, Any] = transport.get(f"{export}/manifest")
    digest = hashlib.sha256()
    with transport.stream(f"{export}/file") as answer:
        for piece in answer.iter_bytes():
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != manifest.get("sha256"):
        raise ChecksumMismatchError("The file that arrived is not the one that was exported.", hint="Try again.")
    return manifest
