"""Whose query runs next. Pure: no threads, no clock; `slots` asks it under a lock."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from typing import Generic, TypeVar

Ticket = TypeVar("Ticket")


class FairQueue(Generic[Ticket]):
    """Admits at most `concurrent` tickets, `per_user` of one user, and lets `waiting` more wait their turn.

    Users are served in turn, each user's tickets in the order they came. The nameless user ("") is a caller inside
    the program: only the total holds for it.
    """

    def __init__(self, concurrent: int, per_user: int, waiting: int) -> None:
        self._concurrent = concurrent
        self._per_user = per_user
        self._room = waiting
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many tickets wait."""
        return sum(len(tickets) for tickets in self._waiting.values())

    @property
    def running(self) -> int:
        """How many tickets have been admitted and have not left."""
        return self._running.total()

    def enter(self, user: str, ticket: Ticket) -> list[Ticket] | None:
        """Take a ticket in; returns those admitted now (this one or none), or None when the queue is full."""
        if user not in self._waiting and self._may_run(user):
            self._running[user] += 1
            return [ticket]
        if self.waiting >= self._room:
            return None
        self._waiting.setdefault(user, deque()).append(ticket)
        return []

    def leave(self, user: str) -> list[Ticket]:
        """A running ticket of the user has ended; returns those admitted in its place."""
        self._running[user] -= 1
        if not self._running[user]:
            del self._running[user]
        return self._admit()

    def give_up(self, user: str, ticket: Ticket) -> None:
        """A waiting ticket waits no longer."""
        tickets = self._waiting[user]
        tickets.remove(ticket)
        if not tickets:
            del self._waiting[user]

    def _admit(self) -> list[Ticket]:
        admitted: list[Ticket] = []
        while (user := next(filter(self._may_run, self._waiting), None)) is not None:
            admitted.append(self._take(user))
        return admitted

    def _take(self, user: str) -> Ticket:
        tickets = self._waiting[user]
        ticket = tickets.popleft()
        self._running[user] += 1
        if tickets:
            self._waiting.move_to_end(user)
        else:
            del self._waiting[user]
        return ticket

    def _may_run(self, user: str) -> bool:
        if self._running.total() >= self._concurrent:
            return False
        return user == "" or self._running[user] < self._per_user
