"""What a request may cost before anybody knows whose it is: bytes of a body, and patience with whoever is slow.

A body is counted as it arrives, whatever its length was said to be. A client that stops reading or sending for too long
is cut off; until then it holds a socket and no thread.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data_platform.client.wire import document
from data_platform.errors import UsageError
from data_platform.orchestration.webserver import pages

API: Final = "/api/v1"
"""Where the HTTP interface lies."""

MOST_BYTES: Final = 8 * 1024 * 1024
"""The largest body for Dagster, whose run configurations may be long."""

MOST_API_BYTES: Final = 64 * 1024
"""The largest body for the interface: a statement has at most 16 KiB."""

PATIENCE_SECONDS: Final = 30.0
"""How long a body may take to arrive, and a client to read what was sent before more is."""


def of_api(path: str) -> bool:
    """Whether a path is one of the HTTP interface."""
    return path.startswith(f"{API}/")


class BodyError(HTTPException):
    """The body is too long, or too slow. Whatever reads it, FastAPI and Starlette let this one pass as it is."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message, {"Connection": "close"})


class _Asleep(Exception):  # noqa: N818 - it never leaves this module
    """The client reads nothing any more."""


class Bounds:
    """ASGI middleware, before everything else."""

    def __init__(self, app: ASGIApp, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._app = app
        self._patience = patience_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = MOST_API_BYTES if of_api(scope["path"]) else MOST_BYTES
        began = False

        async def sending(message: Message) -> None:
            nonlocal began
            began = True
            try:
                async with asyncio.timeout(self._patience):
                    await send(message)
            except TimeoutError:
                raise _Asleep from None

        try:
            said = Headers(scope=scope).get("content-length", "")
            if said.isascii() and said.isdigit() and int(said[:20]) > most:
                raise _too_long(most)
            await self._app(scope, self._bounded(receive, most), sending)
        except BodyError as error:
            if not began:
                await _refusal(error)(scope, receive, send)
        except _Asleep:
            # What was sent is not taken. The connection ends with the task.
            return

    def _bounded(self, receive: Receive, most: int) -> Receive:
        taken, whole = 0, False
        deadline = asyncio.get_running_loop().time() + self._patience

        async def bounded() -> Message:
            nonlocal taken, whole
            if whole:
                # What comes now is that the client has left, which may take as long as it likes.
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise BodyError(408, "The request's body did not arrive in time.") from None
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > most:
                raise _too_long(most)
            return message

        return bounded


def _too_long(most: int) -> BodyError:
    return BodyError(413, f"A body has at most {most // 1024:,} KiB.")


def _refusal(error: BodyError) -> Response:
    return pages.plain(document(UsageError(error.detail)), error.status_code, error.headers)
