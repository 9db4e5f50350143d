"""Channels: read from the environment, shown by name and kind only, and opened within bounds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from data_platform.alerting.channels import SOCKET_SECONDS, VARIABLE, configured, open_channel
from data_platform.errors import ConfigurationError
from data_platform.settings import load_settings
from data_platform_tests.alerting.conftest import Lines
from data_platform_tests.alerting.parts import settings_with
from data_platform_tests.alerting.servers import PASSWORD


def test_channels_come_from_the_environment_and_print_as_stars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        VARIABLE, json.dumps({"oncall": f"mailtos://me:{PASSWORD}@example.org", "chat": "slack://a/b/c"})
    )
    settings = load_settings()
    channels = configured(settings)
    assert [(name, channel.kind) for name, channel in channels.items()] == [("chat", "slack"), ("oncall", "mailtos")]
    assert PASSWORD not in f"{settings!r} {settings} {settings.model_dump()} {channels!r} {settings.model_dump_json()}"


def test_channels_come_from_the_file_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"""{VARIABLE}='{{"oncall": "json://host/?a=1"}}'\n""")
    assert configured(load_settings())["oncall"].address.get_secret_value() == "json://host/?a=1"


def test_without_the_variable_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configured(load_settings()) == {}
    monkeypatch.setenv(VARIABLE, "")
    assert configured(load_settings()) == {}


@pytest.mark.parametrize(
    "text",
    [
        f"mailto://me:{PASSWORD}@host",
        f'{{"oncall": "{PASSWORD}"',
        f'["{PASSWORD}"]',
        f'{{"{PASSWORD} Name": "json://host"}}',
        f'{{"oncall": ["{PASSWORD}"]}}',
        f'{{"oncall": {{"{PASSWORD}": 1}}}}',
        '{"oncall": 7}',
        "7",
    ],
)
def test_a_variable_that_makes_no_sense_is_one_error_without_its_value(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ConfigurationError, match=VARIABLE) as caught:
        load_settings()
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "address",
    [
        PASSWORD,
        "",
        f"nothing://{PASSWORD}",
        f"mailto://{PASSWORD}",
        f"slack://{PASSWORD}",
        f"json://host/{PASSWORD}, json://host/other",
        f"json://host:{PASSWORD}:77777777/[",
    ],
)
def test_an_address_that_cannot_be_used_is_one_error_that_names_the_channel(
    address: str, every_line: Lines, capfd: pytest.CaptureFixture[str]
) -> None:
    channel = configured(settings_with(oncall=address))["oncall"]
    with pytest.raises(ConfigurationError, match="channel 'oncall' can't be used") as caught:
        open_channel(channel)
    out, err = capfd.readouterr()
    assert PASSWORD not in f"{caught.value!r} {caught.value} {out} {err} {every_line.text}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("given", "expected"), [("", 4.0), ("?cto=600&rto=600", SOCKET_SECONDS), ("?cto=1&rto=1", 1.0)]
)
def test_no_address_may_wait_longer_than_we_do(given: str, expected: float) -> None:
    service = open_channel(configured(settings_with(oncall=f"json://127.0.0.1{given}"))["oncall"])[0]
    assert (service.socket_connect_timeout, service.socket_read_timeout) == (expected, expected)


def test_the_library_is_not_imported_before_something_is_sent() -> None:
    check = "import sys, data_platform.cli.main; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False, timeout=60).returncode == 0
