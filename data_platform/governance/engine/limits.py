"""How much one query may use, and the kernel limits that hold when the engine's own do not."""

from __future__ import annotations

import ctypes
import math
import resource
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

MIB: Final = 1024 * 1024

MAX_SQL_BYTES: Final = 16 * 1024

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Limits of one query.

    `memory_bytes` is what DuckDB tries to stay under; `address_space_bytes` is what the kernel allows the process
    (about 1 GiB of it is libraries, thread stacks and allocator reserve that hold no data). `count_rows` is how far
    rows beyond the page are counted. `result_bytes` bounds one page on its way to the caller. `expression_depth` is
    how deeply calls may be nested: far beyond what people write, and below what costs the parser seconds.
    """

    memory_bytes: int = 2048 * MIB
    address_space_bytes: int = 4096 * MIB
    threads: int = 2
    count_rows: int = 100_000
    result_bytes: int = 64 * MIB
    expression_depth: int = 500

    def to_json(self) -> dict[str, int]:
        """The limits as plain numbers, for the message to the worker."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> EngineLimits:
        """The limits that `to_json` wrote."""
        return cls(**document)


def soft_timeout(timeout_seconds: float) -> float:
    """When the engine is asked to stop, so that it can still answer before the process is killed."""
    return timeout_seconds - min(2.0, timeout_seconds * 0.1)


def confine_process(limits: EngineLimits, timeout_seconds: float) -> None:
    """Bind the calling process, for good: memory, CPU, no core dump, no byte written to any file.

    On Linux it also dies with the process that forked it, and is the first that a machine out of memory gives up.
    """
    cpu_seconds = math.ceil(timeout_seconds * limits.threads) + 5
    _lower(resource.RLIMIT_CPU, cpu_seconds)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_AS, limits.address_space_bytes)
    if sys.platform == "linux":
        _bind_to_parent()
        Path("/proc/self/oom_score_adj").write_bytes(b"1000")


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (ceiling, ceiling))


def _bind_to_parent() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
