"""Asking the server to stop a statement, without ever waiting for it longer than we want to.

The driver's own `cancel()` holds the interpreter's lock while it waits for the server, so one that does not answer
would freeze every thread of the process. The same two functions of libpq are called here in a thread that lets go.
"""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING

from psycopg2 import _psycopg

if TYPE_CHECKING:
    from psycopg2 import extensions

_ERROR_BYTES = 256


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
