"""Measuring speed and size: every round asks every store in turn, and each round begins with another store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.client import StoreFailedError, Worker
from benchmarks.inputs import content_of, total_content, year_rows, years_of
from benchmarks.samples import Samples

REPLACEMENTS: Final = 10
WRITE_ALL: Final = "write ten years"
CONVERT_ALL: Final = "(Arrow to its input)"
"""What a store's own input costs when rows arrive as Arrow; not part of any other figure."""

COLUMNS: Final = ["permno", "ret"]
_QUICK_READS: Final = 5
"""Reads of one year take milliseconds, so each round does several."""

Say = Callable[[str], None]


@dataclass
class SpeedResults:
    """Seconds, megabytes on disk, peak memory of each store's process in MB, and what went wrong."""

    samples: Samples = field(default_factory=Samples)
    megabytes: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class SpeedRun:
    """One run over all stores; a store that fails once is reported and left out of the rest."""

    def __init__(self, stores: Sequence[str], inputs: Path, scratch: Path, *, repeat: int, say: Say) -> None:
        self.results = SpeedResults()
        self._stores = list(stores)
        self._inputs = inputs
        self._scratch = scratch
        self._repeat = repeat
        self._say = say
        self._years = years_of(inputs)
        self._replaced = self._years[len(self._years) // 2]
        self._workers: dict[str, Worker] = {}

    def measure(self) -> SpeedResults:
        """Write, read, replace, read as of before, tag, and weigh."""
        with ExitStack() as stack:
            for store in self._stores:
                self._workers[store] = stack.enter_context(Worker(store, self._inputs))
            self._initial_writes()
            before = self._versions()
            self._replacements()
            self._reads(before)
            for number in range(self._repeat):
                self._round("tag", number, lambda worker, n=number: worker.call("tag", name=f"tag-{n}"))
            self.results.peak_mb = {store: worker.peak_mb for store, worker in self._workers.items()}
        return self.results

    def _initial_writes(self) -> None:
        for number in range(self._repeat):
            self._say(f"initial write, round {number + 1} of {self._repeat}")
            for store in self._order(number):
                with self._excluded_on_failure(store):
                    # A folder of its own each time: LMDB does not open one twice in a process.
                    self._workers[store].call("open", folder=str(self._folder(store, number)))
                    self._measure(WRITE_ALL, store, lambda w: w.call("write", years=self._years))
            for store in self._stores:
                shutil.rmtree(self._folder(store, number - 1), ignore_errors=True)

    def _replacements(self) -> None:
        self._say(f"replacing {self._replaced} {REPLACEMENTS} times")
        for number in range(1, REPLACEMENTS + 1):
            self._round(
                "replace one year",
                number,
                lambda worker, n=number: worker.call("write", years=[self._replaced], restatement=n),
            )
        last = self._repeat - 1
        writers = [store for store in self._stores if store != "files"]
        self.results.megabytes = {store: _megabytes(self._folder(store, last)) for store in writers}

    def _reads(self, before: dict[str, int]) -> None:
        whole = [content_of(year_rows(self._inputs, year)) for year in self._years]
        year = content_of(year_rows(self._inputs, self._replaced))
        new_year = content_of(year_rows(self._inputs, self._replaced, restatement=REPLACEMENTS))
        old = total_content(whole)
        new = old[0], old[1] - year[1] + new_year[1]
        for number in range(self._repeat + 1):
            self._say(f"reading, round {number} of {self._repeat}" if number else "reading once to warm up")
            for suffix, versions, content, one in ((", latest", {}, new, new_year), (", as of", before, old, year)):
                self._round(
                    f"read all{suffix}",
                    number,
                    lambda w, v=versions: w.call("read_all", version=v.get(w.store)),
                    expected=content,
                    warm=number > 0,
                )
                for again in range(_QUICK_READS):
                    self._round(
                        f"read one year{suffix}",
                        number + again,
                        lambda w, v=versions: w.call(
                            "read_columns", year=self._replaced, columns=COLUMNS, version=v.get(w.store)
                        ),
                        expected=one,
                        warm=number > 0,
                    )

    def _versions(self) -> dict[str, int]:
        answers = {store: self._workers[store].call("version") for store in self._stores}
        return {store: answer["version"] for store, answer in answers.items() if answer}

    def _round(
        self,
        operation: str,
        number: int,
        action: Callable[[Worker], dict[str, Any] | None],
        *,
        expected: tuple[int, int] | None = None,
        warm: bool = True,
    ) -> None:
        for store in self._order(number):
            with self._excluded_on_failure(store):
                self._measure(operation, store, action, expected=expected, warm=warm)

    def _measure(
        self,
        operation: str,
        store: str,
        action: Callable[[Worker], dict[str, Any] | None],
        *,
        expected: tuple[int, int] | None = None,
        warm: bool = True,
    ) -> None:
        os.sync()  # so that nobody pays for what the one before left in the page cache
        answer = action(self._workers[store])
        if answer is None:
            return
        if expected is not None and tuple(answer["content"]) != expected:
            raise StoreFailedError(f"{store}, {operation}: read {answer['content']}, not {expected}")
        if warm:
            self.results.samples.add(operation, store, answer["seconds"])
        if operation == WRITE_ALL:
            self.results.samples.add(CONVERT_ALL, store, answer["converting"])

    def _order(self, number: int) -> list[str]:
        start = number % len(self._stores) if self._stores else 0
        return [*self._stores[start:], *self._stores[:start]]

    @contextmanager
    def _excluded_on_failure(self, store: str) -> Iterator[None]:
        try:
            yield
        except StoreFailedError as error:
            self._say(str(error))
            self.results.failures.append(str(error))
            self._stores.remove(store)

    def _folder(self, store: str, number: int) -> Path:
        return self._scratch / f"{'ours' if store == 'files' else store}-{number}"


def _megabytes(folder: Path) -> float:
    """What the folder takes on disk; sparse files count only what they hold."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e6
