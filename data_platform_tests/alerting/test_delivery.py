"""Delivering: what the rules match goes out once, a storm as one message, and what fails is tried again later."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from pathlib import Path

import psycopg
import pytest

from data_platform.alerting.delivery import DeliveryReport, deliver, deliver_quietly
from data_platform.errors import DatabaseUnavailableError
from data_platform.governance.audit_key import QueryCipher, new_key
from data_platform.records import alert_rules, retention
from data_platform.records.alert_deliveries import ATTEMPTS
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.connection import Records
from data_platform.records.retention import keeping
from data_platform.records.retention_policies import POLICIES
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform_tests.alerting.conftest import Lines
from data_platform_tests.alerting.parts import (
    DROP,
    GAP,
    SPIKE,
    SYSTEM,
    add,
    later,
    log,
    no_pause,
    rule,
    settings_with,
    states,
    table_text,
)
from data_platform_tests.alerting.servers import HOST, PASSWORD, Hook, MailServer, hook, mute_server
from data_platform_tests.ports import free_port


def run(records: Records, settings: Settings, minutes: float = 0, *, again: bool = False) -> DeliveryReport:
    """Deliver at a moment, without pauses between tries."""
    return deliver(records, settings, now=later(minutes), pause=no_pause, again=again)


def titles(there: Hook) -> list[str]:
    return [got["title"] for got in there.got]


def test_nothing_happens_until_a_channel_is_configured(records: Records) -> None:
    rule(records)
    add(records, DROP)
    assert deliver(records, Settings()) == DeliveryReport()
    assert log(records) == []


MATCHES: list[tuple[dict[str, str], str | None]] = [
    ({}, "2 errors, 1 warning in crsp, fama_french"),
    ({"dataset": "crsp"}, "1 error, 1 warning in crsp"),
    ({"metric": "date_gap"}, "1 error in fama_french"),
    ({"severity": "warning"}, "1 warning in crsp"),
    ({"severity": "error", "dataset": "crsp", "metric": "row_drop"}, "1 error in crsp"),
    ({"severity": "error", "dataset": "crsp", "metric": "null_spike"}, None),
    ({"dataset": "taq"}, None),
]


@pytest.mark.parametrize(("named", "title"), MATCHES)
def test_a_rule_sends_what_it_names(records: Records, hook: Hook, named: dict[str, str], title: str | None) -> None:
    rule(records, **named)  # type: ignore[arg-type] - the severity is one
    add(records, DROP, SPIKE, GAP)
    report = deliver(records, settings_with(oncall=hook.address))
    assert titles(hook) == ([] if title is None else [title])
    assert report.sent == report.enlisted == len(log(records))


def test_a_delivery_with_nothing_to_send_imports_no_library(records: Records) -> None:
    rule(records, severity="error")
    add(records, SPIKE)
    # An address that can't be used shows that nobody looked at it.
    assert deliver(records, settings_with(oncall=PASSWORD)) == DeliveryReport()


def test_each_alert_goes_once_to_each_channel_however_many_rules_match(records: Records, hook: Hook) -> None:
    rule(records, "all")
    rule(records, "errors", severity="error")
    rule(records, "pager", channel="pager", severity="error")
    add(records, DROP, SPIKE)
    settings = settings_with(oncall=hook.address, pager=hook.form_address)
    assert deliver(records, settings).sent == 3
    assert deliver(records, settings) == DeliveryReport()
    assert titles(hook)[0] == "1 error, 1 warning in crsp"
    assert len(hook.got) == 2
    assert states(records) == [("oncall", "sent"), ("oncall", "sent"), ("pager", "sent")]


def test_an_alert_that_is_older_than_the_rule_or_its_last_turning_on_is_not_sent(records: Records, hook: Hook) -> None:
    add(records, GAP)
    rule(records)
    settings = settings_with(oncall=hook.address)
    assert deliver(records, settings) == DeliveryReport()
    with records.transaction(SYSTEM) as connection:
        alert_rules.enable(connection, "everything", enabled=False)
    add(records, SPIKE)
    assert deliver(records, settings) == DeliveryReport()
    with records.transaction(SYSTEM) as connection:
        alert_rules.enable(connection, "everything")
    add(records, DROP)
    assert deliver(records, settings).sent == 1
    assert titles(hook) == ["1 error in crsp"]


def test_an_alert_of_last_month_is_no_news(records: Records, hook: Hook) -> None:
    rule(records)
    add(records, DROP)
    assert run(records, settings_with(oncall=hook.address), minutes=8 * 24 * 60) == DeliveryReport()
    assert run(records, settings_with(oncall=hook.address), minutes=6 * 24 * 60).sent == 1


def test_a_storm_is_one_message(records: Records, hook: Hook) -> None:
    rule(records)
    add(records, *[DROP] * 3, *[dataclasses.replace(SPIKE, table_name=f"t{number}") for number in range(497)])
    report = deliver(records, settings_with(oncall=hook.address))
    assert (report.enlisted, report.sent) == (500, 500)
    (got,) = hook.got
    assert got["title"] == "3 errors, 497 warnings in crsp"
    assert len(got["message"]) < 2_000
    assert "data-platform alerts list" in got["message"]
    deliveries = log(records)
    assert {delivery.message_id for delivery in deliveries} == {report.channels[0].message_id}
    assert f"Delivery {report.channels[0].message_id}" in got["message"]
    assert {(delivery.state, delivery.attempts, delivery.error, delivery.due_at) for delivery in deliveries} == {
        ("sent", 1, None, None)
    }


def test_a_server_that_is_down_gets_the_alerts_when_it_is_up_again(records: Records) -> None:
    rule(records)
    add(records, DROP)
    port = free_port()
    settings = settings_with(oncall=f"json://127.0.0.1:{port}")
    report = run(records, settings)
    assert report.failed[0].error == "The channel 'oncall' did not take the message: the server refused the connection."
    assert states(records) == [("oncall", "failed")]
    with hook(port) as there:
        assert run(records, settings, minutes=4).channels == ()
        add(records, SPIKE)
        assert run(records, settings, minutes=6).sent == 2
        assert titles(there) == ["1 error, 1 warning in crsp"]
    assert [(delivery.state, delivery.attempts, delivery.error) for delivery in log(records)] == [
        ("sent", 2, None),
        ("sent", 1, None),
    ]


def test_the_pauses_grow_and_after_five_attempts_it_is_given_up(records: Records, hook: Hook) -> None:
    rule(records)
    add(records, DROP)
    settings = settings_with(oncall=hook.address)
    hook.status = 404
    moment, waited = 0.0, list[float]()
    for _ in range(ATTEMPTS):
        assert len(run(records, settings, minutes=moment).failed) == 1
        (delivery,) = log(records)
        if delivery.due_at is not None and delivery.last_attempt_at is not None:
            wait = (delivery.due_at - delivery.last_attempt_at) / dt.timedelta(minutes=1)
            waited.append(round(wait))
            assert run(records, settings, minutes=moment + wait - 1).channels == ()
            moment += wait + 1
    assert waited == [5, 15, 45, 135]
    assert (delivery.state, delivery.attempts, delivery.due_at) == ("failed", ATTEMPTS, None)
    assert run(records, settings, minutes=6 * 24 * 60).channels == ()
    assert len(hook.got) == ATTEMPTS
    hook.status = 200
    assert run(records, settings, again=True).sent == 1
    assert states(records) == [("oncall", "sent")]


def test_one_channel_that_fails_is_no_others_concern(records: Records, hook: Hook, mail: MailServer) -> None:
    hook.status = 500
    rule(records, "chat", channel="a-chat")
    rule(records, "wrong", channel="b-wrong")
    rule(records, "mail", channel="c-mail")
    add(records, DROP)
    settings = settings_with(**{"a-chat": hook.address, "b-wrong": f"nothing://{PASSWORD}", "c-mail": mail.address})
    report = run(records, settings)
    assert [(channel.channel, channel.alerts, channel.error is None) for channel in report.channels] == [
        ("a-chat", 1, False),
        ("b-wrong", 0, False),
        ("c-mail", 1, True),
    ]
    assert [arrived["Subject"] for arrived in mail.mails] == ["1 error in crsp"]
    # What no attempt was made for waits until the address is right.
    assert states(records) == [("a-chat", "failed"), ("b-wrong", "pending"), ("c-mail", "sent")]


def test_a_rule_for_a_channel_that_is_not_configured_says_so_once_and_its_alerts_wait(
    records: Records, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    rule(records, channel="nobody-knows-it")
    add(records, DROP)
    for _ in range(3):
        report = deliver(records, settings_with(oncall=hook.address))
        assert report.unconfigured == ("nobody-knows-it",)
    assert [record.getMessage() for record in caplog.records if "nobody-knows-it" in record.getMessage()] == [
        "Rules name channels that DATA_PLATFORM_ALERT_CHANNELS has no address for: nobody-knows-it. Their alerts wait."
    ]
    assert states(records) == [("nobody-knows-it", "pending")]
    assert deliver(records, settings_with(**{"nobody-knows-it": hook.address})).sent == 1


def test_what_waits_for_a_channel_of_which_every_rule_is_off_stays_there(records: Records, hook: Hook) -> None:
    rule(records)
    add(records, DROP)
    hook.status = 404
    run(records, settings_with(oncall=hook.address))
    with records.transaction(SYSTEM) as connection:
        alert_rules.enable(connection, "everything", enabled=False)
    assert run(records, settings_with(oncall=hook.address), minutes=60).channels == ()
    assert len(hook.got) == 1


def test_no_secret_gets_into_the_tables_or_the_log(
    records: Records, hook: Hook, mail: MailServer, every_line: Lines
) -> None:
    hook.status, mail.login = 500, 535
    for name in ("chat", "mail", "wrong", "down"):
        rule(records, name, channel=name)
    add(records, DROP)
    down = f"json://someone:{PASSWORD}@127.0.0.1:{free_port()}/{PASSWORD}"
    settings = settings_with(chat=hook.address, mail=mail.address, wrong=f"slack://{PASSWORD}", down=down)
    report = run(records, settings)
    assert len(report.failed) == 4
    assert deliver_quietly(records, settings) is not None
    assert "127.0.0.1" not in table_text(records)
    assert PASSWORD not in table_text(records) + every_line.text + repr(report)
    errors = {delivery.channel: delivery.error for delivery in log(records)}
    assert errors == {
        "chat": "the service answered with HTTP 500",
        "down": "the server refused the connection",
        "mail": "the mail server answered 535",
        "wrong": None,
    }


def test_a_failing_delivery_is_one_line_of_the_log(records: Records, hook: Hook, every_line: Lines) -> None:
    hook.status = 404
    rule(records)
    add(records, DROP)
    report = deliver_quietly(records, settings_with(oncall=hook.address))
    assert report is not None
    assert [line for line in every_line.lines if "not delivered" in line] == [
        "Alerts were not delivered: The channel 'oncall' did not take the message: the service answered with HTTP 404. "
        "They are tried again; see: data-platform alerts deliveries"
    ]


def test_a_database_that_is_away_is_one_line_of_the_log(
    records: Records, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_with(oncall=hook.address)
    with psycopg.connect(records.databases.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE platform.alert_rules RENAME TO moved")
    assert deliver_quietly(records, settings) is None
    with psycopg.connect(records.databases.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE platform.moved RENAME TO alert_rules")
    closed = Records(dataclasses.replace(records.databases, owner_url="postgresql://nobody@127.0.0.1:1/x"))
    with pytest.raises(DatabaseUnavailableError):
        deliver(closed, settings)
    assert deliver_quietly(closed, settings) is None
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("data_platform")]
    assert len(lines) == 2
    assert lines[0] == "Alerts were not delivered: a UndefinedTable in the delivery itself."
    assert lines[1].startswith("Alerts were not delivered: ")


def test_who_lacks_a_dataset_sees_neither_its_rules_nor_its_deliveries(records: Records, hook: Hook) -> None:
    rule(records, "crsp", dataset="crsp")
    rule(records, "factors", dataset="fama_french")
    rule(records, "errors", severity="error")
    add(records, DROP, GAP)
    assert deliver(records, settings_with(oncall=hook.address)).sent == 2
    viewer = Scope("viewer", frozenset({"fama_french"}))
    assert [delivery.dataset for delivery in log(records, viewer)] == ["fama_french"]
    with records.transaction(viewer) as connection:
        assert [each.name for each in alert_rules.every(connection)] == ["errors", "factors"]
    assert log(records, Scope("nobody", frozenset())) == []


def test_deliveries_are_archived_after_ninety_days_and_not_sent_again(
    records: Records, hook: Hook, tmp_path: Path
) -> None:
    rule(records)
    add(records, DROP, SPIKE)
    settings = settings_with(oncall=hook.address)
    assert deliver(records, settings).sent == 2
    policy = next(policy for policy in POLICIES if policy.table == "alert_deliveries")
    with keeping(records.databases) as owner:
        now = retention.clock_of(owner)
        assert retention.plan(owner, policy, now + dt.timedelta(days=89)).rows == 0
        (archive,) = retention.apply(
            owner, policy, now + dt.timedelta(days=91), ArchiveFiles(tmp_path), QueryCipher([new_key()])
        )
    assert (archive.row_count, log(records)) == (2, [])
    assert run(records, settings, minutes=91 * 24 * 60) == DeliveryReport()
    assert len(hook.got) == 1


def test_a_channel_that_hangs_keeps_neither_the_caller_nor_the_others(records: Records, hook: Hook) -> None:
    rule(records, "first", channel="a_slow_one")
    rule(records, "second", channel="oncall")
    add(records, DROP)
    with mute_server(dripping=True) as slow:
        # Left alone, it would be waited for for half a minute.
        settings = settings_with(a_slow_one=f"json://{HOST}:{slow.port}", oncall=hook.address)
        begun = time.monotonic()
        report = deliver_quietly(records, settings, within=4)
        assert time.monotonic() - begun < 15
        assert slow.connections == 1
    assert report is not None
    assert [(each.channel, each.error is None) for each in report.channels] == [("a_slow_one", False), ("oncall", True)]
    assert states(records) == [("a_slow_one", "failed"), ("oncall", "sent")]
    assert "the service was not done in time" in str(report.failed[0].error)
