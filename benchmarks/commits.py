"""How a commit's time grows with the number of versions: a thousand commits of a hundred rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

from pydantic import BaseModel

from benchmarks.client import StoreFailedError, Worker
from benchmarks.inputs import years_of

EARLY: Final = 10
ROWS: Final = 100
WINDOW: Final = 10
"""A figure at version N is the median of the commits around N."""

_CHUNK: Final = 50


class CommitTimes(BaseModel):
    """Milliseconds per commit at version 10 and at `last`, which is 1,000 unless the budget ran out before."""

    early_ms: float
    last: int
    last_ms: float

    @property
    def growth(self) -> float:
        """How many times longer the last commits took."""
        return self.last_ms / self.early_ms


def summarise(seconds: Sequence[float]) -> CommitTimes | None:
    """The two figures from every commit's seconds; None with too few commits to compare."""
    if len(seconds) < EARLY + 2 * WINDOW:
        return None
    half = WINDOW // 2
    early = median(seconds[EARLY : EARLY + WINDOW])
    return CommitTimes(
        early_ms=round(early * 1000, 3), last=len(seconds), last_ms=round(median(seconds[-2 * half :]) * 1000, 3)
    )


def measure_commits(
    stores: Sequence[str], inputs: Path, scratch: Path, *, versions: int, budget: float, say: Callable[[str], None]
) -> tuple[dict[str, CommitTimes], list[str]]:
    """Commit `versions` times to every store, fifty at a time in turn; stop a store after `budget` seconds.

    Returns the figures by store, and what failed.
    """
    years = years_of(inputs)
    seconds: dict[str, list[float]] = {store: [] for store in stores}
    failures: list[str] = []
    with ExitStack() as stack:
        workers = {store: stack.enter_context(Worker(store, inputs)) for store in stores}
        open_stores = list(stores)
        for store in stores:
            workers[store].call("open", folder=str(scratch / f"{store}-commits"))
        for first in range(0, versions, _CHUNK):
            if first % (5 * _CHUNK) == 0:
                say(f"small commits, from version {first + 1}")
            for store in list(open_stores):
                left = budget - sum(seconds[store])
                count = min(_CHUNK, versions - first)
                try:
                    answer = workers[store].call(
                        "small_commits", years=years, first=first, count=count, rows=ROWS, budget=left
                    )
                except StoreFailedError as error:
                    failures.append(str(error))
                    answer = None
                each: list[float] = answer["each"] if answer else []
                seconds[store] += each
                if len(each) < count:
                    open_stores.remove(store)
    summaries = {store: summarise(values) for store, values in seconds.items()}
    return {store: times for store, times in summaries.items() if times is not None}, failures
