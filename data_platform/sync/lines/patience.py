"""A thread for what may hang, and a caller who waits only so long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from data_platform.errors import PlatformError


class _Attempt:
    """A piece of work and what came of it: `failure` says why it was not done, once `finished`."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self.finished = threading.Event()
        self.failure: str | None = None

    def __call__(self) -> None:
        try:
            self._work()
        except PlatformError as error:
            self.failure = error.message
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever the database does
            # Its own words may repeat a value.
            self.failure = type(error).__name__
        finally:
            self.finished.set()


class Patience:
    """Does one thing after the other in a thread of its own.

    What has begun is never interrupted, only no longer waited for. The thread does not keep the process from ending.
    """

    def __init__(self, name: str) -> None:
        self._attempts: SimpleQueue[_Attempt | None] = SimpleQueue()
        self._last: _Attempt | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def attempt(self, work: Callable[[], object], seconds: float) -> str | None:
        """Do something and return None, or why it is not done: it failed, or takes longer than `seconds`.

        While something earlier still takes its time, nothing new begins.
        """
        if self._last and not self._last.finished.is_set():
            return "the database still has not answered"
        self._last = _Attempt(work)
        self._attempts.put(self._last)
        if not self._last.finished.wait(seconds):
            return f"the database did not answer within {seconds:g} s"
        return self._last.failure

    def end(self) -> None:
        """Let the thread end when it is done with what it does."""
        self._attempts.put(None)

    def _run(self) -> None:
        while attempt := self._attempts.get():
            attempt()
