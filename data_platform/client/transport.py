"""Requests and answers: one connection pool, and the server's errors raised as ours.

A read that failed because the line did is tried again, three times at most; what changes something never is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self, cast

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from data_platform.client.address import Address
from data_platform.client.wire import ARROW, error_of
from data_platform.errors import (
    DatabaseUnavailableError,
    NotFoundError,
    NotPermittedError,
    PlatformError,
    RateLimitedError,
    UsageError,
)

_TIMEOUT: Final = httpx.Timeout(connect=10, read=90, write=30, pool=30)
"""In seconds; an export may take 60 before the first byte of its answer."""

_JSON: Final = "application/json"
_TRIES: Final = 4
_MOST_BYTES_OF_AN_ERROR: Final = 64 * 1024
_NUMBERS: Final = re.compile(r"^\[[^\]]*\]|\(_ssl\.c:\d+\)")
"""What stands around the words of an error of the line, such as `[Errno 111]`."""

_UNSAID: Final = "{host} answered with status {status}, and it is no answer of data-platform."


class Transport:
    """What the client asks with; may be shared by threads."""

    def __init__(self, address: Address, token: str | None) -> None:
        self._address = address
        self._http = httpx.Client(
            base_url=address.base,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=_TIMEOUT,
            # What is sent to this machine goes through no proxy of the environment, and the token to no other server.
            trust_env=not address.here,
            # Certificates are loaded where there are any: it takes a while.
            verify=address.base.startswith("https:"),
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, *, again: bool = True, **query: object) -> Any:  # noqa: ANN401 - a JSON document
        """Read a document; `again` says that reading it twice does no harm.

        Raises:
            PlatformError: the server's error, that there is no server, or that it is none of ours.
        """
        return self._document(self._ask("GET", path, _JSON, again=again, params=_given(query)))

    def get_rows(self, path: str, **query: object) -> bytes:
        """Read a page of rows, as Arrow's stream.

        Raises:
            PlatformError: as `get` does.
        """
        return self._rows(self._ask("GET", path, ARROW, again=True, params=_given(query)))

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - as above
        """Have something done, once; what is None in the body is left out.

        Raises:
            UsageError: when what stands in the body can't be sent.
            PlatformError: as `get` does.
        """
        return self._document(self._ask(method, path, _JSON, again=False, content=_body(body or {})))

    def send_for_rows(self, path: str, body: Mapping[str, object]) -> bytes:
        """The same with POST, for a page of rows."""
        return self._rows(self._ask("POST", path, ARROW, again=False, content=_body(body)))

    @contextmanager
    def stream(self, path: str) -> Generator[httpx.Response]:
        """Read something long piece by piece.

        Raises:
            PlatformError: as `get` does.
        """
        self._require_open()
        try:
            with self._http.stream("GET", path) as answer:
                if answer.status_code >= httpx.codes.MULTIPLE_CHOICES:
                    answer.read()
                self._check(answer)
                yield answer
        except httpx.RequestError as error:
            raise self._away(error) from None

    def _require_open(self) -> None:
        if self._http.is_closed:
            raise UsageError("This connection is closed.", hint="Ask inside its `with` block, or connect again.")

    def _ask(
        self,
        method: str,
        path: str,
        accept: str,
        *,
        again: bool,
        **given: Any,  # noqa: ANN401 - httpx's
    ) -> httpx.Response:
        self._require_open()
        headers = {"Accept": accept, **({"Content-Type": _JSON} if "content" in given else {})}
        tries = Retrying(
            retry=retry_if_exception_type(httpx.RequestError),
            stop=stop_after_attempt(_TRIES if again else 1),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            reraise=True,
        )
        try:
            answer = tries(lambda: self._http.request(method, path, headers=headers, **given))
        except httpx.RequestError as error:
            raise self._away(error) from None
        self._check(answer)
        return answer

    def _document(self, answer: httpx.Response) -> object:
        try:
            found: object = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict | list):
            raise _unsaid(self._address.host, answer)
        return cast("object", found)

    def _rows(self, answer: httpx.Response) -> bytes:
        if answer.headers.get("content-type") != ARROW:
            raise _unsaid(self._address.host, answer)
        return answer.content

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        try:
            found: object = answer.json() if len(answer.content) <= _MOST_BYTES_OF_AN_ERROR else None
        except ValueError:
            found = None
        if isinstance(found, dict) and "error" in found:
            raise error_of(cast("Mapping[str, Any]", found))
        raise _unsaid(self._address.host, answer)

    def _away(self, error: httpx.RequestError) -> PlatformError:
        if isinstance(error, httpx.TimeoutException):
            return PlatformError(f"{self._address.host} did not answer in time.", hint="Try again in a moment.")
        return PlatformError(
            f"{self._address.host} does not answer ({_why(error)}).",
            hint="Is `data-platform up` running there, and is DATA_PLATFORM_URL right?",
        )


def _unsaid(host: str, answer: httpx.Response) -> PlatformError:
    """The error for an answer of somebody else, such as a proxy before the server."""
    message = _UNSAID.format(host=host, status=answer.status_code)
    match answer.status_code:
        case 401 | 403:
            return NotPermittedError(message, hint="Is DATA_PLATFORM_TOKEN right?")
        case 429:
            said = answer.headers.get("retry-after", "")
            return RateLimitedError(message, retry_after_seconds=int(said) if said.isdecimal() else 60)
        case 404:
            return NotFoundError(message, hint="Is DATA_PLATFORM_URL right?")
        case 503:
            return DatabaseUnavailableError(message, hint="Try again in a moment.")
        case 502 | 504:
            return PlatformError(message, hint="Try again in a moment.")
        case _:
            return UsageError(message, hint="Is DATA_PLATFORM_URL right?")


def _why(error: httpx.RequestError) -> str:
    """What the line said, without numbers. What we sent may hold the token: what is wrong with that is not repeated."""
    said = str(error) if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError) else ""
    words = _NUMBERS.sub("", said).strip().rstrip(".") or type(error).__name__
    return f"no encrypted connection: {words}" if said.startswith("[SSL") else words


def _given(query: Mapping[str, object]) -> dict[str, str]:
    return {name: _text(value) for name, value in query.items() if value is not None}


def _body(body: Mapping[str, object]) -> bytes:
    try:
        return json.dumps({name: value for name, value in body.items() if value is not None}, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise UsageError(f"What was given can't be sent: {error}.", hint="Give text, numbers, true or false.") from None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
