"""The handler of the logger `data_platform.sync`, attached for as long as a run takes."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

from typing_extensions import override

from data_platform.records import sync_logs
from data_platform.records.pending_lines import PendingLines
from data_platform.records.pending_loading import catch_up
from data_platform.records.scope import Scope
from data_platform.sync.context import SyncContext
from data_platform.sync.lines.line import line_of
from data_platform.sync.lines.writer import Limits, LineWriter

LOGGER: Final = logging.getLogger("data_platform.sync")
"""Where a sync logs: with `dataset`, `table_name`, `sync_run_id` and, if there are, `partition` and `fields`."""

_SCOPE: Final = Scope.system("sync")
_attaching: Final = threading.Lock()
_attached: Final[dict[UUID, tuple[SyncLogHandler, int]]] = {}
"""The handler of each run, and how many users it has."""

P = ParamSpec("P")
R = TypeVar("R")


class SyncLogHandler(logging.Handler):
    """Hands the lines of one run to a writer; other records of the logger are not its business."""

    def __init__(self, run_id: UUID, writer: LineWriter) -> None:
        super().__init__(logging.INFO)
        self._run_id = run_id
        self._writer = writer

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        given = vars(record)
        return given.get("sync_run_id") == self._run_id and "dataset" in given and bool(super().filter(record))

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.offer(line_of(record))
        except Exception:  # noqa: BLE001 - what can't be logged must not end what it is about
            self.handleError(record)

    @override
    def close(self) -> None:
        self._writer.close()
        super().close()


@contextmanager
def kept_lines(context: SyncContext, limits: Limits | None = None) -> Generator[None]:
    """See to it that what the run logs in the block gets into `data_sync_logs`, now or later, and waits for nothing.

    The block's end waits, up to 5 s. Blocks of one run may lie in each other or run beside each other.
    """
    handler = _enter(context, limits or Limits())
    try:
        yield
    finally:
        _leave(context.run_id, handler)


def lines_kept(function: Callable[Concatenate[SyncContext, P], R]) -> Callable[Concatenate[SyncContext, P], R]:
    """Run a whole function in such a block."""

    @functools.wraps(function)
    def call(context: SyncContext, *args: P.args, **kwargs: P.kwargs) -> R:
        with kept_lines(context):
            return function(context, *args, **kwargs)

    return call


def _enter(context: SyncContext, limits: Limits) -> SyncLogHandler:
    with _attaching:
        known = _attached.get(context.run_id)
        handler = known[0] if known else SyncLogHandler(context.run_id, _writer(context, limits))
        _attached[context.run_id] = (handler, known[1] + 1 if known else 1)
        if not known:
            LOGGER.addHandler(handler)
            if not LOGGER.isEnabledFor(logging.INFO):
                LOGGER.setLevel(logging.INFO)
        return handler


def _leave(run_id: UUID, handler: SyncLogHandler) -> None:
    with _attaching:
        users = _attached[run_id][1] - 1
        if users:
            _attached[run_id] = (handler, users)
            return
        del _attached[run_id]
        LOGGER.removeHandler(handler)
    handler.close()


def _writer(context: SyncContext, limits: Limits) -> LineWriter:
    records, home = context.records, context.settings.home

    def store(lines: Sequence[sync_logs.NewLine]) -> None:
        with records.transaction(_SCOPE) as connection:
            sync_logs.append_many(connection, lines)

    return LineWriter(store, lambda: catch_up(home, records), PendingLines(home), limits)
