"""The page that is scraped, through the gate: for whom, in which format, and with what the server itself counted."""

from __future__ import annotations

import pytest

from data_platform.metrics.counting import count_in
from data_platform.settings import Settings
from data_platform_tests.orchestration.webserver.world import World


@pytest.mark.parametrize(
    ("person", "status"),
    [("viewer", 403), ("analyst", 403), ("operator_without_crsp", 403), ("operator", 200), ("admin", 200)],
)
def test_metrics_are_for_administrators_and_who_sees_every_dataset(world: World, person: str, status: int) -> None:
    answer = world.clients[person].get("/metrics", headers={"accept": "text/html"})
    assert answer.status_code == status
    assert ("# TYPE data_sync_trigger_total counter" in answer.text) == (status == 200)
    if status == 403:
        assert "requires dataset:" in answer.json()["error"]


def test_a_scrape_with_a_bearer_token_gets_text_that_nothing_keeps(world: World) -> None:
    answer = world.clients["operator"].get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert answer.headers["cache-control"] == "no-store"
    newer = world.clients["operator"].get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert newer.text.endswith("# EOF\n")
    assert world.clients["operator"].post("/metrics").status_code == 405


def test_on_this_machine_alone_the_page_needs_no_token_and_no_other_name_reaches_it(world: World) -> None:
    local = world.client(None, Settings(home=world.settings.home, identity="local"))
    assert local.get("/metrics", headers={"host": "127.0.0.1:3000"}).status_code == 200
    assert local.get("/metrics", headers={"host": "rebound.example:3000"}).status_code == 403


def test_a_launch_in_the_ui_is_counted_for_whoever_pressed_the_button(world: World) -> None:
    count_in(world.settings.home)
    line = 'data_sync_trigger_total{dataset="crsp",user="operator"}'

    def launches() -> float:
        found = [row for row in world.clients["admin"].get("/metrics").text.splitlines() if row.startswith(line)]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    before = launches()
    world.launch("operator", "crsp_daily", reason="restated")
    assert launches() == before + 1
