"""The process that workers are forked from: it has imported Arrow, made an empty DuckDB, and has one thread.

Not the standard library's fork server, which imports the caller's main module again in every child, keeps the whole
environment readable in /proc/<pid>/environ, and is one per process, whoever else uses it and with whatever preload.

The control stream carries requests of one letter and a process id. ``F`` comes with the worker's end of a socket
pair and is answered with the new worker's id; ``R`` kills that worker, waits until it is gone, and is answered with
its wait status; ``D`` kills it as well, is not answered, and nobody waits. Only this process reaps workers, so an id
cannot be reused while the parent still speaks of it. When the parent goes away the control stream ends, and every
worker with it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
from collections.abc import Callable
from typing import Final, NoReturn

REQUEST: Final = struct.Struct("!cq")
REPLY: Final = struct.Struct("!q")
FORK: Final = b"F"
REAP: Final = b"R"
DISMISS: Final = b"D"
READY: Final = 0
_LOOK_SECONDS: Final = 0.02


def serve(control_fd: int) -> None:
    """Serve until the parent closes the control stream."""
    # Once: what workers inherit ready to use, and what the launcher's process, which imports this module, is spared.
    from data_platform.governance.engine import session, worker  # noqa: PLC0415 - see above

    prepared = session.prepare()
    # Workers need not copy the pages of what is never collected.
    gc.freeze()
    control = socket.socket(fileno=control_fd)
    control.sendall(REPLY.pack(READY))
    workers: set[int] = set()
    leaving: set[int] = set()
    try:
        while True:
            leaving -= {process_id for process_id in leaving if _is_gone(process_id)}
            control.settimeout(_LOOK_SECONDS if leaving else None)
            try:
                request, descriptors, _, _ = socket.recv_fds(control, REQUEST.size, 1)
            except TimeoutError:
                continue
            if len(request) < REQUEST.size:
                return
            operation, process_id = REQUEST.unpack(request)
            if operation == FORK:
                process_id = os.fork()
                if process_id == 0:
                    _become_worker(control, descriptors[0], lambda channel: worker.answer(channel, prepared))
                os.close(descriptors[0])
                workers.add(process_id)
                control.sendall(REPLY.pack(process_id))
            elif operation == REAP:
                control.sendall(REPLY.pack(_end(process_id) if process_id in workers else -1))
                workers.discard(process_id)
            elif operation == DISMISS and process_id in workers:
                os.kill(process_id, signal.SIGKILL)
                workers.discard(process_id)
                leaving.add(process_id)
    finally:
        for process_id in workers | leaving:
            _end(process_id)


def _become_worker(control: socket.socket, channel_fd: int, answer: Callable[[socket.socket], None]) -> NoReturn:
    try:
        control.close()
        with socket.socket(fileno=channel_fd) as channel:
            answer(channel)
    finally:
        # Without the interpreter's exit handlers: they belong to the process this one was forked from.
        os._exit(0)


def _is_gone(process_id: int) -> bool:
    return os.waitpid(process_id, os.WNOHANG)[0] == process_id


def _end(process_id: int) -> int:
    os.kill(process_id, signal.SIGKILL)
    return os.waitpid(process_id, 0)[1]
