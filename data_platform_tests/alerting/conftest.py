"""The servers, as fixtures. No test of this room asks a proxy."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from data_platform_tests.alerting.servers import Hook, MailServer, hook, mail_server


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(name="hook")
def web_hook() -> Iterator[Hook]:
    with hook() as there:
        yield there


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as there:
        yield there


class Lines(logging.Handler):
    """What reaches the root logger, as any log of a program would have it.

    pytest's own fixture listens to loggers that pass nothing on, too.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def every_line() -> Iterator[Lines]:
    """What is logged anywhere, down to the last detail."""
    root, lines = logging.getLogger(), Lines()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(lines)
    yield lines
    root.removeHandler(lines)
    root.setLevel(level)
