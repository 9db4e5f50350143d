"""Run one statement in a worker of its own, against a clock that the worker cannot reach."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Final, TypeVar

from data_platform.governance.engine.answers import Answer, converse
from data_platform.governance.engine.cancellation import Cancellation
from data_platform.governance.engine.launcher import Worker, WorkerLauncher
from data_platform.governance.engine.limits import MAX_SQL_BYTES, MIB, EngineLimits
from data_platform.governance.engine.outcomes import QueryRefusedError, crashed
from data_platform.governance.engine.parameters import Parameters, encode
from data_platform.governance.engine.problems import ProblemKind, QueryProblem, not_a_query
from data_platform.governance.engine.slots import EngineBusyError, QuerySlots, RunningQuery
from data_platform.governance.engine.task import EnginePage, EnginePlan, QueryTask

__all__ = ["Cancellation", "EngineBusyError", "QueryEngine", "QueryRefusedError", "RunningQuery", "check_size"]

KEPT_RESULT_BYTES: Final = 256 * MIB
"""How large a result may be that is kept whole (`keep_rows`): an export, a snapshot to page through."""

DRY_RUN_SECONDS: Final = 10.0

_T = TypeVar("_T")

Views = Mapping[str, tuple[str, ...]]
"""View name to the Parquet files behind it."""


class QueryEngine:
    """Runs statements; shared between threads. `close` ends the fork server; without it, it ends with this process.

    At most `concurrent` queries run at a time and `per_user` of one user; `waiting` more wait for their turn, which
    goes round by user. With `require_sandbox` no query runs where the kernel can't confine its process.
    """

    def __init__(
        self,
        limits: EngineLimits | None = None,
        concurrent: int = 4,
        per_user: int = 2,
        waiting: int = 200,
        *,
        require_sandbox: bool = False,
    ) -> None:
        self.limits = limits or EngineLimits()
        self._require_sandbox = require_sandbox
        self._slots = QuerySlots(concurrent, per_user, waiting)
        self._launcher = WorkerLauncher()

    def run(  # noqa: PLR0913 - by name, each with its own default
        self,
        sql: str,
        views: Views,
        *,
        dataset: str,
        timeout_seconds: float,
        page: int = 1,
        page_size: int = 10_000,
        parameters: Parameters | None = None,
        user: str = "",
        cancellation: Cancellation | None = None,
        keep_rows: int | None = None,
        place: ExitStack | None = None,
    ) -> EnginePage:
        """Run one SELECT, DESCRIBE or SUMMARIZE over `views` and return one page of its result.

        Args:
            sql: DuckDB SQL, at most 16 KiB.
            views: the tables that may be named, each with its files.
            dataset: named in messages only.
            timeout_seconds: waiting for a place counts.
            page: counts from 1.
            page_size: rows of a page.
            parameters: values for `?`, `$1` or `$name`.
            user: whose turn it takes; nameless callers are held to the total only.
            cancellation: how another thread may stop it.
            keep_rows: instead of a page, the first rows up to this number, and up to 256 MiB.
            place: takes over the query's place among those that run, once there is an answer, until it is closed: what
                the caller makes of a large result (its hash, a file) needs memory several times its size.

        Raises:
            QueryRefusedError: text that is no single SELECT, unknown names, functions or tables that are not
                permitted, wrong types, parameters that don't fit, a page that is too large.
            UsageError: a parameter that can't be bound.
            QueryTimeoutError: after `timeout_seconds` at the latest.
            QueryCancelledError: stopped through `cancellation` or by `cancel`.
            EngineBusyError: no free worker in time.
            PlatformError: out of memory, or the worker crashed.
        """
        limits = self.limits
        if keep_rows is not None:
            page, page_size = 1, keep_rows
            limits = replace(limits, result_bytes=max(limits.result_bytes, KEPT_RESULT_BYTES))
        check_size(sql)
        skip = (page - 1) * page_size
        task = QueryTask(sql, dataset, views, skip, page_size, timeout_seconds, limits, encode(parameters))
        return self._ask(task, user, cancellation or Cancellation(), Answer.page, place)

    def dry_run(
        self,
        sql: str,
        views: Views,
        *,
        dataset: str,
        parameters: Parameters | None = None,
        user: str = "",
        timeout_seconds: float = DRY_RUN_SECONDS,
    ) -> EnginePlan:
        """Check and bind a statement and plan it, without reading a row: of the files only the footers are read.

        Raises:
            PlatformError: as `run`.
        """
        check_size(sql)
        task = QueryTask(sql, dataset, views, 0, 0, timeout_seconds, self.limits, encode(parameters), dry=True)
        return self._ask(task, user, Cancellation(), Answer.plan)

    def running(self) -> list[RunningQuery]:
        """The queries of this process that run or wait for their turn, oldest first."""
        return self._slots.present()

    def cancel(self, number: int, reason: str) -> bool:
        """Stop one of the `running` queries; whether it was still there."""
        return self._slots.cancel(number, reason)

    def close(self) -> None:
        """End the fork server and every worker."""
        self._launcher.close()

    def _ask(
        self,
        task: QueryTask,
        user: str,
        cancellation: Cancellation,
        read: Callable[[Answer], _T],
        place: ExitStack | None = None,
    ) -> _T:
        deadline = time.monotonic() + task.timeout_seconds
        task = replace(task, require_sandbox=self._require_sandbox)
        with ExitStack() as held:
            held.enter_context(self._slots.held(user, task.dataset, deadline, cancellation))
            worker = self._launcher.launch()
            try:
                with cancellation.calling(lambda: _hang_up(worker)):
                    answer = converse(worker, task, deadline)
                found = None if answer is None else read(answer)
            except BaseException:
                self._launcher.end(worker)
                raise
            if found is None:
                status = self._launcher.end(worker)
                cancellation.check()
                raise crashed(status, task)
            self._launcher.dismiss(worker)
            if place is not None:
                place.enter_context(held.pop_all())
            return found


def _hang_up(worker: Worker) -> None:
    """Make the thread that listens to the worker stop, which then ends the worker."""
    with suppress(OSError):
        worker.channel.shutdown(socket.SHUT_RDWR)


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
