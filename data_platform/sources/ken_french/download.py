"""One file of the data library over HTTP: whole, of sensible size, or one clear error."""

from __future__ import annotations

import ipaddress
import time
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from data_platform.errors import ConfigurationError, SourceError

MAX_BYTES: Final = 64 * 1024 * 1024
"""The library's largest zip has a few megabytes; more is not one of its files."""

ATTEMPTS: Final = 3
_WHOLE_SECONDS: Final = 300.0
_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)


class _TransientFailure(Exception):  # noqa: N818 - a signal between the functions below
    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def library_client(base_url: str) -> httpx.Client:
    """A client whose requests are relative to the library's address.

    Raises:
        ConfigurationError: when the address is not an HTTP address.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            "The address of the data library is not an HTTP address.",
            hint="Set DATA_PLATFORM_KEN_FRENCH_URL to one that begins with https:// or leave it out.",
        )
    return httpx.Client(
        base_url=base_url,
        timeout=_TIMEOUT,
        follow_redirects=True,
        # The zip is compressed already; asking for its own bytes keeps the size limit honest.
        headers={"Accept-Encoding": "identity", "User-Agent": "data-platform"},
        trust_env=not is_loopback(parts.hostname),
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, which no proxy can reach for us."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def download(client: httpx.Client, name: str, where: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Fetch a file, trying again briefly when the network or the server has a passing fault.

    Raises:
        SourceError: naming the file, `where` (the table and partition it is for) and the cause.
    """
    knock = Retrying(
        retry=retry_if_exception_type(_TransientFailure),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.2, max=1.0),
        reraise=True,
    )
    try:
        return knock(_fetch, client, name, where, max_bytes)
    except _TransientFailure as failure:
        raise SourceError(
            f"{where}: {name} could not be downloaded from {_host(client)}: {failure.cause}.",
            hint="Check the network and the address of the data library, and try again.",
            transient=True,
        ) from None


def _fetch(client: httpx.Client, name: str, where: str, max_bytes: int) -> bytes:
    deadline = time.monotonic() + _WHOLE_SECONDS
    content = bytearray()
    try:
        with client.stream("GET", name) as response:
            _check_status(response, client, name, where)
            for piece in response.iter_bytes():
                content += piece
                if len(content) > max_bytes:
                    raise SourceError(
                        f"{where}: {name} is larger than {max_bytes:,} bytes, which no file of the library is.",
                        hint="Check the address of the data library.",
                    )
                if time.monotonic() > deadline:
                    raise _TransientFailure(f"it was not complete after {_WHOLE_SECONDS:.0f} s")
    except httpx.TimeoutException:
        raise _TransientFailure("the server did not answer in time") from None
    except httpx.ConnectError:
        raise _TransientFailure("no connection could be made") from None
    except httpx.TransportError:
        raise _TransientFailure(f"the connection broke off after {len(content):,} bytes") from None
    except httpx.HTTPError:
        raise SourceError(
            f"{where}: the server's answer for {name} makes no sense as HTTP.",
            hint="Check the address of the data library.",
        ) from None
    return bytes(content)


def _check_status(response: httpx.Response, client: httpx.Client, name: str, where: str) -> None:
    status = response.status_code
    if status == HTTPStatus.OK:
        return
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _TransientFailure(f"the server failed (HTTP {status})")
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise SourceError(
            f"{where}: {name} is missing on the server {_host(client)} (HTTP {status}).",
            hint="Check the address of the data library; nothing was published.",
        )
    raise SourceError(
        f"{where}: the server {_host(client)} refused {name} (HTTP {status}).",
        hint="Check the address of the data library.",
    )


def _host(client: httpx.Client) -> str:
    """The server's name alone: an address may carry a password or a token."""
    return client.base_url.host
