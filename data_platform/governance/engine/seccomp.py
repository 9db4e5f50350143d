"""A filter on system calls: this process computes, reads what it may open, answers on its channel, and nothing else.

A list of what is allowed, as a program for the kernel's packet filter (BPF), set by prctl through ctypes; the
packages that wrap it need a system library. There is no socket, no new process or program, no signal to another, no
file opened for writing, no new executable memory and no raised limit. A refused call fails with EPERM (ENOSYS where
glibc then falls back to an older one), and one of another architecture kills.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Final

from data_platform.governance.engine.syscalls import ALLOWED, ARCHITECTURES, CHECKED, FALLS_BACK, NEWEST, Architecture

_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2

_LOAD: Final = 0x20
_AND: Final = 0x54
_IF_EQUAL: Final = 0x15
_IF_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_FAIL: Final = 0x00050000

_NUMBER: Final = 0
_ARCHITECTURE: Final = 4

Instruction = tuple[int, int, int, int]
"""Operation, jump if true, jump if false, operand."""


def own_architecture() -> Architecture | None:
    """This machine's call numbers; None where the filter has none."""
    return ARCHITECTURES.get(os.uname().machine)


def seccomp_available() -> bool:
    """Whether the kernel takes filters and this machine's call numbers are known."""
    if own_architecture() is None:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    # A kernel that knows filters looks for one at this address, and says that it can't read it.
    libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, None, 0, 0)
    return ctypes.get_errno() == errno.EFAULT


def restrict_calls() -> None:
    """Set the filter, for good, for this thread and those that it starts.

    Raises:
        OSError: when the kernel refuses, or for an architecture without numbers.
    """
    architecture = own_architecture()
    if architecture is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    install(program(architecture, os.getpid()))


def install(instructions: list[Instruction]) -> None:
    """Give the kernel a filter.

    Raises:
        OSError: when it refuses.
    """
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    given = Program(len(instructions), ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(given), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def program(architecture: Architecture, process_id: int) -> list[Instruction]:
    """The filter for a process of this architecture and id. Pure."""
    instructions: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, architecture.word),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if architecture.foreign_from is not None:
        instructions += [(_IF_AT_LEAST, 0, 1, architecture.foreign_from), (_RETURN, 0, 0, _KILL)]
    for name in ALLOWED:
        if (number := architecture.numbers.get(name)) is not None:
            instructions += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for check in CHECKED:
        if (number := architecture.numbers.get(check.name)) is not None:
            expected = [process_id] if check.own_process else list(check.values)
            body = _masked(check.argument, check.mask, expected)
            instructions += [(_IF_EQUAL, 0, len(body), number), *body]
    for name in FALLS_BACK:
        instructions += [(_IF_EQUAL, 0, 1, architecture.numbers[name]), (_RETURN, 0, 0, _FAIL | errno.ENOSYS)]
    newer = [(_IF_AT_LEAST, 0, 1, NEWEST + 1), (_RETURN, 0, 0, _FAIL | errno.ENOSYS)]
    return [*instructions, *newer, (_RETURN, 0, 0, _FAIL | errno.EPERM)]


def _masked(argument: int, mask: int, expected: list[int]) -> list[Instruction]:
    """Allow when each half of the argument that the mask looks at is one of the values there (0 in the upper half)."""
    body: list[Instruction] = []
    upper, lower = mask >> 32, mask & 0xFFFFFFFF
    if upper:
        body += [(_LOAD, 0, 0, 20 + 8 * argument), (_AND, 0, 0, upper), (_IF_EQUAL, 1, 0, 0)]
        body += [(_RETURN, 0, 0, _FAIL | errno.EPERM)]
    body += [(_LOAD, 0, 0, 16 + 8 * argument), (_AND, 0, 0, lower)]
    for value in expected:
        body += [(_IF_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
    return [*body, (_RETURN, 0, 0, _FAIL | errno.EPERM)]
