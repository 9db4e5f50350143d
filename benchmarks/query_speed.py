"""One query at a time: through the door, and to DuckDB without one; in rounds that ask everyone in turn."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import pyarrow as pa

from benchmarks.client import PROJECT
from benchmarks.frame import TABLE
from benchmarks.query_stage import DATASET, Stage, open_plain
from benchmarks.query_worker import FORK, STEPS
from benchmarks.samples import Samples
from data_platform.catalog import find_dataset
from data_platform.governance.explorer.asked import KEPT_ROWS
from data_platform.governance.explorer.statements import gives_order
from data_platform.governance.permissions import User
from data_platform.governance.pinning import pin_dataset, views_of
from data_platform.governance.result_hash import result_hash
from data_platform_tests.governance.corpus.rows import difference

DOOR: Final = "door"
OPEN: Final = "open"
ANEW: Final = "anew"
WAYS: Final = (DOOR, OPEN, ANEW)
POINT: Final = "point query"

SCANS: Final[Mapping[str, str]] = {
    "rows, mean and spread by year": (
        f"SELECT year(date) AS year, count(*) AS n, avg(ret) AS mean, stddev(ret) AS spread "  # noqa: S608 - our own
        f"FROM {TABLE} GROUP BY 1 ORDER BY 1"
    ),
    "volume by security, the hundred largest": (
        f"SELECT permno, sum(prc * vol) AS traded, avg(ret) AS mean FROM {TABLE} "  # noqa: S608 - our own
        "GROUP BY permno ORDER BY traded DESC NULLS LAST, permno LIMIT 100"
    ),
    "daily returns compounded, mean by month": (
        f"SELECT month, count(*) AS n, avg(compounded) AS mean FROM ("  # noqa: S608 - our own
        "SELECT permno, date_trunc('month', date) AS month, exp(sum(ln(1 + ret))) - 1 AS compounded "
        f"FROM {TABLE} WHERE ret > -1 GROUP BY permno, month) "
        "GROUP BY month ORDER BY month"
    ),
}
"""Aggregations over every row; each gives its order, so that answers can be compared."""

_STEP: Final = 397
"""From one key to the next: prime, so that all have their turn, and far, so that a year comes between."""

PINNING: Final = "pin every table"
RECORDS: Final = "permission, limit, audit, request"
HASHING: Final = "hash of the result"
TRANSFER: Final = "task and answer between the processes"
WHOLE: Final = "the whole"
PARTS: Final = (PINNING, RECORDS, FORK, *STEPS, TRANSFER, HASHING, WHOLE)


class WrongAnswerError(Exception):
    """The door's rows are others than DuckDB's own."""


def point_query(permno: int, year: int) -> str:
    """A security's rows of one year."""
    return (
        f"SELECT permno, date, prc, ret, vol, shrout FROM {TABLE} WHERE permno = {permno} "  # noqa: S608 - our own
        f"AND date BETWEEN DATE '{year}-01-01' AND DATE '{year}-12-31' ORDER BY date"
    )


def point_queries(stage: Stage) -> Iterator[str]:
    """Point queries without end, another security and another year each time."""
    number = 0
    while True:
        year, permno = stage.keys[number * _STEP % len(stage.keys)]
        yield point_query(permno, year)
        number += 1


class Bench:
    """The door and DuckDB, asked by turns by one caller."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._threads = stage.engine.limits.threads
        self._user: User = stage.person("one-caller")
        self._plain = open_plain(stage.files, self._threads)
        self._ways: Mapping[str, Callable[[str], pa.Table]] = {
            DOOR: lambda sql: stage.through_the_door(self._user, sql),
            OPEN: lambda sql: self._plain.sql(sql).to_arrow_table(),
            ANEW: lambda sql: open_plain(stage.files, self._threads).sql(sql).to_arrow_table(),
        }

    def points(self, rounds: int, samples: Samples) -> None:
        """So many point queries, each put to everyone; two before them do not count."""
        for number, sql in zip(range(-2, rounds), point_queries(self._stage), strict=False):
            self._round(POINT, number, sql, samples if number >= 0 else Samples())

    def scans(self, rounds: int, samples: Samples) -> None:
        """Every aggregation in so many rounds, one before them not counted."""
        for number in range(-1, rounds):
            for name, sql in SCANS.items():
                self._round(name, number, sql, samples if number >= 0 else Samples())

    def _round(self, name: str, number: int, sql: str, samples: Samples) -> None:
        answers: dict[str, pa.Table] = {}
        for turn in range(len(WAYS)):
            way = WAYS[(turn + number) % len(WAYS)]
            started = time.perf_counter()
            answers[way] = self._ways[way](sql)
            samples.add(name, way, time.perf_counter() - started)
        wrong = difference(answers[DOOR], answers[OPEN], ordered=True)
        if wrong is not None:
            raise WrongAnswerError(f"{name}: {wrong}")

    def parts(self, rounds: int) -> dict[str, list[float]]:
        """Milliseconds of each part of a point query through the door, one list a part.

        A round asks three times: the whole door, the engine alone, and a worker's steps in a process of their own. What
        the records cost is what the whole takes beyond pinning, engine and hash, and the transfer what the engine takes
        beyond fork and steps; where the machine was busy that may be less than nothing in a round.
        """
        found: dict[str, list[float]] = {name: [] for name in PARTS}
        with _worker({TABLE: self._stage.files}) as steps:
            for _, sql in zip(range(rounds), point_queries(self._stage), strict=False):
                for name, milliseconds in self._one(sql, steps).items():
                    found[name].append(round(milliseconds, 3))
        return found

    def _one(self, sql: str, steps: Callable[[str], dict[str, float]]) -> dict[str, float]:
        stage, clock = self._stage, _Clock()
        stage.through_the_door(self._user, sql)
        whole = clock.lap()
        views = views_of(pin_dataset(stage.warehouse, find_dataset(DATASET)))
        pinning = clock.lap()
        page = stage.engine.run(
            sql, views, dataset=DATASET, timeout_seconds=30.0, page_size=KEPT_ROWS, keep_rows=KEPT_ROWS
        )
        engine = clock.lap()
        result_hash(page.table, ordered=gives_order(page.canonical))
        hashing = clock.lap()
        inside = steps(sql)
        return {
            PINNING: pinning,
            RECORDS: whole - pinning - engine - hashing,
            **inside,
            TRANSFER: engine - sum(inside.values()),
            HASHING: hashing,
            WHOLE: whole,
        }


class _Clock:
    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last lap."""
        now = time.perf_counter()
        since, self._last = (now - self._last) * 1000, now
        return since


@contextmanager
def _worker(views: Mapping[str, tuple[str, ...]]) -> Generator[Callable[[str], dict[str, float]]]:
    """The process of `benchmarks.query_worker`, asked for one statement at a time."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.query_worker"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        asked, answers = process.stdin, process.stdout
        if asked is None or answers is None:
            raise AssertionError("the process was started with pipes")
        asked.write(json.dumps(views) + "\n")

        def steps(sql: str) -> dict[str, float]:
            asked.write(json.dumps(sql) + "\n")
            asked.flush()
            return json.loads(answers.readline())

        yield steps
        asked.close()
