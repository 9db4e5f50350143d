"""Where the server is, and whether a token may be sent there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from data_platform.errors import ConfigurationError

_BASE: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Address:
    """A server: the base of all addresses, the name for messages, and whether it is this machine."""

    base: str
    host: str
    here: bool


def address_of(url: str | None, *, with_token: bool) -> Address:
    """Understand an address such as ``https://data.example.org``, with or without the interface's own path.

    Raises:
        ConfigurationError: when it is none, or a token would travel unencrypted to another machine.
    """
    if not url:
        raise ConfigurationError(
            "No server is named.", hint="Set DATA_PLATFORM_URL, such as https://data.example.org, or pass url."
        )
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
        # A name that can't be looked up is found out here, where it is known whose it is.
        (host or "").encode("idna")
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise ConfigurationError(
            "DATA_PLATFORM_URL is no address of a server.", hint="It looks like https://data.example.org."
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            "DATA_PLATFORM_URL holds a name or a password.", hint="Put the token into DATA_PLATFORM_TOKEN."
        )
    here = _is_loopback(host)
    if with_token and parts.scheme != "https" and not here:
        raise ConfigurationError(
            f"The token would travel unencrypted to {host}.", hint="Use an https:// address in DATA_PLATFORM_URL."
        )
    path = parts.path.rstrip("/").removesuffix(_BASE).rstrip("/")
    return Address(f"{parts.scheme}://{parts.netloc}{path}{_BASE}/", parts.netloc, here)


def token_of(token: str | None) -> str | None:
    """The token as it is sent; None when there is none.

    Raises:
        ConfigurationError: when it can't stand in a header, as no token of ours.
    """
    token = (token or "").strip()
    if not token.isascii() or not token.isprintable():
        raise ConfigurationError("DATA_PLATFORM_TOKEN is no token.", hint="It looks like dp_, letters and digits.")
    return token or None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
