"""An operation in a process of its own, which waits for the word to begin and acknowledges what it has done.

The processes are forked from one that has imported everything and used nothing: no thread pool of Polars or Arrow is
forked half alive, and a process costs milliseconds.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

DONE: Final = "done"
_PATIENCE_SECONDS: Final = 60.0

Operation = Callable[[Path], None]

FORKED = multiprocessing.get_context("forkserver")
# pandas is imported by pyarrow at its first conversion; that must not be among an operation's own calls.
FORKED.set_forkserver_preload(
    ["pytest", "pandas", "pyarrow.pandas_compat", "data_platform_tests.warehouse.faults.scenarios"]
)


class Child:
    """A process that is about to run an operation on a warehouse."""

    def __init__(self, operation: Operation, root: Path) -> None:
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_PATIENCE_SECONDS)
        self._process = FORKED.Process(target=_run, args=(operation, root, theirs), daemon=True)
        self._process.start()
        theirs.close()
        assert self._control.recv(1) == b"r", "the process did not start"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    def begin(self) -> None:
        """Let the operation start."""
        self._control.send(b"!")

    def acknowledgement(self) -> str | None:
        """`DONE`, or the error that the operation ended with; None when it died before it could say so."""
        try:
            return self._control.recv(4096).decode() or None
        except ConnectionResetError:
            return None

    def was_killed(self) -> bool:
        """Whether it was ended by SIGKILL, once it has ended."""
        self._process.join(_PATIENCE_SECONDS)
        return self._process.exitcode == -9

    def end_gently(self) -> None:
        """Let it exit, once it has acknowledged; the answer to a further question is that it has gone."""
        self._control.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Let it go, dead or alive."""
        self._control.close()
        self._process.join(_PATIENCE_SECONDS)
        self._process.close()


@contextmanager
def child(operation: Operation, root: Path) -> Iterator[Child]:
    """A child that has ended when the block is left."""
    started = Child(operation, root)
    try:
        yield started
    finally:
        started.end()


def _run(operation: Operation, root: Path, control: socket.socket) -> None:
    control.send(b"r")
    if not control.recv(1):
        os._exit(0)
    try:
        operation(root)
    except Exception as error:  # noqa: BLE001 - whatever went wrong is the answer
        answer = type(error).__name__
    else:
        answer = DONE
    # send and recv are none of the calls at which an operation is struck.
    with contextlib.suppress(ConnectionError):
        control.send(answer.encode())
        control.recv(1)
    os._exit(0)
