"""A statement that runs, as others see it: listed meanwhile, stoppable, and with an ending that can be looked up."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from data_platform.errors import (
    NotPermittedError,
    PlatformError,
    QueryCancelledError,
    QueryTimeoutError,
    RateLimitedError,
    UsageError,
)
from data_platform.governance.audited_text import audited_text
from data_platform.governance.dto import ExportFormat
from data_platform.governance.engine.cancellation import Cancellation, cancelled
from data_platform.governance.engine.limits import MAX_SQL_BYTES
from data_platform.governance.engine.outcomes import QueryRefusedError
from data_platform.governance.explorer.asked import Asked
from data_platform.governance.explorer.door import SCOPE, Door
from data_platform.governance.explorer.watching import BY_USER, watch_over
from data_platform.governance.result_files import remove_folder
from data_platform.records import query_requests
from data_platform.records.connection import Connection
from data_platform.records.query_requests import Ending, QueryRequest

_KINDS: Final = (
    (QueryTimeoutError, "timeout"),
    (QueryCancelledError, "cancelled"),
    (RateLimitedError, "rate_limited"),
    (NotPermittedError, "denied"),
    (UsageError, "usage"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """How an export is written."""

    format: ExportFormat
    escape_formulas: bool = False


@dataclass(slots=True)
class Ticket:
    """A running request. Set `location` and `row_count` once there is a result; `ended` is the request afterwards.

    `stopped` is the error of one that was stopped when all was done but saying so.
    """

    user_id: str
    asked: Asked
    written: Written | None = None
    request_id: UUID | None = None
    location: Path | None = None
    row_count: int | None = None
    ended: QueryRequest | None = None
    stopped: QueryCancelledError | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)

    @property
    def id(self) -> UUID:
        """The request's id, once it has begun."""
        if self.request_id is None:
            raise ValueError("the request has not begun")
        return self.request_id


@contextmanager
def running(
    door: Door, user_id: str, asked: Asked, written: Written | None = None, request_id: UUID | None = None
) -> Generator[Ticket]:
    """Within the block a statement runs; however it ends, the request says so. `begin` makes it known.

    Args:
        door: whose records.
        user_id: in whose name it runs.
        asked: what runs.
        written: how the result is written, when it is an export.
        request_id: the request that was claimed to be run; without it there is one from `begin` on.
    """
    ticket = Ticket(user_id, asked, written, request_id)
    ending = Ending("failed", error_kind="internal")
    try:
        yield ticket
        ending = Ending("done", None if ticket.location is None else str(ticket.location), ticket.row_count)
    except PlatformError as error:
        ending = ending_of(door, error)
        raise
    finally:
        if ticket.request_id is not None:
            _finish(door, ticket, ticket.request_id, ending)
    if ticket.stopped is not None:
        raise ticket.stopped


def _finish(door: Door, ticket: Ticket, request_id: UUID, ending: Ending) -> None:
    """Say how a request ended; one that was stopped after its last look at that is cancelled, with all it wrote."""
    if ending.state == "done":
        with door.records.transaction(SCOPE) as connection:
            ticket.ended = query_requests.finish(connection, request_id, ending)
            stopped = query_requests.cancelled_among(connection, [request_id])
        if ticket.ended is not None or request_id not in stopped:
            return
        ticket.stopped = cancelled(stopped[request_id] or BY_USER)
        ending = ending_of(door, ticket.stopped)
    # What was written before it failed is nobody's.
    remove_folder(door.exports, ticket.user_id, request_id)
    with door.records.transaction(SCOPE) as connection:
        ticket.ended = query_requests.finish(connection, request_id, ending)


@contextmanager
def begin(door: Door, ticket: Ticket, audit_id: int) -> Generator[Cancellation]:
    """Make the statement known under its audit row; within the block others can stop it.

    Raises:
        QueryCancelledError: at the end of the block, when somebody did and nothing in it noticed.
    """
    with door.records.transaction(SCOPE) as connection:
        if ticket.request_id is None:
            ticket.request_id = stored(door, connection, ticket.user_id, ticket.asked, ticket.written, audit_id)
        else:
            request = query_requests.set_audit(connection, ticket.request_id, audit_id)
            if request is not None and request.cancel_requested:
                # Since it was claimed; the watch would notice only after a fast one has ended.
                ticket.cancellation.cancel(request.cancel_reason or BY_USER)
    with watch_over(door.records).watching(ticket.id, ticket.cancellation):
        yield ticket.cancellation
        # While its rows were written, say: who was told that it is stopped must not find it done.
        ticket.cancellation.check()


def stored(
    door: Door,
    connection: Connection,
    user_id: str,
    asked: Asked,
    written: Written | None,
    audit_id: int | None = None,
    *,
    by_server: bool = False,
) -> UUID:
    """Store what is asked, encrypted; running when it is audited already, else queued."""
    cipher, parameters = door.cipher, asked.encoded
    return query_requests.create(
        connection,
        user_id,
        asked.dataset,
        cipher.encrypt(asked.sql[: MAX_SQL_BYTES + 1]),
        cipher.encrypt(audited_text("", parameters)) if parameters else None,
        as_of=asked.as_of_text,
        format=None if written is None else written.format,
        escape_formulas=written is not None and written.escape_formulas,
        audit_id=audit_id,
        client_ip=asked.client_ip,
        by_server=by_server,
    )


def ending_of(door: Door, error: PlatformError) -> Ending:
    """How a request ends that failed with this error."""
    state: query_requests.RequestState = "cancelled" if isinstance(error, QueryCancelledError) else "failed"
    return Ending(state, error_kind=kind_of(error), error_message=door.cipher.encrypt(str(error)))


def kind_of(error: PlatformError) -> str:
    """One word for why a statement failed; of a refused one, the engine's."""
    if isinstance(error, QueryRefusedError):
        return error.problem.kind.value
    return next((kind for expected, kind in _KINDS if isinstance(error, expected)), "error")
