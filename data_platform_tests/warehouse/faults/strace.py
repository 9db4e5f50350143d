"""Striking a process at one system call with strace, and reading which calls it made.

strace counts the calls of each name separately, so a boundary is a name and the how-manieth call of that name it is.
SIGKILL is delivered on entry: the call itself is not carried out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from data_platform_tests.warehouse.faults.child import Operation, child

# Calls that change files, names or locks, and `close`, which gives locks back. A `?` marks those that not every
# architecture has.
CALLS: Final = (
    "?open,?creat,openat,write,pwrite64,writev,fsync,fdatasync,?link,linkat,?rename,?renameat,renameat2,?unlink,unlinkat,"
    "?mkdir,mkdirat,?rmdir,?chmod,fchmod,fchmodat,flock,ftruncate,close"
)
_LINE: Final = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*?)\)?\s+= (?P<result>.*)$")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: its text as strace shows it, and that it is the `nth` of its name, from 1."""

    name: str
    nth: int
    arguments: str
    result: str

    def __str__(self) -> str:
        return f"{self.name}#{self.nth}({self.arguments})"


def changes_something(call: Call) -> bool:
    """Whether it may matter that a process died before this call rather than before the next: not if it only reads."""
    return call.name != "close" and not (call.name == "openat" and "O_CREAT" not in call.arguments)


@dataclass(frozen=True, slots=True)
class Struck:
    """How an operation ended that was struck: killed or not, and what it said."""

    killed: bool
    acknowledgement: str | None


@cache
def why_not() -> str:
    """Why processes cannot be struck here; empty when they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    sleeper = subprocess.Popen(["sleep", "10"])
    try:
        tried = subprocess.run(
            ["timeout", "-s", "INT", "0.3", "strace", "-p", str(sleeper.pid)], capture_output=True, check=False
        )
    finally:
        sleeper.kill()
        sleeper.wait()
    return "" if b"attached" in tried.stderr else "strace may not attach to a process here"


def require_strace() -> None:
    """Skip the test where processes cannot be struck."""
    if why_not():
        pytest.skip(why_not())


def trace(operation: Operation, root: Path, log: Path) -> tuple[list[Call], str | None]:
    """Run an operation to its end; the calls it made, and what it acknowledged.

    Descriptors carry the path they stand for, as in ``write(4</path>, …``.
    """
    with child(operation, root) as process, _attached(process.pid, f"--output={log}", "-y", f"--trace={CALLS}"):
        process.begin()
        acknowledged = process.acknowledgement()
        process.end_gently()
    return parse(log.read_text().splitlines()), acknowledged


def kill(operation: Operation, root: Path, call: Call) -> Struck:
    """Run an operation and kill it at this call."""
    return _inject(operation, root, call, "signal=KILL")


def fail(operation: Operation, root: Path, call: Call, error: str) -> Struck:
    """Run an operation and let this one call fail with an error such as ``ENOSPC``."""
    return _inject(operation, root, call, f"error={error}")


def parse(lines: Sequence[str]) -> list[Call]:
    """The calls in strace's output, each counted among those of its name."""
    seen: Counter[str] = Counter()
    calls: list[Call] = []
    for line in lines:
        match = _LINE.match(line)
        if match:
            seen[match["name"]] += 1
            calls.append(Call(match["name"], seen[match["name"]], match["arguments"], match["result"]))
    return calls


def _inject(operation: Operation, root: Path, call: Call, what: str) -> Struck:
    injection = f"--inject={call.name}:{what}:when={call.nth}"
    with child(operation, root) as process:
        with _attached(process.pid, f"--output={os.devnull}", f"--trace={call.name}", injection):
            process.begin()
            acknowledged = process.acknowledgement()
            process.end_gently()
        return Struck(killed=process.was_killed(), acknowledgement=acknowledged)


@contextmanager
def _attached(pid: int, *options: str) -> Iterator[None]:
    tracer = subprocess.Popen(
        ["strace", "--attach", str(pid), *options], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert tracer.stderr is not None
    with tracer, tracer.stderr:
        said = tracer.stderr.readline()
        assert "attached" in said, said
        yield
