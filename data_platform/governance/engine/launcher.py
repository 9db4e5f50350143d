"""The parent's side of the fork server: start it once, ask it for workers, have each of them ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from data_platform.errors import PlatformError
from data_platform.governance.engine.forkserver import DISMISS, FORK, READY, REAP, REPLY, REQUEST
from data_platform.settings import PROJECT_ROOT

_START_SECONDS: Final = 30.0
_REPLY_SECONDS: Final = 10.0

_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[2]); "
    "from data_platform.governance.engine.forkserver import serve; serve(int(sys.argv[1]))"
)

_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    # Arrow's jemalloc would start a thread on import, which a fork does not copy.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""All that the fork server and its workers know of the environment: no credential, no home folder."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that waits for one task on the other end of `channel`."""

    process_id: int
    channel: socket.socket


class WorkerLauncher:
    """Starts the fork server when it is first needed and again when it has died. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        _alive.add(self)

    def launch(self) -> Worker:
        """Fork a worker.

        Raises:
            PlatformError: when the fork server can't be started or doesn't answer.
        """
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                control = self._ensure_server()
                socket.send_fds(control, [REQUEST.pack(FORK, 0)], [theirs.fileno()])
                return Worker(_reply(control), ours)
            except (OSError, EOFError) as error:
                ours.close()
                self._discard()
                raise PlatformError(
                    "The query engine could not be started.", hint="Try again; `data-platform doctor` says what works."
                ) from error

    def end(self, worker: Worker) -> int | None:
        """Kill a worker, if it still runs, and wait until it is gone; returns its wait status when it is known."""
        worker.channel.close()
        with self._lock:
            try:
                if self._control is None:
                    return None
                self._control.sendall(REQUEST.pack(REAP, worker.process_id))
                return _reply(self._control)
            except (OSError, EOFError):
                # Its workers die with it.
                self._discard()
                return None

    def dismiss(self, worker: Worker) -> None:
        """Kill a worker that has answered, without waiting until it is gone: a large process takes milliseconds."""
        worker.channel.close()
        with self._lock:
            try:
                if self._control is not None:
                    self._control.sendall(REQUEST.pack(DISMISS, worker.process_id))
            except OSError:
                # Its workers die with it.
                self._discard()

    def close(self) -> None:
        """End the fork server and every worker."""
        with self._lock:
            self._discard()

    def _ensure_server(self) -> socket.socket:
        if self._control is not None and self._server is not None and self._server.poll() is None:
            return self._control
        self._discard()
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(  # noqa: S603 - our own interpreter and program text
                [sys.executable, "-I", "-c", _PROGRAM, str(theirs.fileno()), str(PROJECT_ROOT)],
                pass_fds=[theirs.fileno()],
                env=_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._control = ours
        ours.settimeout(_START_SECONDS)
        if _reply(ours) != READY:
            raise EOFError
        ours.settimeout(_REPLY_SECONDS)
        return ours

    def _discard(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None:
            try:
                self._server.wait(timeout=_REPLY_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None

    def forget(self) -> None:
        """In a forked child: the server belongs to the parent, and holding its stream would keep it alive."""
        self._lock = threading.Lock()
        self._server = None
        if self._control is not None:
            with suppress(OSError):
                os.close(self._control.detach())
            self._control = None


def _reply(control: socket.socket) -> int:
    received = b""
    while len(received) < REPLY.size:
        piece = control.recv(REPLY.size - len(received))
        if not piece:
            raise EOFError
        received += piece
    return int(REPLY.unpack(received)[0])


_alive: weakref.WeakSet[WorkerLauncher] = weakref.WeakSet()


def _forget_all() -> None:
    for launcher in list(_alive):
        launcher.forget()


os.register_at_fork(after_in_child=_forget_all)
