"""One query: from the permission to the page, in the only order that there is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from uuid import UUID

from data_platform.catalog import find_dataset
from data_platform.errors import PlatformError
from data_platform.governance.audited import AuditedRun
from data_platform.governance.engine.cancellation import Cancellation
from data_platform.governance.engine.outcomes import QueryRefusedError
from data_platform.governance.engine.problems import ProblemKind
from data_platform.governance.engine.task import EnginePage
from data_platform.governance.explorer import tickets
from data_platform.governance.explorer.asked import (
    KEPT_ROWS,
    LAST_PAGE,
    MAX_PAGE_ROWS,
    MAX_TIMEOUT_SECONDS,
    Asked,
    QueryResult,
    check_timeout,
    within,
)
from data_platform.governance.explorer.door import Door
from data_platform.governance.explorer.kept import Shown, Whole, check_page_exists, keep, page_of, whole_of
from data_platform.governance.explorer.reading import Readable, reading
from data_platform.governance.explorer.statements import gives_order
from data_platform.governance.explorer.tickets import Ticket
from data_platform.governance.permissions import Action, User
from data_platform.governance.result_hash import affordable_hash


def execute(
    door: Door,
    user: User,
    asked: Asked,
    *,
    timeout_seconds: float = MAX_TIMEOUT_SECONDS,
    page: int = 1,
    page_size: int = MAX_PAGE_ROWS,
    request_id: UUID | None = None,
) -> QueryResult:
    """Run a query and return one of its pages.

    With `request_id` it runs what was claimed under that id, and its result is kept whatever its size.

    Raises:
        UsageError, NotPermittedError, RateLimitedError, QueryTimeoutError, QueryCancelledError, ConfigurationError,
        DatabaseUnavailableError, PlatformError: as `DataExplorerService.execute_query` says.
    """
    find_dataset(asked.dataset)
    within("page", page, LAST_PAGE)
    within("page size", page_size, MAX_PAGE_ROWS)
    check_timeout(timeout_seconds)
    question = asked.question(user)
    with tickets.running(door, user.user_id, asked, request_id=request_id) as ticket:
        door.permit(user, question, Action.QUERY_DATA)
        with (
            reading(door, user, question, asked.as_of, door.query_limit) as (readable, run),
            tickets.begin(door, ticket, run.audit_id) as cancellation,
            ExitStack() as place,
        ):
            asking = _Asking(door, user, asked, readable.views, cancellation, timeout_seconds, place)
            whole = _answered(asking, readable, run, page, page_size)
            check_page_exists(whole, page, page_size)
            _keep_if_needed(door, ticket, whole, page_size, always=request_id is not None)
            shown = whole.table.slice((page - 1) * page_size - whole.first, page_size)
            run.row_count = ticket.row_count = shown.num_rows
    return page_of(door, whole, _shown(ticket, run, page, page_size))


class _Asking:
    """The engine, asked for the same statement once or twice within one time limit."""

    def __init__(
        self,
        door: Door,
        user: User,
        asked: Asked,
        views: Mapping[str, tuple[str, ...]],
        cancellation: Cancellation,
        timeout_seconds: float,
        place: ExitStack,
    ) -> None:
        self._door, self._user, self._asked, self._views = door, user, asked, views
        self._cancellation, self._place = cancellation, place
        self._deadline = time.monotonic() + timeout_seconds
        self._timeout = timeout_seconds

    def run(self, page: int, page_size: int, keep_rows: int | None = None) -> EnginePage:
        """Ask, with the time that is left."""
        left = self._deadline - time.monotonic()
        return self._door.engine.run(
            self._asked.sql,
            self._views,
            dataset=self._asked.dataset,
            timeout_seconds=min(self._timeout, max(left, 0.1)),
            page=page,
            page_size=page_size,
            parameters=self._asked.parameters,
            user=self._user.user_id,
            cancellation=self._cancellation,
            keep_rows=keep_rows,
            place=self._place,
        )


def _answered(asking: _Asking, readable: Readable, run: AuditedRun, page: int, page_size: int) -> Whole:
    """Ask for everything that can be kept, or, of a result that is too large for that, for the page alone."""
    if page * page_size <= KEPT_ROWS:
        # Only the second asking tells whether the text or the result was too large.
        with suppress(_TooLargeError):
            answer = _all_that_is_kept(asking)
            run.versions = readable.versions_of(answer.tables)
            run.result_hash = affordable_hash(answer.table, ordered=gives_order(answer.canonical))
            return whole_of(answer, run.versions, run.audit_id)
    answer = asking.run(page, page_size)
    run.versions = readable.versions_of(answer.tables)
    return whole_of(answer, run.versions, run.audit_id, (page - 1) * page_size)


class _TooLargeError(Exception):
    """The result has more bytes than are kept."""


def _all_that_is_kept(asking: _Asking) -> EnginePage:
    try:
        return asking.run(1, KEPT_ROWS, KEPT_ROWS)
    except QueryRefusedError as error:
        if error.problem.kind is not ProblemKind.TOO_LARGE:
            raise
        raise _TooLargeError from None


def _keep_if_needed(door: Door, ticket: Ticket, whole: Whole, page_size: int, *, always: bool) -> None:
    if always:
        ticket.location = keep(door, ticket.user_id, ticket.id, whole)
    elif whole.first == 0 and whole.table.num_rows > page_size:
        # Without room in Parquet for a column's type, or on the disk, there are no further pages of it, only this one.
        with suppress(PlatformError):
            ticket.location = keep(door, ticket.user_id, ticket.id, whole)


def _shown(ticket: Ticket, run: AuditedRun, page: int, page_size: int) -> Shown:
    return Shown(
        user_id=ticket.user_id,
        request_id=ticket.id,
        dataset=ticket.asked.dataset,
        offset=(page - 1) * page_size,
        page_size=page_size,
        expires_at=None if ticket.ended is None else ticket.ended.expires_at if ticket.location else None,
        duration_ms=run.duration_ms,
        remaining=run.remaining,
    )
