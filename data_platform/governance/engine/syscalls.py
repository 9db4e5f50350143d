"""Which system calls a worker may make, as seen with DuckDB 2.0, Arrow and CPython, and their numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NEWEST: Final = 462
"""Higher numbers are of kernels that came later, and are answered as if this one were older."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """The kernel's word for a machine, its numbers, and from where on numbers belong to another kind of program."""

    word: int
    numbers: Mapping[str, int]
    foreign_from: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A call that is allowed when one argument, after the mask, has one of the values (or is this process's id)."""

    name: str
    argument: int
    mask: int
    values: tuple[int, ...] = (0,)
    own_process: bool = False


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ALL: Final = 0xFFFFFFFF
_PROT_EXEC: Final = 4
_CLONE_THREAD: Final = 0x10000
_PR_SET_NAME: Final = 15
_PR_SET_VMA: Final = 0x53564D41
_HANDLES: Final = (0, 1, 2, 3, 1030)
"""Of fcntl: duplicate a descriptor (1030 too), read and set its flag for exec, read its flags."""
_WRITING: Final = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | 0o20000000
"""The last is the bit of O_TMPFILE."""

ALLOWED: Final = _names(
    """
    futex read write pread64 sendto recvfrom close fstat lseek munmap mremap madvise brk
    newfstatat stat lstat access faccessat statx readv writev preadv poll ppoll
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time sched_yield sched_getaffinity getcpu
    getrandom getpid gettid getuid geteuid getgid getegid getrusage getrlimit sysinfo uname membarrier fadvise64
    rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall set_robust_list rseq exit exit_group
    """
)
"""Allowed whatever their arguments; the most frequent ones first."""

CHECKED: Final = (
    Check("openat", 2, _WRITING),
    Check("open", 1, _WRITING),
    Check("mmap", 2, _PROT_EXEC),
    Check("mprotect", 2, _PROT_EXEC),
    Check("clone", 0, _CLONE_THREAD, (_CLONE_THREAD,)),
    Check("prlimit64", 2, 2**64 - 1),
    Check("tgkill", 0, _ALL, own_process=True),
    Check("prctl", 0, _ALL, (_PR_SET_NAME, _PR_SET_VMA)),
    Check("fcntl", 1, _ALL, _HANDLES),
)

FALLS_BACK: Final = ("clone3", "openat2", "faccessat2")
"""Their arguments lie in memory, where a filter can't look; glibc uses the older call when there is none."""

_X86_64: Final = {
    **{"read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8},
    **{"mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14},
    **{"rt_sigreturn": 15, "pread64": 17, "readv": 19, "writev": 20, "access": 21, "sched_yield": 24, "mremap": 25},
    **{"madvise": 28, "nanosleep": 35, "getpid": 39, "sendto": 44, "recvfrom": 45, "clone": 56, "exit": 60},
    **{"uname": 63, "fcntl": 72, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "getuid": 102},
    **{"getgid": 104, "geteuid": 107, "getegid": 108, "sigaltstack": 131, "prctl": 157, "gettid": 186, "time": 201},
    **{"futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "fadvise64": 221, "clock_gettime": 228},
    **{"clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "tgkill": 234, "openat": 257},
    **{"newfstatat": 262, "faccessat": 269, "ppoll": 271, "set_robust_list": 273, "preadv": 295, "prlimit64": 302},
    **{"getcpu": 309, "getrandom": 318, "membarrier": 324, "statx": 332, "rseq": 334, "clone3": 435, "openat2": 437},
    **{"faccessat2": 439},
}

_AARCH64: Final = {
    **{"fcntl": 25, "faccessat": 48, "openat": 56, "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65},
    **{"writev": 66, "pread64": 67, "preadv": 69, "ppoll": 73, "newfstatat": 79, "fstat": 80, "exit": 93},
    **{"exit_group": 94, "futex": 98, "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113},
    **{
        "clock_getres": 114,
        "clock_nanosleep": 115,
        "sched_getaffinity": 123,
        "sched_yield": 124,
        "restart_syscall": 128,
    },
    **{"tgkill": 131, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139},
    **{"uname": 160, "getrlimit": 163, "getrusage": 165, "prctl": 167, "getcpu": 168, "gettimeofday": 169},
    **{"getpid": 172, "getuid": 174, "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179},
    **{"sendto": 206, "recvfrom": 207, "brk": 214, "munmap": 215, "mremap": 216, "clone": 220, "mmap": 222},
    **{"fadvise64": 223, "mprotect": 226, "madvise": 233, "prlimit64": 261, "getrandom": 278, "membarrier": 283},
    **{"statx": 291, "rseq": 293, "clone3": 435, "openat2": 437, "faccessat2": 439},
}

ARCHITECTURES: Final = {
    "x86_64": Architecture(0xC000003E, _X86_64, foreign_from=0x40000000),
    "aarch64": Architecture(0xC00000B7, _AARCH64),
}
