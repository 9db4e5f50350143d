"""Further pages of a result that was kept: no new query, but permitted and audited each time.

A page is licensed rows on their way out, so each is one entry of `platform_audit` that names the audited query. It is
no attempt of its own, because nothing runs: the query was limited and audited when it did.
"""

from __future__ import annotations

import datetime as dt
import time
from uuid import UUID

from data_platform.errors import NotFoundError, UsageError
from data_platform.governance.audited import Question
from data_platform.governance.explorer import cursors
from data_platform.governance.explorer.asked import MAX_PAGE_ROWS, QueryResult, within
from data_platform.governance.explorer.cursors import no_cursor
from data_platform.governance.explorer.door import SCOPE, Door
from data_platform.governance.explorer.kept import Shown, Whole, kept, page_of
from data_platform.governance.explorer.reading import permit_tables
from data_platform.governance.permissions import Action, User
from data_platform.records import platform_audit, query_requests
from data_platform.records.query_requests import QueryRequest


def follow(door: Door, user: User, text: str, client_ip: str | None = None) -> QueryResult:
    """The page that a cursor leads to.

    Raises:
        UsageError: it leads nowhere; the same words whatever the reason.
        NotPermittedError: the user may no longer query the dataset; audited.
    """
    started = time.monotonic()
    cursor = cursors.read(door.cipher, text, user.user_id)
    request = _request(door, user, cursor.request_id)
    if request is None:
        raise no_cursor()
    _permit(door, user, request, client_ip)
    whole = kept(request.result_location, cursor.offset, cursor.page_size)
    if whole is None or cursors.digest(whole.versions) != cursor.versions or not whole.held_after(cursor.offset):
        raise no_cursor()
    return _page(door, user, request, whole, cursor.offset, cursor.page_size, client_ip, started)


def first(
    door: Door, user: User, request_id: UUID, client_ip: str | None = None, page_size: int = MAX_PAGE_ROWS
) -> QueryResult:
    """The first page of a submitted query's result.

    Raises:
        UsageError: the user has no such request, or it has no result (any more), or a page can't be of that size.
        NotPermittedError: as `follow`.
    """
    started = time.monotonic()
    within("page size", page_size, MAX_PAGE_ROWS)
    with door.records.transaction(SCOPE) as connection:
        found = query_requests.get(connection, request_id)
    if found is None or found.user_id != user.user_id:
        raise NotFoundError(f"Query request {request_id} was not found.", hint="Submit the query again.")
    _permit(door, user, found, client_ip)
    if found.kind == "export":
        raise UsageError(f"Request {request_id} is an export.", hint="Download its file.")
    if found.state != "done":
        raise UsageError(f"Query request {request_id} has no result: it is {found.state}.")
    whole = kept(found.result_location, 0, page_size) if _request(door, user, request_id) else None
    if whole is None:
        raise UsageError(f"Query request {request_id} has no result any more.", hint="Submit the query again.")
    return _page(door, user, found, whole, 0, page_size, client_ip, started)


def _request(door: Door, user: User, request_id: UUID) -> QueryRequest | None:
    """The user's own request, done, with a result that lives."""
    with door.records.transaction(SCOPE) as connection:
        found = query_requests.get(connection, request_id)
    if found is None or found.user_id != user.user_id or found.state != "done" or found.kind != "query":
        return None
    return found if found.expires_at is not None and found.expires_at > dt.datetime.now(dt.UTC) else None


def _permit(door: Door, user: User, request: QueryRequest, client_ip: str | None) -> None:
    door.permit(user, _question(user, request, client_ip), Action.QUERY_DATA)


def _question(user: User, request: QueryRequest, client_ip: str | None) -> Question:
    return Question(user.user_id, request.dataset, f"-- page of request {request.id}", client_ip)


def _page(
    door: Door,
    user: User,
    request: QueryRequest,
    whole: Whole,
    offset: int,
    page_size: int,
    client_ip: str | None,
    started: float,
) -> QueryResult:
    permit_tables(door, user, _question(user, request, client_ip), list(whole.versions))
    remaining = door.remaining(user, door.query_limit)
    duration = round((time.monotonic() - started) * 1000)
    shown = Shown(user.user_id, request.id, request.dataset, offset, page_size, request.expires_at, duration, remaining)
    page = page_of(door, whole, shown)
    platform_audit.note(
        door.records,
        user.user_id,
        "query.page",
        dataset=request.dataset,
        subject=str(request.id),
        new_value={"query_id": whole.query_id, "page": page.dto.page, "rows": page.dto.row_count},
        client_ip=client_ip,
    )
    return page
