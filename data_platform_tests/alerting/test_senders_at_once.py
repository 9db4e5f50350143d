"""Several senders at once, and senders that die: nothing is sent twice, nothing stays behind."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter

from data_platform.alerting.delivery import SCOPE, deliver
from data_platform.records import alert_deliveries, alert_rules
from data_platform.records.alert_deliveries import ATTEMPTS, LEASE
from data_platform.records.alerts import Alert
from data_platform.records.connection import Records
from data_platform_tests.alerting.parts import (
    DROP,
    MINUTE,
    SPIKE,
    SYSTEM,
    add,
    later,
    log,
    no_pause,
    rule,
    settings_with,
    states,
)
from data_platform_tests.alerting.senders import deliver_at_once, start_sender
from data_platform_tests.alerting.servers import HOST, Hook, mute_server
from data_platform_tests.records.racing import race


def told(there: Hook) -> Counter[str]:
    """How often each alert was told; each has a table of its own."""
    return Counter(
        line.split()[1] for got in there.got for line in got["message"].splitlines() if line.startswith("error: ")
    )


def _of_table(number: int) -> Alert:
    return dataclasses.replace(DROP, table_name=f"t{number}")


def test_processes_that_deliver_at_once_tell_each_alert_once(records: Records, hook: Hook) -> None:
    rule(records)
    add(records, *[_of_table(number) for number in range(8)])
    sent = race(4, deliver_at_once, records.databases, hook.address)
    assert (sum(sent), set(told(hook).values()), len(told(hook))) == (8, {1}, 8)
    assert states(records) == [("oncall", "sent")] * 8


def test_threads_that_deliver_while_alerts_come_in_tell_each_alert_once(records: Records, hook: Hook) -> None:
    rule(records)
    settings = settings_with(oncall=hook.address)
    done = threading.Event()

    def keep_delivering() -> None:
        while not done.is_set():
            deliver(records, settings)

    threads = [threading.Thread(target=keep_delivering) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(25):
        add(records, _of_table(number))
    done.set()
    for thread in threads:
        thread.join()
    deliver(records, settings)
    assert sum(int(got["title"].split()[0]) for got in hook.got) == 25
    assert {(delivery.state, delivery.attempts) for delivery in log(records)} == {("sent", 1)}
    assert len(log(records)) == 25


def test_what_another_sender_has_is_left_to_it_until_its_lease_ends(records: Records, hook: Hook) -> None:
    rule(records)
    add(records, DROP)
    settings = settings_with(oncall=hook.address)
    with mute_server() as mute:
        sender = start_sender(records.databases, f"json://{HOST}:{mute.port}")
        assert mute.wait_for_connection()
        sender.kill()
        sender.wait()
    assert states(records) == [("oncall", "sending")]
    add(records, SPIKE)
    assert deliver(records, settings).sent == 1
    assert deliver(records, settings, now=later(9)).sent == 0
    assert deliver(records, settings, now=later(11)).sent == 1
    assert [got["title"] for got in hook.got] == ["1 warning in crsp", "1 error in crsp"]
    assert states(records) == [("oncall", "sent")] * 2


def test_a_sender_that_wakes_up_after_its_lease_changes_nothing(records: Records, hook: Hook) -> None:
    rule(records)
    add(records, DROP)
    with records.transaction(SCOPE) as connection:
        (each,) = alert_rules.enabled_rules(connection)
        alert_deliveries.enlist(connection, each, each.updated_at)
        slow = alert_deliveries.claim(connection, "oncall", later(0))
    assert slow is not None
    hook.status = 404
    assert len(deliver(records, settings_with(oncall=hook.address), now=later(11), pause=no_pause).failed) == 1
    with records.transaction(SCOPE) as connection:
        assert alert_deliveries.settle(connection, slow.message_id, later(12)) == 0
    assert states(records) == [("oncall", "failed")]


def test_an_alert_whose_every_sender_dies_is_given_up(records: Records, hook: Hook) -> None:
    rule(records)
    add(records, DROP)
    with records.transaction(SYSTEM) as connection:
        (each,) = alert_rules.enabled_rules(connection)
        alert_deliveries.enlist(connection, each, each.updated_at)
    minutes = LEASE / MINUTE + 1
    for number in range(ATTEMPTS):
        with records.transaction(SCOPE) as connection:
            assert alert_deliveries.claim(connection, "oncall", later(number * minutes)) is not None
    settings = settings_with(oncall=hook.address)
    assert deliver(records, settings, now=later(ATTEMPTS * minutes)).channels == ()
    (delivery,) = log(records)
    assert (delivery.state, delivery.attempts, delivery.due_at) == ("failed", ATTEMPTS, None)
    assert delivery.error is not None
    assert "sender ended" in delivery.error
    assert hook.got == []


def test_more_than_a_message_holds_is_the_next_ones(records: Records) -> None:
    rule(records)
    add(records, *[DROP] * 5)
    with records.transaction(SYSTEM) as connection:
        (each,) = alert_rules.enabled_rules(connection)
        alert_deliveries.enlist(connection, each, each.updated_at)
        claims = [alert_deliveries.claim(connection, "oncall", later(0), limit=3) for _ in range(3)]
    assert [len(claim.alerts) if claim else 0 for claim in claims] == [3, 2, 0]
