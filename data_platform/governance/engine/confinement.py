"""The outermost layer, which holds when every other one fails: what the kernel lets a worker's process do at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from data_platform.errors import PlatformError
from data_platform.governance.engine.landlock import landlock_abi, restrict_to_reading
from data_platform.governance.engine.seccomp import restrict_calls, seccomp_available

_MACHINE: Final = ("/proc/self/cgroup", "/sys/fs/cgroup")
"""Resource limits of this machine's groups of processes. DuckDB looks at them, and ends when it may not."""


@dataclass(frozen=True, slots=True)
class ConfinementReport:
    """What of it this kernel has: Landlock's version (0 for none), and filters on system calls."""

    landlock_abi: int
    seccomp: bool

    @property
    def complete(self) -> bool:
        """Whether both parts are there; an early version of Landlock does, since the filter covers what it lacks."""
        return self.landlock_abi > 0 and self.seccomp

    def __str__(self) -> str:
        if self.complete:
            return f"Landlock (version {self.landlock_abi}) and a filter on system calls"
        lacking: list[str] = []
        if not self.landlock_abi:
            lacking.append("no Landlock, so files are not shut by the kernel")
        if not self.seccomp:
            lacking.append("no filter on system calls, so sockets are not shut by the kernel")
        return "; ".join(lacking)


MEND: Final = (
    "Use Linux 5.13 or newer on x86_64 or aarch64, with Landlock among the kernel's lsm= and seccomp not shut off."
)


def confinement_report() -> ConfinementReport:
    """Ask the kernel what it has, without changing anything."""
    return ConfinementReport(landlock_abi(), seccomp_available())


def confine(files: Iterable[str]) -> ConfinementReport:
    """Bind this process for good to computing and to reading `files`, as far as the kernel can.

    To be called with one thread, which may gain no privileges (`limits.confine_process`), and with everything
    imported: no library can be opened afterwards.

    Raises:
        OSError: when the kernel has a part and refuses it nevertheless.
    """
    report = confinement_report()
    if report.landlock_abi:
        restrict_to_reading((*_MACHINE, *files), report.landlock_abi)
    if report.seccomp:
        restrict_calls()
    return report


def require_confinement(report: ConfinementReport) -> None:
    """Refuse to go on where a part is lacking.

    Raises:
        PlatformError: saying which part, and what to do.
    """
    if not report.complete:
        raise PlatformError(f"Queries are refused: {report}.", hint=MEND)
