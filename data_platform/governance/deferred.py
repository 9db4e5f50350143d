"""Queries that are submitted now and run later by another process: what travels between the two is an id.

The text lies encrypted in the records; the run reads it, acts in its owner's name with the permissions that the owner
has by then, and leaves the result page as a file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

import pyarrow as pa

from data_platform.errors import UsageError
from data_platform.governance.audit_key import QueryCipher
from data_platform.governance.result_files import write_result
from data_platform.records import query_requests
from data_platform.records.connection import Records
from data_platform.records.scope import Scope

Result = TypeVar("Result")

_SCOPE: Final = Scope.system("query-requests")


@dataclass(frozen=True, slots=True)
class DeferredQuery:
    """A submitted query, readable again."""

    request_id: UUID
    user_id: str
    dataset: str
    sql: str = field(repr=False)


def submit(records: Records, cipher: QueryCipher, user_id: str, dataset: str, sql: str) -> UUID:
    """Store a query in state queued and return its id."""
    with records.transaction(_SCOPE) as connection:
        return query_requests.create(connection, user_id, dataset, cipher.encrypt(sql))


def claim(records: Records, cipher: QueryCipher, request_id: UUID) -> DeferredQuery:
    """Take a queued, failed or abandoned query to run it; its state becomes running, and nobody else gets it.

    Raises:
        UsageError: when there is no such request, or it runs or is done already.
        ConfigurationError: when its text was encrypted with a key that is not configured.
    """
    with records.transaction(_SCOPE) as connection:
        request = query_requests.claim(connection, request_id)
        if request is None:
            raise _not_to_be_had(query_requests.get(connection, request_id), request_id)
        # Within the transaction: a text that cannot be read leaves the request as it was.
        return DeferredQuery(request_id, request.user_id, request.dataset, cipher.decrypt(request.query_text))


def _not_to_be_had(request: query_requests.QueryRequest | None, request_id: UUID) -> UsageError:
    if request is None:
        return UsageError(f"Query request {request_id} was not found.", hint="Submit the query again.")
    minutes = query_requests.ABANDONED_AFTER // dt.timedelta(minutes=1)
    hint = (
        f"Wait for its result; if its run died, it can be run again {minutes} minutes after it began."
        if request.state == "running"
        else "Submit the query again to run it anew."
    )
    return UsageError(f"Query request {request_id} is {request.state} already.", hint=hint)


def finish(
    records: Records,
    exports: Path,
    query: DeferredQuery,
    execute: Callable[[], Result],
    rows_of: Callable[[Result], pa.Table],
) -> Result:
    """Run a claimed query and keep its page; the state becomes done with the file's place, or failed.

    Raises:
        PlatformError: whatever `execute` raises, and `UsageError` when the result can't be stored.
    """
    location: Path | None = None
    try:
        result = execute()
        location = write_result(exports, query.user_id, query.request_id, rows_of(result))
    finally:
        with records.transaction(_SCOPE) as connection:
            state: query_requests.RequestState = "failed" if location is None else "done"
            query_requests.set_state(connection, query.request_id, state, None if location is None else str(location))
    return result


def result_of(records: Records, user_id: str, request_id: UUID) -> tuple[str, Path]:
    """The dataset and the file of a finished request, for its owner.

    Raises:
        UsageError: when the user has no such request, or it has no result.
    """
    with records.transaction(_SCOPE) as connection:
        request = query_requests.get(connection, request_id)
    if request is None or request.user_id != user_id:
        raise UsageError(f"Query request {request_id} was not found.", hint="Submit the query again.")
    if request.result_location is None:
        raise UsageError(f"Query request {request_id} has no result: it is {request.state}.")
    return request.dataset, Path(request.result_location)
