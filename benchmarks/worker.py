"""One store's process, `python -m benchmarks.worker STORE INPUTS`: a JSON request a line, a JSON answer a line.

It must import nothing of the platform itself, since peers run it in an environment that has none of it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from benchmarks.inputs import content_of, year_rows
from benchmarks.stores.base import Store, UnsupportedError

STORES: Final = {
    "ours": ("benchmarks.stores.ours", "Ours"),
    "files": ("benchmarks.stores.ours", "OurFiles"),
    "plain": ("benchmarks.stores.plain", "Plain"),
    "delta": ("benchmarks.stores.delta", "Delta"),
    "delta-zstd": ("benchmarks.stores.delta", "DeltaZstd"),
    "arcticdb": ("benchmarks.stores.arctic", "ArcticLmdb"),
    "pyiceberg": ("benchmarks.stores.iceberg", "Iceberg"),
}
"""Store → the module and class that speak to it."""


class Service:
    """The operations by name. Every answer carries the seconds of the operation itself and of nothing around it."""

    def __init__(self, store: Store, inputs: Path) -> None:
        self._store = store
        self._inputs = inputs

    def open(self, folder: str) -> dict[str, Any]:
        """Open the store in a folder."""
        return _timed(lambda: self._store.open(Path(folder)))

    def write(self, years: list[int], restatement: int = 0, rows: int | None = None) -> dict[str, Any]:
        """Commit these years; `each` has every commit's seconds, `converting` those of making the store's input."""
        each: list[float] = []
        converting = 0.0
        for year in years:
            arrived = year_rows(self._inputs, year, rows=rows, restatement=restatement)
            started = time.perf_counter()
            prepared = self._store.prepare(arrived)
            converting += time.perf_counter() - started
            each.append(_timed(lambda y=year, p=prepared: self._store.write(y, p))["seconds"])
        return {"seconds": sum(each), "each": each, "converting": converting}

    def small_commits(self, years: list[int], first: int, count: int, rows: int, budget: float) -> dict[str, Any]:
        """Replace one small year after the other; stops early when `budget` seconds have gone."""
        each: list[float] = []
        for number in range(first, first + count):
            answer = self.write([years[number % len(years)]], restatement=number, rows=rows)
            each.append(answer["seconds"])
            if sum(each) > budget:
                break
        return {"seconds": sum(each), "each": each}

    def version(self) -> dict[str, Any]:
        """The latest version."""
        return {"seconds": 0.0, "version": self._store.version()}

    def read_all(self, version: int | None = None) -> dict[str, Any]:
        """Read everything."""
        return _read(lambda: self._store.read_all(version))

    def read_columns(self, year: int, columns: list[str], version: int | None = None) -> dict[str, Any]:
        """Read some columns of a year."""
        return _read(lambda: self._store.read_columns(year, columns, version))

    def tag(self, name: str) -> dict[str, Any]:
        """Tag the latest version."""
        return _timed(lambda: self._store.tag(name))


def _timed(action: Callable[[], object]) -> dict[str, Any]:
    started = time.perf_counter()
    action()
    return {"seconds": time.perf_counter() - started}


def _read(action: Callable[[], pa.Table]) -> dict[str, Any]:
    started = time.perf_counter()
    table = action()
    seconds = time.perf_counter() - started
    content = content_of(table)
    del table
    gc.collect()
    pa.default_memory_pool().release_unused()
    return {"seconds": seconds, "content": content}


def main() -> None:
    """Serve until the input ends."""
    name, inputs = sys.argv[1:3]
    # Libraries print to standard output; the protocol keeps a descriptor of its own.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        module, cls = STORES[name]
        service = Service(getattr(importlib.import_module(module), cls)(), Path(inputs))
        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer = getattr(service, request.pop("op"))(**request)
            except UnsupportedError as reason:
                answer = {"unsupported": str(reason)}
            except Exception as error:  # noqa: BLE001 - whatever a store raises is its answer
                answer = {"error": f"{type(error).__name__}: {error}"[:400]}
            answer["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
