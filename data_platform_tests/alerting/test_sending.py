"""Sending to real servers: what arrives, how often it is tried, how long it takes, and what is said when it fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data_platform.alerting.causes import Cause, explain
from data_platform.alerting.channels import configured, open_channel
from data_platform.alerting.message import Message, compose
from data_platform.alerting.sending import TRIES, send
from data_platform.errors import AlertDeliveryError
from data_platform_tests.alerting.conftest import Lines
from data_platform_tests.alerting.parts import DROP, SPIKE, settings_with
from data_platform_tests.alerting.servers import (
    HOST,
    PASSWORD,
    Hook,
    MailServer,
    hook,
    mute_server,
    self_signed,
)
from data_platform_tests.ports import free_port

MESSAGE = compose([DROP, SPIKE], "7")


def to(address: str, *, message: Message = MESSAGE, seconds: float = 20.0) -> list[float]:
    """Send to an address; return the pauses between the tries."""
    pauses: list[float] = []
    channel = configured(settings_with(oncall=address))["oncall"]
    send(channel, open_channel(channel), message, pause=pauses.append, seconds=seconds)
    return pauses


def refused(address: str, *, seconds: float = 20.0) -> tuple[str, int]:
    """Send to an address that does not take it; return the error and how many pauses were made."""
    pauses: list[float] = []
    channel = configured(settings_with(oncall=address))["oncall"]
    with pytest.raises(AlertDeliveryError) as caught:
        send(channel, open_channel(channel), MESSAGE, pause=pauses.append, seconds=seconds)
    assert all(0 <= each <= 3 for each in pauses)
    assert caught.value.__cause__ is None
    text = str(caught.value)
    prefix, _, rest = text.partition("The channel 'oncall' did not take the message: ")
    assert (prefix, rest.endswith("docs/runbooks/data-quality-ops.md")) == ("", True)
    assert PASSWORD not in text
    assert HOST not in text
    return rest.partition(".")[0], len(pauses)


def test_a_web_hook_gets_title_and_text(hook: Hook) -> None:
    assert to(hook.address) == []
    assert [(got["title"], got["message"], got["type"]) for got in hook.got] == [
        (MESSAGE.title, MESSAGE.body, "failure")
    ]


def test_a_gateway_to_sms_gets_the_text_in_its_field(hook: Hook) -> None:
    assert to(hook.form_address) == []
    assert [(got["to"], got["text"]) for got in hook.got] == [("+4912345", MESSAGE.body)]


def test_a_mail_arrives_as_plain_text_from_whom_the_address_says(mail: MailServer) -> None:
    assert to(mail.address) == []
    (arrived,) = mail.mails
    assert (arrived["Subject"], arrived["To"]) == (MESSAGE.title, "oncall@example.org")
    assert "alerts@example.org" in arrived["From"]
    assert arrived.get_content_type() == "text/plain"
    assert arrived.get_content().replace("\r\n", "\n").strip() == MESSAGE.body
    assert mail.logins == [f":someone:{PASSWORD}"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_with_a_passing_fault_is_asked_three_times(hook: Hook, status: int) -> None:
    hook.status = status
    assert refused(hook.address) == (f"the service answered with HTTP {status}", TRIES - 1)
    assert len(hook.got) == TRIES


def test_a_fault_that_passes_is_no_failure(hook: Hook) -> None:
    hook.answers = [500, 502]
    assert len(to(hook.address)) == 2
    assert len(hook.got) == 3


@pytest.mark.parametrize("status", [401, 404])
def test_a_refusal_for_good_is_not_tried_again_at_once(hook: Hook, status: int) -> None:
    hook.status = status
    assert refused(hook.address) == (f"the service answered with HTTP {status}", 0)
    assert len(hook.got) == 1


def test_a_server_that_is_down_is_knocked_at_three_times() -> None:
    assert refused(f"json://someone:{PASSWORD}@{HOST}:{free_port()}") == ("the server refused the connection", 2)
    mailing = f"mailto://someone:{PASSWORD}@{HOST}:{free_port()}/a@example.org?from=b@example.org"
    assert refused(mailing) == ("the server refused the connection", 2)


def test_a_server_that_comes_up_between_the_tries_gets_the_message() -> None:
    port = free_port()
    channel = configured(settings_with(oncall=f"json://{HOST}:{port}"))["oncall"]
    opened = hook(port)
    started: list[Hook] = []

    def start_it(_seconds: float) -> None:
        started.append(opened.__enter__())

    try:
        send(channel, open_channel(channel), MESSAGE, pause=start_it)
        assert [len(there.got) for there in started] == [1]
    finally:
        opened.__exit__(None, None, None)


@pytest.mark.parametrize(
    "address", ["json://{}:{}?cto=1&rto=1", "mailto://{}:{}/a@example.org?from=b@example.org&cto=1"]
)
def test_a_server_that_never_answers_is_left_in_time_and_not_asked_again(address: str) -> None:
    with mute_server() as mute:
        start = time.monotonic()
        assert refused(address.format(HOST, mute.port)) == ("the server did not answer in time", 0)
        assert time.monotonic() - start < 15
        assert mute.connections == 1


def test_a_server_that_answers_a_byte_at_a_time_is_left_when_the_time_is_over() -> None:
    with mute_server(dripping=True) as mute:
        start = time.monotonic()
        assert refused(f"json://{HOST}:{mute.port}", seconds=1.5) == ("the service was not done in time", 0)
        assert time.monotonic() - start < 15


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    with hook(certificate=self_signed(tmp_path)) as there:
        address = there.address.replace("json://", "jsons://")
        assert refused(address) == ("its certificate is not valid", 0)
        assert there.got == []
        assert to(f"{address}?verify=no") == []
        assert len(there.got) == 1
    assert [str(warning.message) for warning in recwarn if HOST in str(warning.message)] == []


@pytest.mark.parametrize(("code", "pauses"), [(535, 0), (454, 2)])
def test_a_login_that_is_refused_is_told_by_its_code(mail: MailServer, code: int, pauses: int) -> None:
    mail.login = code
    assert refused(mail.address) == (f"the mail server answered {code}", pauses)
    assert mail.mails == []


@pytest.mark.parametrize(("code", "pauses"), [(554, 0), (451, 2)])
def test_a_mail_that_is_refused_is_told_by_its_code(mail: MailServer, code: int, pauses: int) -> None:
    mail.data = code
    assert refused(mail.address) == (f"the mail server answered {code}", pauses)


def failing(hook: Hook, mail: MailServer) -> list[Callable[[], object]]:
    hook.status, mail.login = 500, 535
    down = f"json://someone:{PASSWORD}@{HOST}:{free_port()}/{PASSWORD}?-token={PASSWORD}"
    return [lambda: refused(hook.address), lambda: refused(mail.address), lambda: refused(down)]


def test_no_log_of_any_library_holds_the_address(
    hook: Hook, mail: MailServer, every_line: Lines, capfd: pytest.CaptureFixture[str]
) -> None:
    to(hook.address)
    to(mail.address)
    for fail in failing(hook, mail):
        fail()
    out, err = capfd.readouterr()
    assert PASSWORD not in every_line.text + out + err
    assert HOST not in every_line.text
    # The libraries may talk again once nothing is sent: the silence is ours alone.
    logging.getLogger("urllib3.connectionpool").debug("something else")
    assert "something else" in every_line.text


def test_a_long_text_goes_to_a_short_service_in_one_message(hook: Hook) -> None:
    channel = configured(settings_with(oncall=hook.address))["oncall"]
    service = open_channel(channel)
    service[0].body_maxlen = 160
    send(channel, service, Message("Title", "x" * 1000, "warning"))
    assert [len(got["message"]) for got in hook.got] == [160]


WARN = "WARNING"
EXPLAINED: list[tuple[list[tuple[str, str]], Cause]] = [
    (
        [(WARN, "Failed to send Slack to x: Unauthorized, error=403.")],
        Cause("the service answered with HTTP 403", False),
    ),
    ([(WARN, "SMTP recipient x was refused: 550 b'secret'")], Cause("the mail server answered 550", False)),
    ([("DEBUG", "Socket Exception: {'x': (451, b'secret')}")], Cause("the mail server answered 451", True)),
    (
        [(WARN, "A Connection error"), ("DEBUG", "Socket Exception: [SSL: CERTIFICATE_VERIFY_FAILED] secret")],
        Cause("its certificate is not valid", False),
    ),
    (
        [("DEBUG", "Socket Exception: [Errno -2] Name or service not known")],
        Cause("its host was not found", True),
    ),
    (
        [("DEBUG", "Socket Exception: Connection unexpectedly closed")],
        Cause("the server closed the connection", True),
    ),
    # What we said ourselves is among the details, and explains nothing.
    ([("DEBUG", "JSON Payload: error=500 timed out (535, b'x')")], Cause("the service did not take the message", True)),
    ([], Cause("the service did not take the message", True)),
]


@pytest.mark.parametrize(("lines", "cause"), EXPLAINED)
def test_a_failure_is_told_in_our_own_words(lines: list[tuple[str, str]], cause: Cause) -> None:
    assert explain(lines) == cause
