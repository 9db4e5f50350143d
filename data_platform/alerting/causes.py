"""Why a message was not taken, in our own words: from what apprise logged to one sentence and whether to try again.

Nothing of what a library or a server said is passed on, but for three-digit codes: their words may hold the address,
a password or somebody's message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

_HTTP: Final = re.compile(r"\berror=(\d{3})\b")
_SMTP: Final = re.compile(r"\((\d{3}), b?['\"]|was refused: (\d{3})\b")
_BUSY: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_SOCKET: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), meaning, transient)
    for pattern, meaning, transient in (
        ("certificate.verify.failed", "its certificate is not valid", False),
        ("timed out|timeout", "the server did not answer in time", False),
        ("connection refused", "the server refused the connection", True),
        ("getaddrinfo|name resolution|NameResolution|name or service not known", "its host was not found", True),
        (
            "reset by peer|closed unexpectedly|unexpectedly closed|connection aborted|broken pipe|RemoteDisconnected",
            "the server closed the connection",
            True,
        ),
        ("unreachable|no route to host", "the server can't be reached", True),
        (r"SSLError|\[SSL|STARTTLS", "no encrypted connection came about", False),
    )
)
"""What the exceptions of sockets, `requests` and `smtplib` say, what it means, and whether it may pass in a moment."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a message was not taken. `transient` says that trying again at once may help.

    After a wait for an answer it may not: the message may have arrived, and the sync behind us would wait again.
    """

    text: str
    transient: bool


TIMED_OUT: Final = Cause("the service was not done in time", transient=False)
_UNKNOWN: Final = Cause("the service did not take the message", transient=True)


def explain(lines: Iterable[tuple[str, str]]) -> Cause:
    """Return why sending failed.

    Args:
        lines: What apprise logged while it sent, as pairs of level and text; none of it is passed on but codes.
    """
    # At the level of details the message itself is among the lines.
    told = [text for level, text in lines if level != "DEBUG" or text.startswith("Socket Exception")]
    return next(
        (cause for read in (_of_mail, _of_http, _of_sockets) for text in told if (cause := read(text)) is not None),
        _UNKNOWN,
    )


def _of_mail(text: str) -> Cause | None:
    found = _SMTP.search(text)
    if found is None:
        return None
    code = found[1] or found[2]
    # RFC 5321, section 4.2.1: 4 is for now, 5 for good.
    return Cause(f"the mail server answered {code}", transient=code.startswith("4"))


def _of_http(text: str) -> Cause | None:
    found = _HTTP.search(text)
    if found is None:
        return None
    code = int(found[1])
    transient = code in _BUSY or code >= HTTPStatus.INTERNAL_SERVER_ERROR
    return Cause(f"the service answered with HTTP {code}", transient)


def _of_sockets(text: str) -> Cause | None:
    for pattern, meaning, transient in _SOCKET:
        if pattern.search(text):
            return Cause(meaning, transient)
    return None
