"""Many callers at once: each sends point queries, one after the other, until the time is over."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from pydantic import BaseModel

from benchmarks.query_speed import point_queries
from benchmarks.query_stage import Stage
from benchmarks.records_figures import Times
from data_platform.errors import PlatformError
from data_platform.governance.permissions import User

CLIENTS: Final = (1, 8, 32)
_APART: Final = 101
"""So many queries lie between the beginnings of two callers, so that no two ask the same at once."""


class Served(BaseModel):
    """What so many callers got in so many seconds; `failures` are the kinds of error, with how often each came."""

    clients: int
    answered: int
    seconds: float
    times: Times
    failures: dict[str, int]

    @property
    def per_second(self) -> float:
        """Answers in a second, all callers together."""
        return self.answered / self.seconds

    @property
    def failed(self) -> int:
        """Queries that were not answered."""
        return sum(self.failures.values())


@dataclass(slots=True)
class _Tally:
    seconds: list[float] = field(default_factory=list[float])
    failures: dict[str, int] = field(default_factory=dict[str, int])


def serve(stage: Stage, clients: int, seconds: float) -> Served:
    """Let so many callers, each another user, ask for so long; a query that has begun by then is waited for."""
    people = [stage.person(f"caller-{clients}-{number}") for number in range(clients)]
    ready = threading.Barrier(clients + 1)
    ends: list[float] = []

    def ask(number: int, user: User) -> _Tally:
        tally = _Tally()
        queries = islice(point_queries(stage), number * _APART, None)
        ready.wait()
        until = time.perf_counter() + seconds
        for sql in queries:
            started = time.perf_counter()
            if started >= until:
                break
            try:
                rows = stage.through_the_door(user, sql).num_rows
            except PlatformError as error:
                kind = type(error).__name__
            else:
                kind = "" if rows else "no rows"
            if kind:
                tally.failures[kind] = tally.failures.get(kind, 0) + 1
            else:
                tally.seconds.append(time.perf_counter() - started)
        ends.append(time.perf_counter())
        return tally

    with ThreadPoolExecutor(clients) as pool:
        tallies = [pool.submit(ask, number, user) for number, user in enumerate(people)]
        ready.wait()
        started = time.perf_counter()
        done = [tally.result() for tally in tallies]
    measured = [each for tally in done for each in tally.seconds]
    failures: dict[str, int] = {}
    for tally in done:
        for kind, times in tally.failures.items():
            failures[kind] = failures.get(kind, 0) + times
    return Served(
        clients=clients,
        answered=len(measured),
        seconds=round(max(ends) - started, 3),
        times=Times.of(measured or [0.0]),
        failures=failures,
    )
