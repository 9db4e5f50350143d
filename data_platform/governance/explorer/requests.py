"""Requests as people see them: submitted, looked up, listed, cancelled, and stopped by an administrator."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from data_platform.catalog import find_dataset
from data_platform.errors import ConfigurationError, NotFoundError, RateLimitedError, UsageError
from data_platform.governance.audit_key import QueryCipher
from data_platform.governance.dto import QueryRequestDTO
from data_platform.governance.explorer.asked import Asked, within
from data_platform.governance.explorer.door import SCOPE, Door
from data_platform.governance.explorer.tickets import Written, stored
from data_platform.governance.explorer.watching import watch_over
from data_platform.governance.permissions import Action, User, require
from data_platform.governance.scopes import administration_scope, reading_scope
from data_platform.records import platform_audit, query_requests, texts, waiting_requests
from data_platform.records.query_requests import QueryRequest

MOST_LISTED = 1_000

MOST_UNFINISHED: Final = 20
"""How many requests of one user may wait or run when another is submitted."""

_LOST: Final = "The process that ran it, or was to, ended before it was done. Submit it again."
_AGAIN_SECONDS: Final = 30


def submit(
    door: Door, user: User, asked: Asked, written: Written | None = None, *, by_server: bool = False
) -> QueryRequestDTO:
    """Store a query, or with `written` an export, to be run later; `by_server` when this process is the one to do it.

    Raises:
        UsageError: unknown dataset, a text that is too long, or parameters that can't be kept.
        NotPermittedError: the user may not do it now; audited.
        RateLimitedError: too many of the user's wait or run already.
    """
    find_dataset(asked.dataset)
    question = asked.checked().question(user, None if written is None else "export")
    door.permit(user, question, Action.QUERY_DATA, *([] if written is None else [Action.EXPORT_DATA]))
    with door.records.transaction(SCOPE) as connection:
        if waiting_requests.count_of(connection, user.user_id) >= MOST_UNFINISHED:
            raise RateLimitedError(
                f"{MOST_UNFINISHED} of your queries and exports wait or run already. Wait for one to end, or cancel "
                "one: `data-platform queries list` lists them.",
                retry_after_seconds=_AGAIN_SECONDS,
            )
        request_id = stored(door, connection, user.user_id, asked, written, by_server=by_server)
        request = query_requests.get(connection, request_id)
    assert request is not None  # noqa: S101 - it was stored in the same transaction
    return told(request, door.cipher)


def get(door: Door, user: User, request_id: UUID) -> QueryRequestDTO:
    """One request of the user.

    Raises:
        UsageError: the user has no such request.
        NotPermittedError: the user may no longer query its dataset.
    """
    return told(own(door, user, request_id), door.cipher)


def own(door: Door, user: User, request_id: UUID) -> QueryRequest:
    """The same as the records have it.

    Raises:
        UsageError, NotPermittedError: as `get`.
    """
    with door.records.transaction(SCOPE) as connection:
        found = query_requests.get(connection, request_id)
    if found is None or found.user_id != user.user_id:
        raise not_found(request_id)
    require(user, Action.QUERY_DATA, found.dataset)
    return found


def cancel(door: Door, user: User, request_id: UUID) -> QueryRequestDTO:
    """Stop a request of the user; one that has ended stays as it is.

    Raises:
        UsageError, NotPermittedError: as `get`.
    """
    found = own(door, user, request_id)
    stopped = _stop(door, request_id, None)
    return told(stopped or found, door.cipher)


def history(door: Door, user: User, limit: int, dataset: str | None = None) -> list[QueryRequestDTO]:
    """The user's requests of the last 24 hours, newest first.

    Raises:
        UsageError: a limit outside 1 to 1,000, or an unknown dataset.
        NotPermittedError: the user may not query, or not the dataset that is named.
    """
    within("limit", limit, MOST_LISTED)
    if dataset is not None:
        find_dataset(dataset)
    require(user, Action.QUERY_DATA, dataset)
    with door.records.transaction(reading_scope(user)) as connection:
        found = query_requests.recent(connection, user.user_id, limit, dataset)
    cipher = door.cipher
    return [told(request, cipher) for request in found]


def list_running(door: Door, user: User) -> list[QueryRequestDTO]:
    """Everybody's requests that wait or run, without their texts.

    Raises:
        NotPermittedError: for everyone but administrators.
    """
    with door.records.transaction(administration_scope(user)) as connection:
        found = query_requests.unfinished(connection, MOST_LISTED)
    return [told(request) for request in found]


def kill(door: Door, user: User, request_id: UUID, reason: str) -> QueryRequestDTO:
    """Stop anybody's request.

    Raises:
        NotPermittedError: for everyone but administrators.
        UsageError: no such request, one that has ended, or no reason.
    """
    scope = administration_scope(user)
    why = texts.reason(reason)
    if why is None:
        raise UsageError("Give a reason: its user is told, and the audit keeps it.")
    with door.records.transaction(scope) as connection:
        found = query_requests.get(connection, request_id)
    if found is None:
        raise not_found(request_id)
    if found.state not in ("queued", "running"):
        raise UsageError(f"Query request {request_id} is {found.state} already.")
    # Before it is done: what was done must not lack its entry.
    platform_audit.note(
        door.records,
        user.user_id,
        "query.kill",
        dataset=found.dataset,
        subject=str(request_id),
        old_value={"user": found.user_id, "kind": found.kind, "query_id": found.audit_id},
        reason=why,
    )
    return told(_stop(door, request_id, f"{user.user_id} stopped it: {why}"[: texts.LONGEST]) or found)


def told(request: QueryRequest, cipher: QueryCipher | None = None) -> QueryRequestDTO:
    """A request for people; with a cipher its text and its error too, as far as they can be read."""
    now = dt.datetime.now(dt.UTC)
    lives = request.expires_at is not None and request.expires_at > now
    lost = request.state == "running" and request.updated_at < now - query_requests.ABANDONED_AFTER
    return QueryRequestDTO(
        id=request.id,
        kind=request.kind,
        user_id=request.user_id,
        dataset=request.dataset,
        state="failed" if lost else request.state,
        query=_read(cipher, request.query_text),
        format=request.format,
        as_of=request.as_of,
        created_at=request.created_at,
        started_at=request.started_at,
        finished_at=request.finished_at,
        expires_at=request.expires_at,
        cancel_requested=request.cancel_requested,
        query_id=request.audit_id,
        row_count=request.row_count,
        error_kind=waiting_requests.LOST if lost else request.error_kind,
        error_message=_why(request, cipher, lost=lost),
        has_result=lives and request.state == "done" and request.result_location is not None,
    )


def _why(request: QueryRequest, cipher: QueryCipher | None, *, lost: bool) -> str | None:
    """Why it has no result."""
    if lost or request.error_kind == waiting_requests.LOST:
        return _LOST
    if request.error_message is None and request.state == "cancelled" and request.cancel_reason is not None:
        # It waited, so that nothing ran that could have failed with the reason.
        return f"The query was cancelled: {request.cancel_reason.rstrip('.')}."
    return _read(cipher, request.error_message)


def not_found(request_id: UUID) -> NotFoundError:
    """The same words for an id that does not exist and for somebody else's."""
    return NotFoundError(f"Query request {request_id} was not found.", hint="`data-platform queries list` lists yours.")


def _stop(door: Door, request_id: UUID, reason: str | None) -> QueryRequest | None:
    with door.records.transaction(SCOPE) as connection:
        stopped = query_requests.request_cancel(connection, request_id, reason)
    # It may run in this very process: then nobody needs to wait for the next look.
    watch_over(door.records).cancel(request_id, reason)
    return stopped


def _read(cipher: QueryCipher | None, stored_text: bytes | None) -> str | None:
    if cipher is None or stored_text is None:
        return None
    try:
        # Half of a surrogate pair, which a terminal may have sent, can be written nowhere.
        return cipher.decrypt(stored_text).encode("utf-8", "replace").decode()
    except ConfigurationError:
        return None
