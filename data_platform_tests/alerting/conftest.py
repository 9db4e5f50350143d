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


@pytest.fixture
def every_line(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged anywhere, down to the last detail."""
    caplog.set_level(logging.DEBUG)
    return caplog
