"""Waiting for a turn: threads queue here until the fair queue lets their query run."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from data_platform.errors import PlatformError, QueryCancelledError
from data_platform.governance.engine.cancellation import Cancellation
from data_platform.governance.engine.fair_queue import FairQueue


class EngineBusyError(PlatformError):
    """The query didn't get its turn in time, or there was no room to wait; trying again later may work."""


@dataclass(frozen=True, slots=True)
class RunningQuery:
    """One query of this process, for administrators: whose, over what, since when, and whether it waits its turn."""

    number: int
    user: str
    dataset: str
    since: datetime
    waiting: bool


class _Ticket:
    def __init__(self) -> None:
        self.woken = threading.Event()
        self.admitted = False


class QuerySlots:
    """The process's places for queries; safe to share between threads."""

    def __init__(self, concurrent: int, per_user: int, waiting: int) -> None:
        self._lock = threading.Lock()
        self._queue: FairQueue[_Ticket] = FairQueue(concurrent, per_user, waiting)
        self._concurrent = concurrent
        self._numbers = itertools.count(1)
        self._present: dict[int, tuple[RunningQuery, Cancellation]] = {}

    @contextmanager
    def held(self, user: str, dataset: str, deadline: float, cancellation: Cancellation) -> Generator[None]:
        """Wait for a place until `deadline` (of `time.monotonic`) and hold it for the block.

        Raises:
            EngineBusyError: no place in time, or too many wait already.
            QueryCancelledError: cancelled while it waited.
        """
        number = next(self._numbers)
        query = RunningQuery(number, user, dataset, datetime.now(UTC), waiting=True)
        self._present[number] = (query, cancellation)
        try:
            self._wait(user, deadline, cancellation)
            try:
                self._present[number] = (replace(query, waiting=False), cancellation)
                yield
            finally:
                self._leave(user)
        finally:
            del self._present[number]

    def present(self) -> list[RunningQuery]:
        """The queries that run or wait, oldest first."""
        return [query for query, _ in sorted(self._present.copy().values(), key=lambda entry: entry[0].number)]

    def cancel(self, number: int, reason: str) -> bool:
        """Stop a query by its number; whether it was there."""
        entry = self._present.get(number)
        if entry is None:
            return False
        entry[1].cancel(reason)
        return True

    def _wait(self, user: str, deadline: float, cancellation: Cancellation) -> None:
        cancellation.check()
        ticket = _Ticket()
        with self._lock:
            admitted = self._queue.enter(user, ticket)
            if admitted is None:
                raise EngineBusyError(
                    f"Too many queries are waiting: {self._queue.waiting:,}.", hint="Try again in a minute."
                )
            _wake(admitted)
        with cancellation.calling(ticket.woken.set):
            ticket.woken.wait(max(0.0, deadline - time.monotonic()))
        with self._lock:
            if not ticket.admitted:
                self._queue.give_up(user, ticket)
        try:
            cancellation.check()
        except QueryCancelledError:
            if ticket.admitted:
                self._leave(user)
            raise
        if not ticket.admitted:
            raise EngineBusyError(
                f"All {self._concurrent} query workers are busy, and the query's time ran out while it waited.",
                hint="Try again in a moment.",
            )

    def _leave(self, user: str) -> None:
        with self._lock:
            _wake(self._queue.leave(user))


def _wake(tickets: list[_Ticket]) -> None:
    for ticket in tickets:
        ticket.admitted = True
        ticket.woken.set()
