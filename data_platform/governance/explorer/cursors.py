"""Cursors: signed words that lead to the next page of one result, for one user and one day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from itsdangerous import BadData, URLSafeTimedSerializer

from data_platform.errors import UsageError
from data_platform.governance.audit_key import QueryCipher
from data_platform.records.query_requests import RESULTS_LIVE

_PURPOSE: Final = "data-platform cursor"
_LONGEST: Final = 2_048


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: in which request's result, read from which versions, for whom, after how many rows.

    `versions` is the digest of the versions that the result was read from.
    """

    user_id: str
    request_id: UUID
    versions: str
    offset: int
    page_size: int


def sign(cipher: QueryCipher, cursor: Cursor) -> str:
    """Write a cursor as text for a URL. It says nothing that its user does not know."""
    words = [cursor.user_id, str(cursor.request_id), cursor.versions, cursor.offset, cursor.page_size]
    return str(_serializer(cipher).dumps(words))


def read(cipher: QueryCipher, text: str, user_id: str) -> Cursor:
    """Read a cursor that was given to this user in the last 24 hours, under any of the keys.

    Raises:
        UsageError: for any other text; always the same words.
    """
    if len(text) > _LONGEST:
        raise no_cursor()
    try:
        loaded = _serializer(cipher).loads(text, max_age=int(RESULTS_LIVE.total_seconds()))
        owner, request, versions, offset, page_size = cast("list[Any]", loaded)
        cursor = Cursor(str(owner), UUID(request), str(versions), int(offset), int(page_size))
    except (BadData, ValueError, TypeError, AttributeError):
        raise no_cursor() from None
    if cursor.user_id != user_id:
        raise no_cursor()
    return cursor


def no_cursor() -> UsageError:
    """The one error for a cursor that leads nowhere."""
    return UsageError("This cursor leads to no page.", hint="Cursors last 24 hours; run the query again.")


def digest(versions: Mapping[str, int]) -> str:
    """A short word for the versions that a result was read from."""
    told = ",".join(f"{table}:{version}" for table, version in sorted(versions.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _serializer(cipher: QueryCipher) -> URLSafeTimedSerializer:
    # itsdangerous signs with the last of its keys and believes all of them.
    keys = cipher.derived(_PURPOSE)[::-1]
    return URLSafeTimedSerializer(
        keys, salt=_PURPOSE, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    )
