"""Running what was submitted earlier, in its owner's name and with the permissions that the owner has by then."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from data_platform.errors import PlatformError, UsageError
from data_platform.governance.audit_key import QueryCipher
from data_platform.governance.audited_text import statement_of
from data_platform.governance.dto import ExportJobDTO
from data_platform.governance.engine.parameters import decode
from data_platform.governance.explorer.asked import Asked, QueryResult, as_of_from
from data_platform.governance.explorer.door import SCOPE, Door
from data_platform.governance.explorer.exports import export
from data_platform.governance.explorer.queries import execute
from data_platform.governance.explorer.tickets import Written, ending_of
from data_platform.governance.identity import user_named
from data_platform.governance.permissions import User
from data_platform.records import query_requests
from data_platform.records.connection import Records
from data_platform.records.query_requests import QueryRequest, RequestKind


@dataclass(frozen=True, slots=True)
class Claimed:
    """A submitted statement, readable again, and whose it is."""

    request_id: UUID
    user_id: str
    asked: Asked
    written: Written | None


def run_query(door: Door, request_id: UUID) -> QueryResult:
    """Claim a submitted query, run it, and keep its result.

    Raises:
        UsageError: no such query, or it runs, is done, or was cancelled already.
        PlatformError: whatever the query raises; the request has ended then.
    """
    claimed, owner = _begin(door, request_id, "query")
    return execute(door, owner, claimed.asked, request_id=request_id)


def run_export(door: Door, request_id: UUID) -> ExportJobDTO:
    """Claim a submitted export, run it, and write its file.

    Raises:
        UsageError, PlatformError: as `run_query`.
    """
    claimed, owner = _begin(door, request_id, "export")
    assert claimed.written is not None  # noqa: S101 - an export has a format
    return export(door, owner, claimed.asked, claimed.written, request_id)


def _begin(door: Door, request_id: UUID, kind: RequestKind) -> tuple[Claimed, User]:
    with door.records.transaction(SCOPE) as connection:
        request = query_requests.get(connection, request_id)
    if request is not None and request.kind != kind:
        raise UsageError(f"Request {request_id} is not a{'n' if kind == 'export' else ''} {kind}.")
    claimed = claim(door.records, door.cipher, request_id)
    try:
        return claimed, user_named(door.settings, door.records, claimed.user_id)
    except PlatformError as error:
        with door.records.transaction(SCOPE) as connection:
            query_requests.finish(connection, request_id, ending_of(door, error))
        raise


def claim(records: Records, cipher: QueryCipher, request_id: UUID) -> Claimed:
    """Take a queued, failed or abandoned request to run it; its state becomes running, and nobody else gets it.

    Raises:
        UsageError: when there is no such request, or it runs, is done or was cancelled already.
        ConfigurationError: when its text was encrypted with a key that is not configured.
    """
    with records.transaction(SCOPE) as connection:
        request = query_requests.claim(connection, request_id)
        if request is None:
            raise _not_to_be_had(query_requests.get(connection, request_id), request_id)
        # Within the transaction: a text that cannot be read leaves the request as it was.
        parameters = {} if request.parameters is None else statement_of(cipher.decrypt(request.parameters))[1]
        asked = Asked(
            request.dataset,
            cipher.decrypt(request.query_text),
            decode(parameters) or None,
            as_of_from(request.as_of),
            request.client_ip,
        )
    written = None if request.format is None else Written(request.format, request.escape_formulas)
    return Claimed(request_id, request.user_id, asked, written)


def _not_to_be_had(request: QueryRequest | None, request_id: UUID) -> UsageError:
    if request is None:
        return UsageError(f"Query request {request_id} was not found.", hint="Submit the query again.")
    minutes = query_requests.ABANDONED_AFTER // dt.timedelta(minutes=1)
    hint = (
        f"Wait for its result; if its run died, it can be run again {minutes} minutes after it began."
        if request.state == "running"
        else "Submit the query again to run it anew."
    )
    return UsageError(f"Query request {request_id} is {request.state} already.", hint=hint)
