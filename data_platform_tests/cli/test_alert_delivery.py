"""The commands for rules, channels and deliveries, as an administrator and as others use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from data_platform.records.embedded.bootstrap import PLATFORM_DB
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer, open_embedded
from data_platform_tests.alerting.servers import PASSWORD, Hook, hook
from data_platform_tests.cli.conftest import Ran, run_here

Command = Callable[..., Ran]


@pytest.fixture
def platform(home: Path) -> Command:
    return lambda *arguments, **variables: run_here(home / "h", "alerts", *arguments, **variables)


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedServer]:
    with open_embedded(home / "h") as opened:
        yield opened


@pytest.fixture
def there() -> Iterator[Hook]:
    with hook() as running:
        yield running


@pytest.fixture
def channels(there: Hook) -> dict[str, str]:
    addresses = {"oncall": there.address, "wrong": f"nothing://{PASSWORD}"}
    return {"DATA_PLATFORM_ALERT_CHANNELS": json.dumps(addresses), "NO_PROXY": "127.0.0.1"}


def raise_alerts(server: EmbeddedServer, dataset: str = "crsp", count: int = 1) -> None:
    with psycopg.connect(server.url(SUPERUSER, PLATFORM_DB), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO platform.data_anomaly_alerts (dataset, table_name, partition, metric, severity, message) "
            "SELECT %s, 't', '2024', 'row_drop', 'error', 'fewer rows' FROM generate_series(1, %s)",
            (dataset, count),
        )


def test_from_a_channel_to_a_delivered_alert(
    platform: Command, server: EmbeddedServer, there: Hook, channels: dict[str, str]
) -> None:
    assert platform("channels").err.startswith("No channel is configured")
    assert platform("rules").err.startswith("There are no rules")
    assert platform("deliveries").err.startswith("No delivery is recorded")
    assert platform("channels", "--json", **channels).json == [
        {"channel": "oncall", "kind": "json", "configured": True},
        {"channel": "wrong", "kind": "nothing", "configured": True},
    ]
    assert platform("test", "oncall", **channels).code == 0
    made = platform("add-rule", "drops", "--channel", "oncall", "--dataset", "crsp", "--severity", "error", **channels)
    assert (made.code, "has no address" in made.err) == (0, False)
    assert "has no address for pager" in platform("add-rule", "all", "--channel", "pager", **channels).err
    raise_alerts(server, count=12)
    delivered = platform("deliver", **channels)
    assert (delivered.code, delivered.err.splitlines()[0]) == (0, "oncall: 12 alerts in one message.")
    assert "their alerts wait: pager" in delivered.err
    assert [got["title"] for got in there.got] == ["Test of data-platform", "12 errors in crsp"]
    rows = platform("deliveries", "--json", "--channel", "oncall").json
    assert {(row["state"], row["attempts"], row["error"]) for row in rows} == {("sent", 1, None)}
    assert len({row["message_id"] for row in rows}) == 1
    assert len(platform("deliveries", "--json", "--state", "pending").json) == 12
    table = platform("deliveries", "--limit", "3").out
    assert ("pager" in table, "pending" in table) == (True, True)
    assert [rule["name"] for rule in platform("rules", "--json").json] == ["all", "drops"]
    shown = platform("rules").out
    assert all(word in shown for word in ("drops", "oncall", "crsp", "error", "all"))


@pytest.mark.usefixtures("server")
def test_rules_are_turned_off_and_on_and_removed(platform: Command) -> None:
    platform("add-rule", "all", "--channel", "oncall")
    for command, enabled in (("disable-rule", False), ("enable-rule", True)):
        assert platform(command, "all").code == 0
        assert [rule["enabled"] for rule in platform("rules", "--json").json] == [enabled]
    assert platform("remove-rule", "all", "--reason", "moved").code == 0
    assert platform("rules", "--json").json == []
    again = platform("remove-rule", "all")
    assert (again.code, "There is no rule 'all'" in again.err) == (2, True)


def test_a_channel_that_fails_is_exit_one_without_its_address(
    platform: Command, server: EmbeddedServer, there: Hook, channels: dict[str, str]
) -> None:
    there.status = 404
    platform("add-rule", "all", "--channel", "oncall", **channels)
    raise_alerts(server)
    runs: dict[str, Ran] = {
        "test": platform("test", "oncall", **channels),
        "wrong": platform("test", "wrong", **channels),
        "unknown": platform("test", "pager", **channels),
        "deliver": platform("deliver", "--json", **channels),
        "again": platform("deliver", "--again", **channels),
        "log": platform("deliveries"),
        "channels": platform("channels", **channels),
    }
    assert {name: ran.code for name, ran in runs.items()} == {
        "test": 1,
        "wrong": 2,
        "unknown": 2,
        "deliver": 1,
        "again": 1,
        "log": 0,
        "channels": 0,
    }
    assert "did not take the message: the service answered with HTTP 404" in runs["test"].err
    assert runs["deliver"].json["channels"][0]["error"] in runs["deliver"].err
    assert ("failed" in runs["log"].out, "HTTP 404" in runs["log"].out) == (True, True)
    said = "".join(ran.out + ran.err for ran in runs.values())
    assert (PASSWORD in said, "127.0.0.1" in said, "Traceback" in said) == (False, False, False)


def test_others_read_what_is_theirs_and_change_nothing(
    home: Path, platform: Command, server: EmbeddedServer, channels: dict[str, str]
) -> None:
    def administer(*arguments: str) -> Any:  # noqa: ANN401 - whatever the command printed
        return run_here(home / "h", "users", *arguments)

    assert administer("add", "vic", "--role", "viewer").code == 0
    vic = {"DATA_PLATFORM_TOKEN": administer("token", "vic", "--json").json["token"], **channels}
    platform("add-rule", "drops", "--channel", "oncall", "--dataset", "crsp", **channels)
    platform("add-rule", "all", "--channel", "oncall", **channels)
    raise_alerts(server, "crsp")
    raise_alerts(server, "fama_french")
    assert platform("deliver", **channels).code == 0
    assert [rule["name"] for rule in platform("rules", "--json", **vic).json] == ["all"]
    assert [row["dataset"] for row in platform("deliveries", "--json", **vic).json] == ["fama_french"]
    assert platform("deliveries", "--dataset", "crsp", **vic).code == 3
    for command in (
        ["add-rule", "mine", "--channel", "oncall"],
        ["remove-rule", "all"],
        ["disable-rule", "all"],
        ["test", "oncall"],
        ["deliver"],
    ):
        assert platform(*command, **vic).code == 3, command
