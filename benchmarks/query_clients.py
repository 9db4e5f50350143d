"""Many callers at once: each sends point queries, one after the other, until the time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from pydantic import BaseModel

from benchmarks.query_speed import point_queries
from benchmarks.query_stage import Stage
from benchmarks.records_figures import Times
from data_platform.errors import PlatformError

CLIENTS: Final = (1, 8, 32)
IN_PROCESS: Final = "the service, in one process"
OVER_HTTP: Final = "HTTP"
_APART: Final = 101
"""So many queries lie between the beginnings of two callers, so that no two ask the same at once."""


class Served(BaseModel):
    """What so many callers got in so many seconds; `failures` are the kinds of error, with how often each came."""

    way: str
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


def in_process(stage: Stage, names: Sequence[str]) -> list[Callable[[str], int]]:
    """For each name a function that puts a statement to the service in this process; it returns how many rows came."""
    people = [stage.person(name) for name in names]
    return [lambda sql, user=user: stage.through_the_door(user, sql).num_rows for user in people]


def serve(stage: Stage, way: str, callers: Sequence[Callable[[str], int]], seconds: float) -> Served:
    """Let callers ask for so long; a query that has begun by then is waited for."""
    clients = len(callers)
    ready = threading.Barrier(clients + 1)
    ends: list[float] = []

    def ask(number: int, caller: Callable[[str], int]) -> _Tally:
        tally = _Tally()
        queries = islice(point_queries(stage), number * _APART, None)
        ready.wait()
        until = time.perf_counter() + seconds
        for sql in queries:
            started = time.perf_counter()
            if started >= until:
                break
            try:
                rows = caller(sql)
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
        tallies = [pool.submit(ask, number, caller) for number, caller in enumerate(callers)]
        ready.wait()
        started = time.perf_counter()
        done = [tally.result() for tally in tallies]
    measured = [each for tally in done for each in tally.seconds]
    failures: dict[str, int] = {}
    for tally in done:
        for kind, times in tally.failures.items():
            failures[kind] = failures.get(kind, 0) + times
    return Served(
        way=way,
        clients=clients,
        answered=len(measured),
        seconds=round(max(ends) - started, 3),
        times=Times.of(measured or [0.0]),
        failures=failures,
    )
