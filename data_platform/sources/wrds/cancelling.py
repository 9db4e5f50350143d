"""Asking the server to stop a statement, without ever waiting for it longer than we want to.

The driver's own `cancel()` holds the interpreter's lock while it waits for the server, so one that does not answer
would freeze every thread of the process. The same two functions of libpq are called here in a thread that lets go.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import threading
from typing import TYPE_CHECKING, Final

import psycopg2
from psycopg2 import _psycopg

if TYPE_CHECKING:
    from psycopg2 import extensions

CANCEL_SECONDS: Final = 10.0
"""How long the server may take to heed a cancellation before the line is cut."""

_ERROR_BYTES: Final = 256


def ask_to_cancel(connection: extensions.connection, seconds: float) -> bool:
    """Ask for the end of what the session is doing; True when the server has taken note within `seconds`.

    The request needs no password and travels on a connection of its own. When the answer is late, the thread that
    waits for it stays behind, as a daemon, until the network gives up.
    """
    native = connection.pgconn_ptr
    if connection.closed or not native:
        return False
    libpq = _libpq()
    handle = libpq.PQgetCancel(native)
    if not handle:
        return False
    taken = threading.Event()

    def ask() -> None:
        reason = ctypes.create_string_buffer(_ERROR_BYTES)
        if libpq.PQcancel(handle, reason, _ERROR_BYTES):
            taken.set()
        libpq.PQfreeCancel(handle)

    thread = threading.Thread(target=ask, name="wrds-cancel", daemon=True)
    thread.start()
    thread.join(seconds)
    return taken.is_set()


def hang_up(connection: extensions.connection) -> None:
    """Cut a session's line, which ends the driver's wait at once; the server notices when it sends the next row."""
    with contextlib.suppress(OSError, psycopg2.Error):
        line = socket.socket(fileno=os.dup(connection.fileno()))
        with line:
            line.shutdown(socket.SHUT_RDWR)


def _libpq() -> ctypes.CDLL:
    """The very libpq that the driver is linked with, found through the driver's own module."""
    libpq = ctypes.CDLL(_psycopg.__file__)
    libpq.PQgetCancel.argtypes = [ctypes.c_void_p]
    libpq.PQgetCancel.restype = ctypes.c_void_p
    libpq.PQcancel.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    libpq.PQcancel.restype = ctypes.c_int
    libpq.PQfreeCancel.argtypes = [ctypes.c_void_p]
    libpq.PQfreeCancel.restype = None
    return libpq
