"""The parent's side of one conversation with a worker, none of whose words are believed unchecked."""

from __future__ import annotations

import json
import time
from typing import Any, cast

import pyarrow as pa

from data_platform.errors import PlatformError
from data_platform.governance.engine.frames import Frame, FrameParser, FrameTooLongError, send_frame
from data_platform.governance.engine.launcher import Worker
from data_platform.governance.engine.outcomes import page_too_large, raised, timed_out
from data_platform.governance.engine.problems import QueryProblem
from data_platform.governance.engine.streams import read_table, repeated_bytes, validate
from data_platform.governance.engine.task import EnginePage, EnginePlan, QueryTask
from data_platform.metrics.counting import engine_killed

_RECEIVE_BYTES = 256 * 1024


def converse(worker: Worker, task: QueryTask, deadline: float) -> Answer | None:
    """Send the task and collect the answer; None when the worker ended without one."""
    channel = worker.channel
    answer = Answer(task)
    parser = FrameParser(task.limits.result_bytes)
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
        answer.read()
    except TimeoutError:
        engine_killed("time_limit")
        raise timed_out(task) from None
    except ConnectionError:
        return None
    except FrameTooLongError:
        raise page_too_large(task.limits) from None
    except (ValueError, KeyError, TypeError, OSError, pa.ArrowException) as error:
        raise PlatformError("The query engine gave an answer that can't be read.") from error
    return answer


class Answer:
    """What a worker has said so far; its size is bounded, whatever the worker sends."""

    def __init__(self, task: QueryTask) -> None:
        self._task = task
        self._columns: tuple[tuple[str, str], ...] = ()
        self._tables: tuple[str, ...] = ()
        self._canonical = ""
        self._arrow: list[bytes] = []
        self._arrow_bytes = 0
        self._done: dict[str, Any] = {}
        self._table: pa.Table | None = None
        self.complete = False

    def take(self, kind: Frame, payload: bytes) -> None:
        """One more frame."""
        match kind:
            case Frame.COLUMNS:
                self._described(json.loads(payload))
            case Frame.ARROW:
                self._arrow.append(payload)
                self._arrow_bytes += len(payload)
                if self._arrow_bytes > self._task.limits.result_bytes:
                    raise page_too_large(self._task.limits)
            case Frame.PROBLEM:
                raise raised(QueryProblem.from_json(json.loads(payload)), self._task)
            case _:
                self._done = cast("dict[str, Any]", json.loads(payload))
                self.complete = True

    def read(self) -> None:
        """Look through what was said, once it is complete.

        Raises:
            ValueError, KeyError, TypeError, pyarrow.ArrowException: when it is no answer.
            PlatformError: when it is small only as long as it repeats texts by their number.
        """
        if self._task.dry:
            int(self._done["estimated_rows"] or 0)
            return
        int(self._done["rows"])
        table = read_table(self._arrow, self._task.keep)
        validate(table)
        if repeated_bytes(table) > self._task.limits.result_bytes:
            raise page_too_large(self._task.limits)
        self._table = table

    def page(self) -> EnginePage:
        """The page of a run."""
        assert self._table is not None  # noqa: S101 - `read` has set it
        rows, complete = int(self._done["rows"]), bool(self._done["complete"])
        return EnginePage(self._table, self._columns, rows, complete, self._tables, self._canonical)

    def plan(self) -> EnginePlan:
        """The plan of a dry run."""
        rows = self._done["estimated_rows"]
        return EnginePlan(self._columns, self._tables, self._canonical, None if rows is None else int(rows))

    def _described(self, described: dict[str, Any]) -> None:
        self._columns = tuple((str(name), str(dtype)) for name, dtype in described["columns"])
        self._tables = tuple(name for name in sorted(self._task.views) if name in set(described["tables"]))
        self._canonical = str(described["canonical"])


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
