"""Disk space: room for twice what is about to be written, and the 80, 90 and 95 percent marks."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from data_platform.errors import DiskSpaceError

WARNING_PCT: Final = 80.0
CRITICAL_PCT: Final = 90.0
REFUSE_PCT: Final = 95.0
_SAFETY_FACTOR: Final = 2


class DiskSpaceStatus(BaseModel):
    """How full the volume is; bytes and percent."""

    model_config = ConfigDict(frozen=True)

    level: Literal["ok", "warning", "critical"]
    free_bytes: int
    total_bytes: int
    used_pct: float
    message: str


def assess(*, free_bytes: int, used_bytes: int) -> DiskSpaceStatus:
    """Judge a volume by what is free to us and what is used; space reserved for the system counts as neither."""
    total = free_bytes + used_bytes
    used_pct = 100.0 * used_bytes / total if total else 100.0
    level: Literal["ok", "warning", "critical"] = "ok"
    if used_pct >= CRITICAL_PCT:
        level = "critical"
    elif used_pct >= WARNING_PCT:
        level = "warning"
    message = f"{used_pct:.0f} % used, {free_bytes / 2**30:.1f} GiB free"
    return DiskSpaceStatus(
        level=level, free_bytes=free_bytes, total_bytes=total, used_pct=round(used_pct, 1), message=message
    )


def status(folder: Path) -> DiskSpaceStatus:
    """Judge the volume that holds `folder`."""
    usage = shutil.disk_usage(folder)
    return assess(free_bytes=usage.free, used_bytes=usage.used)


def require_room(current: DiskSpaceStatus, expected_bytes: int) -> None:
    """Refuse to start writing when the volume is too full.

    Raises:
        DiskSpaceError: above 95 percent, or with less than twice the expected bytes free.
    """
    if current.used_pct >= REFUSE_PCT:
        raise DiskSpaceError(f"The disk is too full to start: {current.message}.", hint="Free some space first.")
    if current.free_bytes < _SAFETY_FACTOR * expected_bytes:
        raise DiskSpaceError(
            f"Not enough room: about {expected_bytes / 2**20:.0f} MiB will be written and twice that must be free; "
            f"{current.message}.",
            hint="Free some space first.",
        )
