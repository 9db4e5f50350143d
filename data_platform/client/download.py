"""A download that is either whole and what was exported, or not there."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from data_platform.client.transport import Transport
from data_platform.errors import ChecksumMismatchError, UsageError


def download(transport: Transport, export: str, path: Path) -> dict[str, Any]:
    """Write an export's file to `path` (mode 0600) and return its manifest.

    Raises:
        UsageError: when the file can't be written there.
        ChecksumMismatchError: when its SHA-256 is not the manifest's.
    """
    manifest: dict[str, Any] = transport.get(f"{export}/manifest").json()
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    draft = Path(name)
    try:
        digest = hashlib.sha256()
        with os.fdopen(descriptor, "wb") as file, transport.stream(f"{export}/file") as answer:
            for piece in answer.iter_bytes():
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != manifest.get("sha256"):
            raise ChecksumMismatchError("The file that arrived is not the one that was exported.", hint="Try again.")
        draft.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return manifest


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"The file can't be written to {path}: {error.strerror}.", hint="Name another file.")
