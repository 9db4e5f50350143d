"""Who holds a lock: the token in the lock file, and the facts about this kernel and process that go into it."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import uuid
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

SUSPECT_AFTER: Final = dt.timedelta(hours=4)


class LockToken(BaseModel):
    """Who holds a lock. `writer_id` is a nonce, new for every acquisition; `epoch` grows with each."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    hostname: str
    writer_id: str
    acquired_at: dt.datetime
    expires_at: dt.datetime
    epoch: int
    boot_id: str
    process_started: str

    def owner(self) -> str:
        """The holder in words, for messages."""
        return f"process {self.pid} on {self.hostname}, since {self.acquired_at:%Y-%m-%d %H:%M:%S} UTC"


def new_token(epoch: int) -> LockToken:
    """A token of this process for an acquisition that begins now."""
    now = dt.datetime.now(dt.UTC)
    return LockToken(
        pid=os.getpid(),
        hostname=socket.gethostname(),
        writer_id=uuid.uuid4().hex,
        acquired_at=now,
        expires_at=now + SUSPECT_AFTER,
        epoch=epoch,
        boot_id=boot_id(),
        process_started=_process_started(),
    )


def is_foreign(token: LockToken) -> bool:
    """Whether a lock was made on another host, so that this kernel cannot speak for its owner.

    The same boot is the same kernel, whatever the host is called now: a container's name changes with every start.
    """
    return token.hostname != socket.gethostname() and token.boot_id != boot_id()


def read_token(path: Path) -> LockToken | None:
    """What a lock file says; None when there is none, or when it is torn or malformed."""
    try:
        return LockToken.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError, ValidationError):
        return None


def boot_id() -> str:
    """The kernel's name for this boot; empty where it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _process_started() -> str:
    try:
        return Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
