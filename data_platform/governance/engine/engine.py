"""Run one statement in a worker of its own, against a clock that the worker cannot reach."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, cast

import pyarrow as pa

from data_platform.errors import PlatformError, QueryTimeoutError, UsageError
from data_platform.governance.engine.frames import Frame, FrameParser, send_frame
from data_platform.governance.engine.launcher import Worker, WorkerLauncher
from data_platform.governance.engine.limits import MAX_SQL_BYTES, MIB, EngineLimits
from data_platform.governance.engine.problems import ProblemKind, QueryProblem, not_a_query
from data_platform.governance.engine.task import EnginePage, QueryTask
from data_platform.metrics.counting import engine_killed

_RECEIVE_BYTES: Final = 256 * 1024


class QueryRefusedError(UsageError):
    """The statement is wrong, or asks for something that is not permitted; `problem` says what and where."""

    def __init__(self, problem: QueryProblem) -> None:
        super().__init__(str(problem), hint=problem.hint)
        self.problem = problem


class QueryEngine:
    """Runs statements, at most `concurrent` at a time; shared between threads.

    `close` ends the fork server; without it, it ends with this process.
    """

    def __init__(self, limits: EngineLimits | None = None, concurrent: int = 4) -> None:
        self.limits = limits or EngineLimits()
        self._slots = threading.BoundedSemaphore(concurrent)
        self._launcher = WorkerLauncher()

    def run(
        self,
        sql: str,
        views: Mapping[str, tuple[str, ...]],
        *,
        dataset: str,
        timeout_seconds: float,
        page: int,
        page_size: int,
    ) -> EnginePage:
        """Run one SELECT over `views` (view name to Parquet files) and return one page of its result.

        Raises:
            QueryRefusedError: text that is no single SELECT, unknown names, functions or tables that are not
                permitted, wrong types, a page that is too large.
            QueryTimeoutError: after `timeout_seconds` at the latest.
            PlatformError: out of memory, no free worker in time, or the worker crashed.
        """
        check_size(sql)
        task = QueryTask(sql, dataset, views, (page - 1) * page_size, page_size, timeout_seconds, self.limits)
        if not self._slots.acquire(timeout=timeout_seconds):
            raise PlatformError("All query workers are busy.", hint="Try again in a moment.")
        try:
            return self._run(task)
        finally:
            self._slots.release()

    def close(self) -> None:
        """End the fork server and every worker."""
        self._launcher.close()

    def _run(self, task: QueryTask) -> EnginePage:
        worker = self._launcher.launch()
        deadline = time.monotonic() + task.timeout_seconds
        page: EnginePage | None = None
        try:
            page = converse(worker, task, deadline)
        finally:
            status = self._launcher.end(worker)
        if page is None:
            raise _crash(status, task)
        return page


def check_size(sql: str) -> None:
    """Refuse text that is too long to be looked at.

    Raises:
        QueryRefusedError: more than 16 KiB of UTF-8, or not UTF-8 at all.
    """
    try:
        size = len(sql.encode())
    except UnicodeEncodeError:
        raise QueryRefusedError(QueryProblem(ProblemKind.SYNTAX_ERROR, "The query is not valid text")) from None
    if size > MAX_SQL_BYTES:
        raise QueryRefusedError(
            QueryProblem(
                ProblemKind.TOO_LARGE,
                f"The query is {size:,} bytes long; at most {MAX_SQL_BYTES:,} are accepted",
                hint="Put long lists of values into a join or a range.",
            )
        )
    if "\0" in sql:
        raise QueryRefusedError(not_a_query(None))


def converse(worker: Worker, task: QueryTask, deadline: float) -> EnginePage | None:
    """Send the task and collect the answer; None when the worker ended without one."""
    channel = worker.channel
    answer = _Answer(task)
    parser = FrameParser()
    try:
        channel.settimeout(_remaining(deadline))
        send_frame(channel, Frame.TASK, task.to_bytes())
        while not answer.complete:
            channel.settimeout(_remaining(deadline))
            received = channel.recv(_RECEIVE_BYTES)
            if not received:
                return None
            for kind, payload in parser.feed(received):
                answer.take(kind, payload)
        return answer.page()
    except TimeoutError:
        engine_killed("time_limit")
        raise _timeout(task) from None
    except ConnectionError:
        return None
    except (ValueError, KeyError, TypeError, OSError, pa.ArrowException) as error:
        raise PlatformError("The query engine gave an answer that can't be read.") from error


class _Answer:
    """What a worker has said so far; its size is bounded, whatever the worker sends."""

    def __init__(self, task: QueryTask) -> None:
        self._task = task
        self._columns: list[tuple[str, str]] = []
        self._arrow: list[bytes] = []
        self._arrow_bytes = 0
        self._done: dict[str, Any] = {}
        self.complete = False

    def take(self, kind: Frame, payload: bytes) -> None:
        match kind:
            case Frame.COLUMNS:
                self._columns = [(str(name), str(dtype)) for name, dtype in json.loads(payload)]
            case Frame.ARROW:
                self._arrow.append(payload)
                self._arrow_bytes += len(payload)
                if self._arrow_bytes > self._task.limits.result_bytes:
                    raise _page_too_large(self._task.limits)
            case Frame.PROBLEM:
                raise _raised(QueryProblem.from_json(json.loads(payload)), self._task)
            case _:
                self._done = cast("dict[str, Any]", json.loads(payload))
                self.complete = True

    def page(self) -> EnginePage:
        with pa.ipc.open_stream(pa.py_buffer(b"".join(self._arrow))) as reader:
            table = reader.read_all()
        table.validate(full=True)
        return EnginePage(table, tuple(self._columns), int(self._done["rows"]), bool(self._done["complete"]))


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _raised(problem: QueryProblem, task: QueryTask) -> PlatformError:
    match problem.kind:
        case ProblemKind.TIMEOUT:
            return _timeout(task)
        case ProblemKind.MEMORY:
            return _out_of_memory(task)
        case ProblemKind.STORAGE:
            return PlatformError(str(problem), hint="`data-platform verify` checks the stored files.")
        case ProblemKind.INTERNAL:
            return PlatformError(str(problem), hint="Try a simpler form of the query.")
        case _:
            return QueryRefusedError(problem)


def _timeout(task: QueryTask) -> QueryTimeoutError:
    return QueryTimeoutError(
        f"The query on {task.dataset} was stopped at its limit of {task.timeout_seconds:g} seconds.",
        hint="Filter by date, select fewer columns, or aggregate over fewer rows.",
    )


def _out_of_memory(task: QueryTask) -> PlatformError:
    allowed = task.limits.memory_bytes // MIB
    return PlatformError(
        f"The query needed more memory than the {allowed:,} MiB it may use.",
        hint="Filter by date, select fewer columns, or aggregate first.",
    )


def _page_too_large(limits: EngineLimits) -> QueryRefusedError:
    return QueryRefusedError(
        QueryProblem(
            ProblemKind.TOO_LARGE,
            f"The page is larger than {limits.result_bytes // MIB} MiB",
            hint="Select fewer columns, or ask for a smaller page.",
        )
    )


def _crash(status: int | None, task: QueryTask) -> PlatformError:
    """A worker that ended without an answer: by its CPU limit, or by a fault such as a failed allocation."""
    out_of_time = status is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
    engine_killed("cpu_limit" if out_of_time else "fault")
    if out_of_time:
        return _timeout(task)
    name = "unknown"
    if status is not None and os.WIFSIGNALED(status):
        with suppress(ValueError):
            name = signal.Signals(os.WTERMSIG(status)).name
    return PlatformError(
        f"The query broke the process that ran it ({name}); it may have needed more memory than it may use.",
        hint="Filter by date, select fewer columns, or write it in a simpler form.",
    )
