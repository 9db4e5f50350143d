"""Requests and answers: one connection pool, and the server's errors raised as ours.

A read that failed because the line did is tried again, three times at most; what changes something never is.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self, cast

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from data_platform.client.address import Address
from data_platform.client.wire import error_of
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

_TRIES: Final = 4
_MOST_BYTES_OF_AN_ERROR: Final = 64 * 1024
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

    def get(
        self, path: str, accept: str = "application/json", *, again: bool = True, **query: object
    ) -> httpx.Response:
        """Read something; `again` says that reading it twice does no harm.

        Raises:
            PlatformError: the server's error, or that there is no server.
        """
        given = {name: _text(value) for name, value in query.items() if value is not None}
        return self._ask("GET", path, again=again, params=given, headers={"Accept": accept})

    def send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, accept: str = "application/json"
    ) -> httpx.Response:
        """Have something done, once; what is None in the body is left out.

        Raises:
            PlatformError: as `get` does.
        """
        given = {name: value for name, value in (body or {}).items() if value is not None}
        return self._ask(method, path, again=False, json=given, headers={"Accept": accept})

    @contextmanager
    def stream(self, path: str) -> Generator[httpx.Response]:
        """Read something long piece by piece.

        Raises:
            PlatformError: as `get` does.
        """
        try:
            with self._http.stream("GET", path) as answer:
                if answer.status_code >= httpx.codes.MULTIPLE_CHOICES:
                    answer.read()
                self._check(answer)
                yield answer
        except httpx.RequestError as error:
            raise self._away(error) from None

    def _ask(self, method: str, path: str, *, again: bool, **given: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
        tries = Retrying(
            retry=retry_if_exception_type(httpx.RequestError),
            stop=stop_after_attempt(_TRIES if again else 1),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            reraise=True,
        )
        try:
            answer = tries(lambda: self._http.request(method, path, **given))
        except httpx.RequestError as error:
            raise self._away(error) from None
        self._check(answer)
        return answer

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
            f"{self._address.host} does not answer ({type(error).__name__}).",
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
        case status if status < 500:  # noqa: PLR2004 - HTTP's figure
            return UsageError(message, hint="Is DATA_PLATFORM_URL right?")
        case _:
            return PlatformError(message)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
