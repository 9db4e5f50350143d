"""Sharing one server between commands: the first to come starts it, the last to go stops it.

Two files, locked with flock(2), which the kernel releases however a process ends:

- ``guard`` is held exclusively, for moments, by whoever is about to start or stop the server;
- ``users`` is held shared for as long as somebody uses it. Whoever leaves tries, under the guard, to lock it
  exclusively: obtained means that nobody else is there.

A user killed without a chance to leave drops out of ``users`` by dying; the server it leaves behind is found
running by the next command and stopped by the last one of those.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from data_platform.errors import DatabaseUnavailableError, PlatformError

_log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.05
_GUARD_SECONDS: Final = 180

_held: set[int] = set()


def _forget_in_child() -> None:
    # A forked child shares the locks of its parent through these descriptors; it must not keep them alive.
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)


@contextmanager
def lease(guard: Path, users: Path, start: Callable[[], None], stop: Callable[[], None]) -> Generator[None]:
    """Hold a share of what `start` starts and `stop` stops.

    `start` is called for every lease, under the guard, and must return quickly when there is nothing to do. A
    failing `stop` is logged: by then the caller's work is done and not undone by it.

    Raises:
        DatabaseUnavailableError: when another process keeps the guard for minutes.
    """
    owner = os.getpid()
    share = _enter(guard, users, start, stop)
    try:
        yield
    finally:
        if os.getpid() == owner:
            try:
                _leave(guard, share, stop)
            finally:
                _close(share)


def _enter(guard: Path, users: Path, start: Callable[[], None], stop: Callable[[], None]) -> int:
    with _guarded(guard):
        share = _open(users)
        try:
            fcntl.flock(share, fcntl.LOCK_SH)
            start()
        except BaseException:
            try:
                if _alone(share):
                    _stop_quietly(stop)
            finally:
                _close(share)
            raise
    return share


def _leave(guard: Path, share: int, stop: Callable[[], None]) -> None:
    with _guarded(guard):
        if _alone(share):
            _stop_quietly(stop)


def _alone(share: int) -> bool:
    # Turning a shared lock into an exclusive one is not atomic, but nobody can come in between: we hold the guard.
    try:
        fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stop_quietly(stop: Callable[[], None]) -> None:
    try:
        stop()
    except PlatformError as error:
        _log.warning("%s", error)


@contextmanager
def _guarded(guard: Path) -> Generator[None]:
    descriptor = _open(guard)
    try:
        deadline = time.monotonic() + _GUARD_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DatabaseUnavailableError(
                        "Another command has been starting or stopping the embedded PostgreSQL for minutes.",
                        hint=f"`fuser {guard}` shows which; end it and try again.",
                    ) from None
                time.sleep(_POLL_SECONDS)
        yield
    finally:
        _close(descriptor)


def _open(path: Path) -> int:
    # Python opens with O_CLOEXEC: no program that we run inherits a lock.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    _held.add(descriptor)
    return descriptor


def _close(descriptor: int) -> None:
    _held.discard(descriptor)
    os.close(descriptor)
