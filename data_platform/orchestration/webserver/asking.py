"""Who a request to the webserver comes from, and whether it comes from a page of ours: from its headers alone.

Conventions: `Authorization: Bearer` is RFC 6750; `X-Forwarded-User` is what authenticating proxies such as
oauth2-proxy send. A browser says with `Origin` which page makes it ask; DNS rebinding shows in `Host`.
"""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers

from data_platform.errors import ConfigurationError, NotPermittedError, UsageError
from data_platform.governance.identity import LOCAL, TOKEN_HINT, current_user, user_named
from data_platform.governance.permissions import User
from data_platform.records.connection import Records
from data_platform.settings import Settings

USER_HEADER: Final = "x-forwarded-user"
ADDRESS_HEADER: Final = "x-forwarded-for"
SECRET_HEADER: Final = "x-data-platform-proxy-secret"  # noqa: S105 - a header's name
COOKIE: Final = "data_platform_token"


def require_listening(settings: Settings, host: str) -> None:
    """Refuse to serve where the identity mode can't tell who asks.

    Raises:
        UsageError: when everyone would be the local administrator, and others than this machine could ask; and for no
            address, which would be every one of the machine.
        ConfigurationError: when the proxy has nothing to prove itself with.
    """
    if not host:
        raise UsageError(
            "The address to listen on is empty.", hint="Give one, such as 127.0.0.1; for every one, 0.0.0.0."
        )
    if settings.identity == "local" and not is_loopback(host):
        raise UsageError(
            f"{host} is not this machine alone, and with DATA_PLATFORM_IDENTITY=local everyone who can reach it would "
            "be the local administrator.",
            hint="Listen on 127.0.0.1, or set DATA_PLATFORM_IDENTITY to proxy or token.",
        )
    if settings.identity == "proxy" and settings.proxy_secret is None:
        raise ConfigurationError(
            "DATA_PLATFORM_IDENTITY is proxy, and DATA_PLATFORM_PROXY_SECRET is not set.",
            hint="Set it here and in the proxy, which sends it in the header X-Data-Platform-Proxy-Secret.",
        )


def is_loopback(host: str) -> bool:
    """Whether a name or an address means this machine and nothing else."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def identify(settings: Settings, records: Records, headers: Headers) -> User:
    """The user in whose name a request is made, as they are now.

    Raises:
        NotPermittedError: when the request does not say or prove it, or the account is closed.
        DatabaseUnavailableError: when the records are away.
    """
    if settings.identity == "local":
        return current_user(settings, records)
    if settings.identity == "proxy":
        user = user_named(settings, records, _forwarded(settings, headers))
    else:
        # The same question as a command's, with the token of the request in the place of the environment's.
        user = current_user(settings.model_copy(update={"token": SecretStr(_bearer(headers))}), records)
    if user.disabled:
        raise NotPermittedError(f"User {user.user_id} is disabled.")
    return user


def _forwarded(settings: Settings, headers: Headers) -> str:
    """The one name that a proxy vouches for."""
    secrets, names = headers.getlist(SECRET_HEADER), headers.getlist(USER_HEADER)
    expected = settings.proxy_secret.get_secret_value() if settings.proxy_secret else ""
    proven = len(secrets) == 1 and expected and hmac.compare_digest(secrets[0].encode(), expected.encode())
    if not proven:
        raise NotPermittedError("This request did not come through the authenticating proxy.")
    # Two of them: one may be the visitor's own. And no account is called as a local administrator is.
    if len(names) != 1 or not names[0].strip() or names[0].startswith(LOCAL):
        raise NotPermittedError("The authenticating proxy did not name one user.")
    return names[0].strip()


def _bearer(headers: Headers) -> str:
    """The token that a request carries, which may be none that is good."""
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credential.strip():
        return credential.strip()
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        morsel = None
    if morsel is None or not morsel.value:
        raise NotPermittedError("Sign in with a token first.", hint=TOKEN_HINT)
    return morsel.value


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _site(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        # Such as `http://[`, which no browser sends.
        return None


def address_behind(settings: Settings, headers: Headers) -> str | None:
    """The address that a proxy which proved itself had the request from; None where there is no such proxy.

    It is the last of `X-Forwarded-For`: the proxy added that one, and whatever stands before it the visitor may have
    sent. To be asked only once `identify` let the request in, which in proxy mode is the proof.
    """
    if settings.identity != "proxy":
        return None
    last = ",".join(headers.getlist(ADDRESS_HEADER)).rpartition(",")[2].strip()
    try:
        return str(ip_address(last.strip("[]")))
    except ValueError:
        return None


def foreign(settings: Settings, method: str, path: str, headers: Headers) -> str | None:
    """Why a request looks as if another site's page had made it in the visitor's name; None when it does not.

    Dagster executes a mutation in a GET too, and a GET carries no Origin: no GET executes anything here.
    """
    host = headers.get("host", "")
    if settings.identity == "local" and not is_loopback(_name(host)):
        return "The UI of this machine is asked for under another name than localhost."
    origin = headers.get("origin")
    if origin is not None:
        known = headers.get("x-forwarded-host", host) if settings.identity == "proxy" else host
        if _site(origin) not in {host, known}:
            return "The request comes from a page of another site."
    # A page of another site can make a browser ask without an Origin, as for a picture; newer browsers say whose it is.
    if headers.get("sec-fetch-site", "none") in {"cross-site", "same-site"} and path.startswith("/api/"):
        return "The request comes from a page of another site."
    executes = path.rstrip("/") == "/graphql" and method in {"GET", "HEAD"}
    if executes and "text/html" not in headers.get("accept", ""):
        return "GraphQL is asked with POST."
    return None
