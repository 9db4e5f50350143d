"""The table lock: a courtesy between writers, proved by the kernel and fenced at publish.

Protocol. `<table>.guard` is permanent; whoever changes the lock or publishes holds `flock` on it, for milliseconds.
Under the guard, `<table>.lock` is created exclusively and its descriptor stays locked by `flock` for as long as its
owner lives. Whoever finds the file and obtains that `flock` has the kernel's word that the owner is dead, whatever
process id, clock or content say; a torn or malformed file needs no special case. The nonce and an epoch that only
grows fence a writer that lost its lock. Age and a missing heartbeat mark a lock as suspect for people; they never break
one.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import logging
import os
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from data_platform.errors import Fenced, LockBusyError, UsageError
from data_platform.metrics.counting import lock_recovered
from data_platform.warehouse.heartbeat import Heartbeat
from data_platform.warehouse.lock_guard import READER_SECONDS, WRITER_SECONDS, held_guard
from data_platform.warehouse.lock_token import LockToken, is_foreign, new_token, read_token
from data_platform.warehouse.store import fsync_path, make_folder, no_space_is_clear

_POLL_SECONDS: Final = 0.2
_log = logging.getLogger(__name__)


class LockState(BaseModel):
    """A lock as people see it: `alive` is the kernel's answer, `token` is None when the file is torn.

    `heartbeat_at` is when its owner last gave a sign of life; a living owner that gives none is stopped or stuck.
    """

    model_config = ConfigDict(frozen=True)

    table: str
    alive: bool
    token: LockToken | None
    heartbeat_at: dt.datetime


class HeldLock:
    """A lock that is ours until released; closed in forked children, so that only the owner keeps it alive."""

    def __init__(self, lock: TableLock, descriptor: int, token: LockToken) -> None:
        self._lock = lock
        self._descriptor = descriptor
        self.token = token
        self._pulse = Heartbeat(descriptor)
        _held.add(self)

    @contextmanager
    def guarded(self) -> Generator[None]:
        """Hold the guard while publishing, having checked that the lock is still ours.

        Raises:
            Fenced: when it is not.
        """
        with self._lock.guard(WRITER_SECONDS):
            self._check()
            yield

    def release(self) -> None:
        """Give the lock back, unless it is no longer ours. Releasing twice is harmless.

        The work is done by then: where the guard can't be had the file stays, and the next writer finds its owner gone.
        """
        if self._descriptor < 0:
            return
        try:
            with self._lock.guard(), suppress(Fenced):
                self._check()
                self._lock.path.unlink()
                # Should the name come back after a power cut, its owner is dead by the kernel's word.
                with suppress(OSError):
                    fsync_path(self._lock.path.parent)
        except LockBusyError as error:
            _log.warning("%s The lock is left to the next writer.", error.message)
        finally:
            self.forget()

    def forget(self) -> None:
        """Close the descriptor without touching the file."""
        if self._descriptor >= 0:
            self._pulse.stop()
            os.close(self._descriptor)
            self._descriptor = -1
        _held.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _check(self) -> None:
        lost = Fenced(
            f"The lock on {self._lock.table} was taken away while working; nothing was published.",
            hint="See `data-platform lock list`, then run the sync again.",
        )
        if self._descriptor < 0:
            raise lost
        mine = os.fstat(self._descriptor)
        try:
            named = self._lock.path.stat()
        except FileNotFoundError:
            raise lost from None
        same_file = (mine.st_ino, mine.st_dev) == (named.st_ino, named.st_dev) and mine.st_nlink == 1
        token = read_token(self._lock.path)
        if not same_file or token is None or token.writer_id != self.token.writer_id:
            raise lost
        if self._lock.epoch() != self.token.epoch:
            raise lost


class TableLock:
    """The lock of one table, in the folder `locks/`."""

    def __init__(self, folder: Path, table: str) -> None:
        self.table = table
        self.path = folder / f"{table}.lock"
        self._guard_path = folder / f"{table}.guard"
        self._epoch_path = folder / f"{table}.epoch"
        self._stale = folder / "stale"

    def acquire(self, *, wait_seconds: float = 0.0) -> HeldLock:
        """Take the lock, waiting at most `wait_seconds` for a living owner.

        Raises:
            LockBusyError: naming the living owner, or the other host whose lock we must not judge; or the lock is being
                changed by a process that does not go on.
        """
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                with self.guard():
                    return self._acquire_guarded()
            except LockBusyError:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(_POLL_SECONDS)

    def guard(self, wait_seconds: float | None = None) -> AbstractContextManager[None]:
        """Hold the guard for a block.

        Raises:
            LockBusyError: another process holds it for longer than we may wait.
        """
        return held_guard(self._guard_path, READER_SECONDS if wait_seconds is None else wait_seconds)

    def force_release(self, writer_id: str) -> LockToken:
        """Take the lock away from the writer of that nonce; its publish is fenced from now on.

        Raises:
            UsageError: when the lock is free, torn, or held by another writer.
        """
        with self.guard():
            token = read_token(self.path)
            if token is None or token.writer_id != writer_id:
                raise UsageError(
                    f"{self.table} is not locked by a writer {writer_id!r}.", hint="See `data-platform lock list`."
                )
            self._retire()
        lock_recovered("by_hand")
        return token

    def epoch(self) -> int:
        """The number of the last acquisition; 0 before the first."""
        try:
            return int(self._epoch_path.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def state(self) -> LockState | None:
        """Who holds the lock and whether the kernel says that the owner lives; None when it is free.

        Whoever looks does not wait long: while somebody who was stopped holds the guard, the owner is said to live.
        """
        try:
            with self.guard():
                return self._seen(_is_locked)
        except LockBusyError:
            return self._seen(lambda _: True)

    def _seen(self, lives: Callable[[int], bool]) -> LockState | None:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            alive = lives(descriptor)
            heartbeat_at = dt.datetime.fromtimestamp(os.fstat(descriptor).st_mtime, dt.UTC)
        finally:
            os.close(descriptor)
        return LockState(table=self.table, alive=alive, token=read_token(self.path), heartbeat_at=heartbeat_at)

    def _acquire_guarded(self) -> HeldLock:
        for _ in range(2):
            with suppress(FileExistsError), no_space_is_clear(self.path):
                return self._create()
            self._retire_if_dead()
        raise LockBusyError(f"{self.table} is locked by another writer.", hint="See `data-platform lock list`.")

    def _create(self) -> HeldLock:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            epoch = self._bump_epoch()
            token = new_token(epoch)
            os.write(descriptor, token.model_dump_json().encode())
            os.fsync(descriptor)
            fsync_path(self.path.parent)
            return HeldLock(self, descriptor, token)
        except BaseException:
            self.path.unlink(missing_ok=True)
            os.close(descriptor)
            raise

    def _bump_epoch(self) -> int:
        epoch = self.epoch() + 1
        temporary = self._epoch_path.with_suffix(".epoch-new")
        try:
            with temporary.open("w") as file:
                file.write(str(epoch))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._epoch_path)
        finally:
            temporary.unlink(missing_ok=True)
        return epoch

    def _retire_if_dead(self) -> None:
        """Move the lock of a dead owner aside; a living owner, or another host's lock, is left alone."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            token = read_token(self.path)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = token.owner() if token else "another writer"
                raise LockBusyError(
                    f"{self.table} is locked by {owner}.",
                    hint="Wait for it to finish; see `data-platform lock list`.",
                ) from None
            if token is not None and is_foreign(token):
                raise LockBusyError(
                    f"{self.table} is locked by another host: {token.owner()}. Whether that writer lives cannot be "
                    "proved from here, so the lock is never broken automatically.",
                    hint=f"When it is surely dead: data-platform lock release {self.table} {token.writer_id}",
                )
            self._retire()
            lock_recovered("dead_writer")
            _log.warning("%s: retired the lock of a dead writer (%s)", self.table, token.owner() if token else "torn")
        finally:
            os.close(descriptor)

    def _retire(self) -> None:
        make_folder(self._stale)
        with no_space_is_clear(self.path):
            self.path.rename(self._stale / f"{self.table}-{time.time_ns()}.lock")
            fsync_path(self.path.parent)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


_held: weakref.WeakSet[HeldLock] = weakref.WeakSet()


def _close_in_child() -> None:
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_close_in_child)
