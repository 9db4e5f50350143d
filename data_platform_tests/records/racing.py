"""Real processes that do the same thing at the same moment: forked from a server that has imported everything."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["data_platform_tests.records.racers"])


def race(processes: int, act: Callable[..., object], *arguments: object, seconds: float = 90) -> list[Any]:
    """Run `act(*arguments, ready)` in so many processes; `ready()` returns once all are there. Return the results."""
    barrier, results = _CONTEXT.Barrier(processes), _CONTEXT.Queue()
    racers = [
        _CONTEXT.Process(target=_run, args=(barrier, results, act, (number, *arguments))) for number in range(processes)
    ]
    for racer in racers:
        racer.start()
    try:
        return [results.get(timeout=seconds) for _ in racers]
    finally:
        for racer in racers:
            racer.join(seconds)
            racer.kill()


def _run(barrier: Barrier, results: Any, act: Callable[..., object], arguments: tuple[object, ...]) -> None:  # noqa: ANN401 - a multiprocessing queue
    def ready() -> None:
        barrier.wait(60)

    try:
        results.put(act(*arguments, ready))
    except Exception as error:  # noqa: BLE001 - it is told to the test
        barrier.abort()
        results.put(f"{type(error).__name__}: {error}")
