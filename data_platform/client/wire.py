"""How an error travels over HTTP: one JSON form, which the server writes and the client turns into the same error.

`{"error", "kind", "exit_code"}`, and where there is one `"hint"`, `"retry_after_seconds"`, `"problem"` (what is wrong
with a statement: kind, line, column) and `"current"` (what a conflicting change was made to).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from data_platform.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    DataQualityError,
    LockBusyError,
    LockNotHeldError,
    NotFoundError,
    NotPermittedError,
    PlatformError,
    QueryCancelledError,
    QueryTimeoutError,
    RateLimitedError,
    UsageError,
)

ARROW: Final = "application/vnd.apache.arrow.stream"
"""The media type of Arrow's IPC stream, in which a page's rows keep their types."""

ABOUT: Final = b"data_platform"
"""Under this key of the stream's schema stands what is known of a page besides its rows, as JSON."""

KINDS: Final[dict[str, type[PlatformError]]] = {
    "not_found": NotFoundError,
    "usage": UsageError,
    "configuration": ConfigurationError,
    "not_permitted": NotPermittedError,
    "rate_limited": RateLimitedError,
    "timed_out": QueryTimeoutError,
    "cancelled": QueryCancelledError,
    "locked": LockBusyError,
    "lock_lost": LockNotHeldError,
    "database_unavailable": DatabaseUnavailableError,
    "data_quality": DataQualityError,
    "failed": PlatformError,
}
"""What kinds of errors there are; the first whose class an error is an instance of is its own."""


def kind_of(error: PlatformError) -> str:
    """The kind that an error travels as."""
    return next(kind for kind, form in KINDS.items() if isinstance(error, form))


def document(error: PlatformError, **more: object) -> dict[str, object]:
    """The JSON form of an error; `more` is added to it."""
    found: dict[str, object] = {"error": error.message, "kind": kind_of(error), "exit_code": error.exit_code}
    if error.hint:
        found["hint"] = error.hint
    if isinstance(error, RateLimitedError):
        found["retry_after_seconds"] = error.retry_after_seconds
    return {**found, **more}


def error_of(found: Mapping[str, Any]) -> PlatformError:
    """The error that a document tells of: of the same class, with the same exit code."""
    form = KINDS.get(str(found.get("kind")), PlatformError)
    message, hint = str(found.get("error") or "The server refused, and did not say why."), found.get("hint")
    if form is RateLimitedError:
        seconds = found.get("retry_after_seconds")
        return RateLimitedError(message, retry_after_seconds=seconds if isinstance(seconds, int) else 60)
    error = form(message, hint=str(hint) if hint else None)
    code = found.get("exit_code")
    if isinstance(code, int) and 0 < code <= 130:  # noqa: PLR2004 - what a process can end with here
        error.exit_code = code
    return error
