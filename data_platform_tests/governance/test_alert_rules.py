"""Who changes rules and who reads them; every change is in the audit, and no address is anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from data_platform.errors import AlertDeliveryError, ConfigurationError, NotPermittedError, UsageError
from data_platform.governance.alert_rules import AlertRules
from data_platform.governance.permissions import Role, User
from data_platform.records.connection import Records
from data_platform.records.scope import PLATFORM
from data_platform.settings import Settings
from data_platform_tests.alerting.parts import DROP, GAP, add, settings_with
from data_platform_tests.alerting.servers import PASSWORD, Hook, hook
from data_platform_tests.records.audited import audited

ADMIN = User("adm", Role.ADMIN)
VIEWER = User("vic", Role.VIEWER)
OPERATOR = User("oli", Role.OPERATOR)
BLIND = User("eve", Role.OPERATOR, revocations=frozenset({"view:data_quality"}))


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with hook() as running:
        yield running


@pytest.fixture
def settings(there: Hook) -> Settings:
    return settings_with(oncall=there.address, wrong=PASSWORD)


def test_an_administrator_changes_rules_and_each_change_is_audited(records: Records, settings: Settings) -> None:
    rules = AlertRules(records, settings, ADMIN)
    rules.add("drops", "oncall", dataset="crsp", metric="row_drop", severity="error", reason="on call from today")
    rules.add("all", "chat")
    rules.enable("all", enabled=False)
    rules.enable("all", enabled=False)
    rules.enable("all")
    rules.remove("drops", "done")
    assert [(rule.name, rule.enabled, rule.updated_by) for rule in rules.rules()] == [("all", True, "adm")]
    what = {"channel": "oncall", "dataset": "crsp", "metric": "row_drop", "severity": "error"}
    assert audited(records) == [
        ("adm", "alert_rules.add", "crsp", "drops", None, what, "on call from today"),
        ("adm", "alert_rules.add", None, "all", None, {"channel": "chat"}, None),
        ("adm", "alert_rules.disable", None, "all", {"enabled": True}, {"enabled": False}, None),
        ("adm", "alert_rules.enable", None, "all", {"enabled": False}, {"enabled": True}, None),
        ("adm", "alert_rules.remove", "crsp", "drops", what, None, "done"),
    ]


CHANGES: list[Callable[[AlertRules], object]] = [
    lambda rules: rules.add("mine", "oncall"),
    lambda rules: rules.remove("all"),
    lambda rules: rules.enable("all", enabled=False),
    lambda rules: rules.test("oncall"),
    lambda rules: rules.deliver(),
    lambda rules: rules.deliver(again=True),
]


@pytest.mark.parametrize(
    "user", [VIEWER, OPERATOR, User("out", Role.ADMIN, disabled=True)], ids=lambda user: user.user_id
)
def test_nobody_else_changes_tests_or_delivers_anything(
    records: Records, settings: Settings, there: Hook, user: User
) -> None:
    AlertRules(records, settings, ADMIN).add("all", "oncall")
    before = audited(records)
    for change in CHANGES:
        with pytest.raises(NotPermittedError):
            change(AlertRules(records, settings, user))
    assert (audited(records), there.got) == (before, [])


def test_reading_needs_the_permission_and_shows_the_datasets_of_the_reader(
    records: Records, settings: Settings
) -> None:
    rules = AlertRules(records, settings, ADMIN)
    rules.add("crsp", "oncall", dataset="crsp")
    rules.add("factors", "oncall", dataset="fama_french")
    rules.add("errors", "oncall", severity="error")
    add(records, DROP, GAP)
    assert rules.deliver().sent == 2
    seen = AlertRules(records, settings, VIEWER)
    assert [rule.name for rule in seen.rules()] == ["errors", "factors"]
    assert [delivery.dataset for delivery in seen.deliveries()] == ["fama_french"]
    assert [delivery.dataset for delivery in seen.deliveries(state="failed")] == []
    with pytest.raises(NotPermittedError, match="Access to crsp requires dataset:crsp"):
        seen.deliveries(dataset="crsp")
    with pytest.raises(UsageError, match="'' is no dataset"):
        seen.deliveries(dataset="")
    blind = AlertRules(records, settings, BLIND)
    for read in (blind.rules, blind.deliveries, blind.channels):
        with pytest.raises(NotPermittedError, match="view:data_quality"):
            read()


@pytest.mark.parametrize(
    ("name", "channel", "named"),
    [
        ("taken", "oncall", {}),
        ("Upper", "oncall", {}),
        ("", "oncall", {}),
        ("x" * 65, "oncall", {}),
        ("new", "mailto://me@host", {}),
        ("new", "oncall", {"dataset": "crps"}),
        ("new", "oncall", {"metric": ""}),
        ("new", "oncall", {"metric": "nope"}),
        ("new", "oncall", {"metric": "x" * 65}),
        ("new", "oncall", {"reason": "x" * 3000}),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_and_leaves_no_trace(
    records: Records, settings: Settings, name: str, channel: str, named: dict[str, str]
) -> None:
    rules = AlertRules(records, settings, ADMIN)
    rules.add("taken", "oncall")
    before = audited(records)
    with pytest.raises(UsageError):
        rules.add(name, channel, **named)  # type: ignore[arg-type] - names of the parameters
    assert ([rule.name for rule in rules.rules()], audited(records)) == (["taken"], before)


def test_a_rule_that_is_not_there_is_said_to_be_missing(records: Records, settings: Settings) -> None:
    rules = AlertRules(records, settings, ADMIN)
    for change in (rules.remove, rules.enable):
        with pytest.raises(UsageError, match="There is no rule 'nothing'"):
            change("nothing")
    assert audited(records) == []


def test_channels_are_those_with_an_address_and_those_that_rules_name(records: Records, settings: Settings) -> None:
    rules = AlertRules(records, settings, ADMIN)
    rules.add("later", "pager")
    found = rules.channels()
    assert {name: channel.kind if channel else None for name, channel in found.items()} == {
        "oncall": "json",
        "pager": None,
        "wrong": None,
    }
    assert (found["wrong"] is None, found["pager"] is None) == (False, True)
    assert PASSWORD not in repr(found)


def test_a_test_message_arrives_and_the_attempt_is_audited(records: Records, settings: Settings, there: Hook) -> None:
    rules = AlertRules(records, settings, ADMIN)
    rules.test("oncall")
    assert [got["title"] for got in there.got] == ["Test of data-platform"]
    there.status = 404
    with pytest.raises(AlertDeliveryError, match="HTTP 404") as failed:
        rules.test("oncall")
    with pytest.raises(ConfigurationError, match="channel 'wrong' can't be used") as unfit:
        rules.test("wrong")
    with pytest.raises(UsageError, match="'pager' is not configured"):
        rules.test("pager")
    assert [(entry[1], entry[3]) for entry in audited(records)] == [("alert_channels.test", "oncall")] * 2
    assert PASSWORD not in f"{failed.value} {unfit.value} {audited(records)}"


def test_rules_for_the_platform_send_its_alerts_and_only_administrators_see_that(
    records: Records, settings: Settings, there: Hook
) -> None:
    AlertRules(records, settings, ADMIN).add("platform", "oncall", dataset=PLATFORM)
    add(records, replace(DROP, dataset=PLATFORM, table_name=PLATFORM, metric="disk_usage"), DROP)
    AlertRules(records, settings, ADMIN).deliver()
    assert [message["title"] for message in there.got] == ["1 error in platform"]
    assert [each.dataset for each in AlertRules(records, settings, ADMIN).deliveries(PLATFORM)] == [PLATFORM]
    for user in (VIEWER, OPERATOR):
        rules = AlertRules(records, settings, user)
        assert (rules.rules(), rules.deliveries()) == ([], [])
        with pytest.raises(NotPermittedError):
            rules.deliveries(PLATFORM)
