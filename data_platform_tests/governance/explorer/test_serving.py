"""Submitted requests: from where they came, how many somebody may have, and those whose server is gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from data_platform.errors import QueryCancelledError, RateLimitedError
from data_platform.governance.explorer import DataExplorerService, requests, serving
from data_platform.governance.permissions import Role
from data_platform.records.connection import connect_records
from data_platform_tests.governance.explorer.conftest import ADMIN, World


def test_what_is_submitted_is_audited_with_the_address_that_it_came_from(world: World) -> None:
    amy = world.person("amy", Role.OPERATOR)
    query = world.service.submit_query(amy, "crsp", "SELECT 1", client_ip="192.0.2.7")
    export = world.service.submit_export(amy, "crsp", "SELECT 2", client_ip="192.0.2.8")
    assert [each.client_ip for each in world.requests("amy")] == ["192.0.2.7", "192.0.2.8"]
    world.service.run_query(query.id)
    world.service.run_export(export.id)
    attempts = [row for row in world.audited("amy") if row.result is None]
    assert [row.client_ip for row in attempts] == ["192.0.2.7", "192.0.2.8"]
    (entry,) = world.actions("amy", "export")
    assert entry.client_ip == "192.0.2.8"


def test_nobody_has_more_than_twenty_that_wait_or_run_however_many_ask_at_once(world: World) -> None:
    bob, cid = world.person("bob", Role.OPERATOR), world.person("cid")

    def submit(number: int) -> bool:
        try:
            if number % 2:
                world.service.submit_query(bob, "crsp", "SELECT 1")
            else:
                world.service.submit_export(bob, "crsp", "SELECT 1")
        except RateLimitedError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        accepted = list(threads.map(submit, range(32)))
    assert accepted.count(True) == len(world.requests("bob")) == requests.MOST_UNFINISHED == 20
    with pytest.raises(RateLimitedError, match="Wait for one to end") as caught:
        world.service.submit_query(bob, "crsp", "SELECT 1")
    assert caught.value.retry_after_seconds > 0
    assert world.service.submit_query(cid, "crsp", "SELECT 1").state == "queued"
    world.service.cancel(bob, world.requests("bob")[0].id)
    assert world.service.submit_query(bob, "crsp", "SELECT 1").state == "queued"


def test_what_waited_for_a_server_that_is_gone_is_lost_and_can_be_run_again(world: World) -> None:
    dee = world.person("dee")
    lost = world.service.submit_query(dee, "crsp", "SELECT 1", by_server=True).id
    other = world.service.submit_query(dee, "crsp", "SELECT 1").id
    done = world.service.submit_query(dee, "crsp", "SELECT 1", by_server=True).id
    world.service.run_query(done)
    assert serving.end_lost(world.records) == 1
    assert serving.end_lost(world.records) == 0
    told = world.service.get_request(dee, lost)
    assert (told.state, told.error_kind) == ("failed", "lost")
    assert "ended before it was done" in str(told.error_message)
    assert told.finished_at is not None
    assert [world.service.get_request(dee, each).state for each in (other, done)] == ["queued", "done"]
    assert world.service.run_query(lost).table.num_rows == 1


def test_whoever_is_killed_while_waiting_is_told_the_reason(world: World) -> None:
    fred = world.person("fred")
    number = world.service.submit_query(fred, "crsp", "SELECT 1").id
    world.service.kill(ADMIN, number, "the machine is needed.")
    told = world.service.get_request(fred, number)
    assert (told.state, told.error_kind) == ("cancelled", "cancelled")
    assert told.error_message == "The query was cancelled: adm stopped it: the machine is needed."


def test_what_begins_in_a_server_that_stops_is_cancelled(world: World) -> None:
    eli = world.person("eli")
    with connect_records(world.records.databases) as records:
        service = DataExplorerService(records, world.warehouse, world.settings, world.engine)
        serving.stop(records)
        with pytest.raises(QueryCancelledError, match="the server stops"):
            service.execute_query(eli, "crsp", "SELECT 1")
    assert [(each.state, each.error_kind) for each in world.requests("eli")] == [("cancelled", "cancelled")]
