"""The gate before every route, the WebSocket's and the static files' too: who asks, and may they come in."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data_platform.client.wire import document
from data_platform.errors import DatabaseUnavailableError, NotPermittedError, PlatformError
from data_platform.governance.permissions import User, is_administrator
from data_platform.orchestration.webserver import pages
from data_platform.orchestration.webserver.asking import address_behind, foreign, identify
from data_platform.orchestration.webserver.bounds import of_api
from data_platform.orchestration.webserver.context import USER_KEY
from data_platform.orchestration.webserver.verdicts import ADMINISTRATORS_ONLY, decide_reading
from data_platform.records.connection import Records
from data_platform.settings import Settings

_REPORTS: Final = "/report_asset_"
"""Dagster's routes that write events of assets, which it asks nobody's permission for."""

_LONGEST_FORM: Final = 4_096
_AGAIN_SECONDS: Final = 15.0
"""How long a WebSocket that is open is believed before it is asked again."""

_POLICY_VIOLATION: Final = 1008


class _Refused(Exception):  # noqa: N818 - it never leaves this module
    def __init__(self, message: str, status: int, error: PlatformError | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.error = error or NotPermittedError(message)


class Gate:
    """ASGI middleware that leaves the user in the scope, or answers by itself."""

    def __init__(
        self, app: ASGIApp, *, settings: Settings, records: Records, again_seconds: float = _AGAIN_SECONDS
    ) -> None:
        self._app = app
        self._settings = settings
        self._records = records
        self._again_seconds = again_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        page = method == "GET" and "text/html" in Headers(scope=scope).get("accept", "")
        try:
            if self._settings.identity == "token" and path in {pages.SIGN_IN, pages.SIGN_OUT}:
                await (await self._sign(scope, receive))(scope, receive, send)
                return
            scope[USER_KEY] = await self._admit(scope, method)
        except _Refused as refused:
            if of_api(path):
                await pages.plain(document(refused.error), refused.status)(scope, receive, send)
                return
            form = refused.status == 401 and self._settings.identity == "token"  # noqa: PLR2004 - HTTP's figure
            await pages.refusal(refused.message, refused.status, page=page, form=form)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            scope[USER_KEY] = await self._admit(scope, "WEBSOCKET")
        except _Refused as refused:
            # Before it was accepted, this is an HTTP answer of 403.
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refused.message[:100]})
            return
        believed, closed = time.monotonic(), False

        async def watched(message: Message) -> None:
            nonlocal believed, closed
            if closed:
                return
            if message["type"] == "websocket.send" and time.monotonic() - believed >= self._again_seconds:
                try:
                    scope[USER_KEY] = await self._admit(scope, "WEBSOCKET")
                    believed = time.monotonic()
                except _Refused:
                    message, closed = {"type": "websocket.close", "code": _POLICY_VIOLATION}, True
            await send(message)

        await self._app(scope, receive, watched)

    async def _admit(self, scope: Scope, method: str) -> User:
        """The user of a request that may come in.

        Raises:
            _Refused: with the status to answer with.
        """
        headers = Headers(scope=scope)
        strange = foreign(self._settings, method, scope["path"], headers)
        if strange is not None:
            raise _Refused(strange, 403)
        user = await self._identify(headers)
        address = address_behind(self._settings, headers)
        if address is not None:
            # What the audit calls the client's address is the visitor's, not the proxy's.
            scope["client"] = (address, 0)
        if of_api(scope["path"]):
            # Its answers are those of the services, which each user gets of their own datasets only.
            return user
        reading = decide_reading(user, self._settings.ui_visibility)
        if not reading.allowed:
            raise _Refused(
                f"{reading.reason}. This page shows counts and timings of every dataset; use `data-platform status`.",
                403,
            )
        if scope["path"].startswith(_REPORTS) and not is_administrator(user):
            raise _Refused(ADMINISTRATORS_ONLY, 403)
        return user

    async def _identify(self, headers: Headers) -> User:
        try:
            return await run_in_threadpool(identify, self._settings, self._records, headers)
        except NotPermittedError as error:
            raise _Refused(error.message, 401, error) from None
        except DatabaseUnavailableError as error:
            raise _Refused(f"{error.message} Nobody can be let in until it is back.", 503, error) from None

    async def _sign(self, scope: Scope, receive: Receive) -> Response:
        """Sign in or out. The token comes in a form, so that it stands in no address."""
        request = Request(scope, receive)
        strange = foreign(self._settings, request.method, scope["path"], request.headers)
        if strange is not None:
            raise _Refused(strange, 403)
        if scope["path"] == pages.SIGN_OUT:
            return pages.signed_out()
        if request.method != "POST":
            return pages.refusal("Sign in with a token.", 200, page=True, form=True)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LONGEST_FORM:
                raise _Refused("That is no token.", 413)
        token = parse_qs(body.decode("ascii", "replace")).get("token", [""])[0].strip()
        await self._identify(Headers({"authorization": f"Bearer {token}"}))
        secure = scope.get("scheme") == "https" or request.headers.get("x-forwarded-proto") == "https"
        return pages.signed_in(token, secure=secure)
