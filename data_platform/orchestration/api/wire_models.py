"""The form of an error, for the description of the interface: what `data_platform.client.wire` writes."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel


class ProblemModel(BaseModel):
    """What is wrong with a statement, and where; lines and columns count from 1."""

    kind: str
    line: int | None
    column: int | None


class ErrorModel(BaseModel):
    """An error: `exit_code` is what the command line would end with."""

    error: str
    kind: str
    exit_code: int
    hint: str | None = None
    retry_after_seconds: int | None = None
    problem: ProblemModel | None = None
    current_version: int | None = None


_MEANINGS: Final = {
    400: "The request makes no sense.",
    401: "Nobody is named, or the token is no good.",
    403: "Not permitted; the message names the permission.",
    404: "There is no such thing, or it is somebody else's.",
    408: "The body did not arrive in time.",
    409: "Locked, cancelled, or changed by somebody else meanwhile.",
    413: "The body is too long.",
    422: "The body or a parameter has the wrong form.",
    429: "The limit is reached; `Retry-After` says when to come back.",
    500: "The server failed.",
    503: "The database is away, too many requests wait, or the server stops.",
    504: "The query was stopped at its time limit.",
}
ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ErrorModel, "description": meaning} for status, meaning in _MEANINGS.items()
}
