"""Ways in which stored bytes go wrong."""

from __future__ import annotations

import os
from pathlib import Path

from data_platform.warehouse import SyncManifest, Warehouse, layout


def flip_a_bit(path: Path, *, at: int | None = None, keep_times: bool = False) -> None:
    """Change one bit, in the middle unless said; `keep_times` puts the time of its last change back."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 0x10
    path.chmod(0o600)
    path.write_bytes(data)
    path.chmod(before.st_mode)
    if keep_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def blob_path(warehouse: Warehouse, manifest: SyncManifest, partition: str) -> Path:
    """Where the file of a partition lies."""
    entry = manifest.file(partition)
    assert entry is not None
    return warehouse.store.path(layout.blob(entry.sha256))
