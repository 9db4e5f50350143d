"""Stopping a query from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from data_platform.errors import QueryCancelledError


def cancelled(reason: str) -> QueryCancelledError:
    """The error of a query that was stopped for this reason."""
    return QueryCancelledError(f"The query was cancelled: {reason.rstrip('.')}.")


class Cancellation:
    """Hand one to `QueryEngine.run` and call `cancel` from any thread, before the query starts or while it runs.

    The first call counts. A query that has ended already is not touched.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._callbacks: list[Callable[[], None]] = []

    @property
    def reason(self) -> str | None:
        """Why the query was stopped; None as long as nobody stopped it."""
        return self._reason

    def cancel(self, reason: str) -> None:
        """Stop the query; its caller gets a `QueryCancelledError` with this reason."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
            # Under the lock, so that none is called once its block has been left.
            for callback in self._callbacks:
                callback()

    def check(self) -> None:
        """Raise when the query was stopped.

        Raises:
            QueryCancelledError: with the reason given.
        """
        if self._reason is not None:
            raise cancelled(self._reason)

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Generator[None]:
        """Within the block a cancellation calls `callback`, once, from the thread that cancels; at once if it was."""
        with self._lock:
            self._callbacks.append(callback)
            if self._reason is not None:
                callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)
