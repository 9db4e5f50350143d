"""Files that hold secrets: written whole or not at all, readable by their owner only, durable before they are used."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_private(path: Path, content: str | bytes) -> None:
    """Write `content` to `path` with mode 0600, replacing what was there in one step, fsynced with its folder."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _create(draft, content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def create_private(path: Path, text: str) -> bool:
    """Write `text` to `path` like `write_private`, unless it exists; return whether this call created it.

    Two processes that create the same file at once agree on one content: the link into place happens once.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _create(draft, text)
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def private_folder(path: Path) -> Path:
    """Create `path` with mode 0700, its missing parents too; a folder that is there is narrowed to 0700."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(path: Path, content: str | bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
