"""What becomes of submitted queries when the server has no place for them, and of all when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.applications import Starlette

from data_platform.orchestration.api.desk import Desk, Workers
from data_platform.orchestration.webserver.server import build_app
from data_platform.records import query_requests, tokens, users
from data_platform.records.connection import connect_records
from data_platform.records.query_requests import QueryRequest
from data_platform_tests.orchestration.api.served import Served, listening_to
from data_platform_tests.orchestration.webserver.world import SYSTEM
from data_platform_tests.records.processes import eventually

ENDLESS = {"dataset": "crsp", "sql": "SELECT count(*) FROM range(1000000000000) a, range(1000000) b"}


@pytest.fixture
def own(served: Served) -> Iterator[Starlette]:
    """A server's application with records of its own, over the same database."""
    settings = served.settings
    with connect_records(served.world.records.databases) as records:
        yield build_app(served.world.process, settings, records)


def account(served: Served, name: str) -> dict[str, str]:
    """The header of an operator of one test's own."""
    with served.world.records.transaction(SYSTEM) as connection:
        users.add(connection, name, "operator")
        return {"authorization": f"Bearer {tokens.create(connection, name).secret}"}


def requests_of(served: Served, name: str) -> list[QueryRequest]:
    """Somebody's requests as they are stored, oldest first."""
    with served.world.records.transaction(SYSTEM) as connection:
        return query_requests.recent(connection, name, 100)[::-1]


def test_what_finds_no_place_is_cancelled_rather_than_left_waiting(served: Served, own: Starlette) -> None:
    header = account(served, "crowded")
    own.state.desk.querying = Workers("api-none", 1, most=0)
    with listening_to(own) as url, httpx.Client(base_url=f"{url}/api/v1/", headers=header, timeout=60) as http:
        for path, body in (("queries", ENDLESS), ("exports", {**ENDLESS, "wait": False})):
            refused = http.post(path, json=body)
            assert (refused.status_code, refused.json()["kind"]) == (503, "failed")
            assert int(refused.headers["retry-after"]) > 0
    assert [each.state for each in requests_of(served, "crowded")] == ["cancelled", "cancelled"]


def test_a_server_that_ends_cancels_what_runs_and_loses_what_waits(served: Served, own: Starlette) -> None:
    header, desk = account(served, "last"), own.state.desk
    assert isinstance(desk, Desk)
    desk.querying = Workers("api-few", 2)
    with ThreadPoolExecutor(2) as people:
        with listening_to(own, desk=desk) as url:

            def ask(path: str, **more: object) -> httpx.Response:
                return httpx.post(f"{url}/api/v1/{path}", json={**ENDLESS, **more}, headers=header, timeout=60)

            submitted = ask("queries").json()["id"]
            waited_for = people.submit(ask, "queries", wait_seconds=30)
            assert eventually(lambda: [each.state for each in requests_of(served, "last")] == ["running"] * 2)
            behind = [ask("queries").json()["id"], ask("exports", wait=False).json()["id"]]
            in_line = people.submit(ask, "queries", wait_seconds=30)
            assert eventually(lambda: len(desk.querying._present) == 5)
        assert (waited_for.result().status_code, waited_for.result().json()["kind"]) == (409, "cancelled")
        assert "the server stops" in waited_for.result().json()["error"]
        assert (in_line.result().status_code, in_line.result().json()["error"]) == (503, "The server stops.")
    ended = {str(each.id): (each.state, each.error_kind) for each in requests_of(served, "last")}
    assert ended[submitted] == ("cancelled", "cancelled")
    assert [ended[each] for each in behind] == [("failed", "lost")] * 2
    with served.http(None, **header) as http:
        told = http.get(f"queries/{behind[0]}").json()
        assert "ended before it was done" in told["error_message"]
        assert "the server stops" in http.get(f"queries/{submitted}").json()["error_message"]
