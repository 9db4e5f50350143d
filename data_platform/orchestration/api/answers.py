"""Errors as answers: each with its status and the one JSON form of `data_platform.client.wire`, and no traceback."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data_platform.client.wire import document, kind_of
from data_platform.errors import NotFoundError, NotPermittedError, PlatformError, RateLimitedError, UsageError
from data_platform.governance.engine.engine import QueryRefusedError
from data_platform.governance.engine.slots import EngineBusyError
from data_platform.orchestration.api.desk import BusyError
from data_platform.orchestration.webserver.pages import plain
from data_platform.records.schedules import ScheduleConflictError

_LOG: Final = logging.getLogger("data_platform.api")

STATUS: Final[Mapping[str, int]] = {
    "not_found": 404,
    "usage": 400,
    "configuration": 500,
    "not_permitted": 403,
    "rate_limited": 429,
    "timed_out": 504,
    "cancelled": 409,
    "locked": 409,
    "lock_lost": 409,
    "database_unavailable": 503,
    "data_quality": 500,
    "failed": 503,
}
_AGAIN_SECONDS: Final = 5

_UNREADABLE: Final = (
    "The request is not valid. Its body can't be read: it is not in UTF-8, nests too deeply, or holds a number of too "
    "many digits."
)
_VALUES: Final = (
    "parameters: Input should be a list or an object of values: text, numbers, true, false, null, or "
    '{"type": "date", "value": "2024-01-31"}, of type date, timestamp or decimal'
)


def answer(error: PlatformError) -> Response:
    """The answer that an error is."""
    more: dict[str, object] = {}
    headers: dict[str, str] = {}
    status = STATUS[kind_of(error)]
    if isinstance(error, QueryRefusedError):
        problem = error.problem
        more["problem"] = {"kind": problem.kind.value, "line": problem.line, "column": problem.column}
    elif isinstance(error, ScheduleConflictError):
        status = 409
        more["current_version"] = error.current.version
    elif isinstance(error, RateLimitedError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    elif isinstance(error, BusyError | EngineBusyError):
        headers["Retry-After"] = str(_AGAIN_SECONDS)
    return plain(document(error, **more), status, headers)


def answer_errors(api: FastAPI) -> None:
    """Have every error of the application answered in the same form."""

    def platform_error(_: Request, error: Exception) -> Response:
        return answer(cast("PlatformError", error))

    def malformed(_: Request, error: Exception) -> Response:
        return plain(document(_malformed(cast("RequestValidationError", error).errors())), 422)

    def of_http(_: Request, error: Exception) -> Response:
        known = cast("HTTPException", error)
        return plain(document(_of_status(known)), known.status_code, known.headers)

    api.add_exception_handler(PlatformError, platform_error)
    api.add_exception_handler(RequestValidationError, malformed)
    api.add_exception_handler(HTTPException, of_http)


class Unkept:
    """ASGI middleware around the application: what it answers is somebody's own, so nobody on the way may keep it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["cache-control"] = "no-store"
            await send(message)

        await self._app(scope, receive, sending)


class Quiet:
    """ASGI middleware around the application: a fault of ours is an answer without its text, and a line in the log.

    The error's own message stays out of both, for it may hold what was read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = False

        async def sending(message: Any) -> None:  # noqa: ANN401 - ASGI's messages
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except HTTPException:
            raise
        except Exception as error:
            if began:
                raise
            where = "".join(traceback.format_tb(error.__traceback__)[-3:])
            _LOG.error("%s while answering %s:\n%s", type(error).__name__, scope["path"], where)
            failed = PlatformError("The server failed. Its log says where.")
            await plain(document(failed), 500)(scope, receive, send)


def _malformed(found: Sequence[Any]) -> UsageError:
    """What is wrong with the form of a request, from what pydantic and FastAPI found."""
    for each in found:
        if each["type"] == "json_invalid":
            why, place = each["ctx"]["error"], each["loc"][-1]
            return UsageError(f"The request is not valid. Its body is no JSON ({why}, at character {place}).")
        if each["loc"] == ("body",) and isinstance(each.get("input"), bytes):
            # FastAPI reads a body only when it is said to be JSON, so that no form of another site's page can send one.
            return UsageError(
                "The request is not valid. Its body is not said to be JSON.",
                hint="Send the header Content-Type: application/json.",
            )
    said = "; ".join(dict.fromkeys(_said(each["loc"], each["msg"]) for each in found[:5]))
    return UsageError(f"The request is not valid. {said}."[:1_000])


def _of_status(error: HTTPException) -> PlatformError:
    if error.status_code == 404:  # noqa: PLR2004 - HTTP's figure
        return NotFoundError("There is nothing here.", hint="The interface is described in /api/v1/openapi.json.")
    if error.status_code in {401, 403}:
        return NotPermittedError(error.detail)
    if error.status_code == 400:  # noqa: PLR2004 - HTTP's figure
        # FastAPI's answer to whatever json.loads fails with.
        return UsageError(_UNREADABLE, hint="Send JSON in UTF-8.")
    return UsageError(error.detail)


def _said(location: tuple[int | str, ...], message: str) -> str:
    if location[:2] == ("body", "parameters") and len(location) > 2:  # noqa: PLR2004 - within them
        # What each of the types that a value may have says of it helps nobody.
        return _VALUES
    return f"{_place(location)}: {message}"


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(each) for each in location[1:]) or str(location[0])
