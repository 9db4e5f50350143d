"""Landlock: from here on this thread, and those it starts, may read the files named here and touch no other.

Called through ctypes, because the packages that wrap it cover files only. What the kernel does not know yet is left
out by its version (ABI), and `seccomp` stands in for it. Landlock binds root too. It lets one thing through: asking
whether a path exists, and how large it is.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_ASK_VERSION: Final = 1
_RULE_PATH_BENEATH: Final = 1

_READ_FILE: Final = 1 << 2
_FILE_RIGHTS: Final = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""All rights over files, by the ABI that brought them: 13 to begin with, then linking, truncating and device calls."""
_NET_RIGHTS: Final = {4: 0b11}
"""Binding and connecting TCP sockets."""
_SCOPES: Final = {6: 0b11}
"""Abstract Unix sockets of others, and signals to others."""

_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def landlock_abi() -> int:
    """The kernel's version of Landlock; 0 where it has none or it was switched off when the machine started."""
    try:
        return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    except OSError:
        return 0


def restrict_to_reading(files: Iterable[str], abi: int) -> None:
    """Shut everything but reading these files, for good. A file that is not there is passed over.

    Args:
        files: paths of files; symbolic links are followed now and never again.
        abi: what `landlock_abi` answered, at least 1.

    Raises:
        OSError: when the kernel refuses; nothing is shut then.
    """
    wanted = _Ruleset(_up_to(abi, _FILE_RIGHTS), _up_to(abi, _NET_RIGHTS), _up_to(abi, _SCOPES))
    # Kernels take a longer structure as long as what they don't know is zero.
    ruleset = _call(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(ctypes.sizeof(wanted)), ctypes.c_uint32(0))
    try:
        for path in files:
            with suppress(FileNotFoundError):
                _permit(ruleset, path)
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _permit(ruleset: int, path: str) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(_READ_FILE, descriptor)
        _call(
            _ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0)
        )
    finally:
        os.close(descriptor)


def _up_to(abi: int, rights: dict[int, int]) -> int:
    return sum(bits for since, bits in rights.items() if since <= abi)


def _call(number: int, *arguments: object) -> int:
    answer = int(_LIBC.syscall(ctypes.c_long(number), *arguments))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
