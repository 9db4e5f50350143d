"""Waiting for a statement of the server's in a way that a signal can end.

The driver waits inside libpq, where Python hears no signal until the answer is there: a run that is told to stop would
go on for as long as the server counts and hashes. Here a thread waits, and whoever is interrupted asks the server to
stop first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from data_platform.sources.wrds.cancelling import CANCEL_SECONDS, ask_to_cancel, hang_up

if TYPE_CHECKING:
    from psycopg2 import extensions

Result = TypeVar("Result")


class _Waiting(Generic[Result]):
    """Work done in a thread: its result or its error, once `done` is set."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self.done = threading.Event()
        self._work = work
        self._results: list[Result] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="wrds-statement", daemon=True).start()

    def result(self) -> Result:
        """What the work returned; what it raised is raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - carried over to whoever waits
            self._error = error
        finally:
            self.done.set()


def interruptibly(connection: extensions.connection, work: Callable[[], Result]) -> Result:
    """Do work on a session that nobody else uses meanwhile; an interruption cancels its statement at the server."""
    waiting = _Waiting(work)
    try:
        waiting.done.wait()
    except BaseException:
        if not waiting.done.is_set() and not (
            ask_to_cancel(connection, CANCEL_SECONDS) and waiting.done.wait(CANCEL_SECONDS)
        ):
            hang_up(connection)
            waiting.done.wait(CANCEL_SECONDS)
        raise
    return waiting.result()
