"""The gate: who comes in by which identity, through which route, and who does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.routing import Mount
from starlette.websockets import WebSocketDisconnect

from data_platform.errors import ConfigurationError, UsageError
from data_platform.orchestration.webserver.asking import require_listening
from data_platform.orchestration.webserver.gate import Gate
from data_platform.records import users
from data_platform.settings import Settings
from data_platform_tests.orchestration.webserver.world import SYSTEM, TestClient, World

SECRET = "a-long-shared-secret"  # noqa: S105 - of these tests
QUERY = {"query": "{ version }"}


def proxied(world: World, visibility: str = "all") -> Settings:
    return Settings(
        home=world.settings.home,
        identity="proxy",
        proxy_secret=SecretStr(SECRET),
        ui_visibility=visibility,  # pyright: ignore[reportArgumentType] - one of the two
    )


@pytest.mark.parametrize("mode", ["token", "proxy"])
def test_nobody_comes_in_unknown_through_any_route(world: World, mode: str) -> None:
    client = world.client(None, proxied(world) if mode == "proxy" else None)
    app: Any = client.app
    paths = {re.sub(r"{[^}]*}", "x", route.path) + ("/x" if isinstance(route, Mount) else "") for route in app.routes}
    assert {"/graphql", "/report_asset_materialization/x", "/logs/x", "/download_debug/x", "/x", "/"} <= paths
    for path in sorted(paths | {"/no/such/route"}):
        for method in ("GET", "POST", "HEAD", "PUT"):
            answer = client.request(method, path, headers={"accept": "text/html"})
            assert answer.status_code == 401, (method, path)
            assert "Dagster" not in answer.text


@pytest.mark.parametrize("mode", ["token", "proxy"])
def test_a_websocket_without_identity_is_closed_before_it_opens(world: World, mode: str) -> None:
    client = world.client(None, proxied(world) if mode == "proxy" else None)
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/graphql", subprotocols=["graphql-ws"]):
        pass


def test_a_websocket_of_another_sites_page_is_closed_though_the_browser_has_the_cookie(world: World) -> None:
    cookie = {"cookie": f"data_platform_token={world.tokens['admin']}", "origin": "http://evil.example"}
    with pytest.raises(WebSocketDisconnect), world.client(None, None, **cookie).websocket_connect("/graphql"):
        pass


def test_a_websocket_with_a_cookie_opens(world: World) -> None:
    cookie = {"cookie": f"data_platform_token={world.tokens['viewer']}", "origin": "http://testserver"}
    with world.client(None, None, **cookie).websocket_connect("/graphql", subprotocols=["graphql-ws"]) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}


def test_an_open_websocket_is_asked_again_and_closed_when_its_account_is(world: World) -> None:
    # The gate once more around the whole, one that believes nobody for longer than a message.
    app = Gate(world.client(None).app, settings=world.settings, records=world.records, again_seconds=0)
    cookie = {"cookie": f"data_platform_token={world.tokens['viewer']}", "origin": "http://testserver"}
    asking: Any = {"id": "1", "type": "start", "payload": QUERY}
    with TestClient(app, headers=cookie).websocket_connect("/graphql", subprotocols=["graphql-ws"]) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        socket.send_json(asking)
        assert "version" in socket.receive_text()
        with world.records.transaction(SYSTEM) as connection:
            users.disable(connection, "viewer")
        try:
            socket.send_json({**asking, "id": "2"})
            with pytest.raises(WebSocketDisconnect) as closed:
                while True:
                    assert "version" not in socket.receive_text(), "an answer for a closed account"
        finally:
            with world.records.transaction(SYSTEM) as connection:
                users.disable(connection, "viewer", disabled=False)
    assert closed.value.code == 1008


def test_a_good_token_comes_in_and_a_bad_one_does_not(world: World) -> None:
    assert world.client("viewer").post("/graphql", json=QUERY).status_code == 200
    wrong = {"authorization": f"Bearer {world.tokens['viewer'][:-1]}"}
    assert world.client(None, None, **wrong).post("/graphql", json=QUERY).status_code == 401


def test_signing_in_sets_a_cookie_that_no_script_and_no_other_site_can_use(world: World) -> None:
    client = world.client(None)
    assert "Sign in" in client.get("/", headers={"accept": "text/html"}).text
    refused = client.post("/sign-in", data={"token": "dp_wrong"})
    assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
    done = client.post("/sign-in", data={"token": world.tokens["viewer"]})
    assert done.status_code == 303
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in done.headers["set-cookie"].split(";")}
    assert client.post("/graphql", json=QUERY).status_code == 200
    client.post("/sign-out")
    assert client.post("/graphql", json=QUERY).status_code == 401


def test_the_proxys_name_counts_only_with_its_secret(world: World) -> None:
    asked = proxied(world)
    good = {"x-forwarded-user": "viewer", "x-data-platform-proxy-secret": SECRET}
    assert world.client(None, asked, **good).post("/graphql", json=QUERY).status_code == 200
    for wrong in ({"x-data-platform-proxy-secret": "x"}, {"x-forwarded-user": ""}, {"x-forwarded-user": "nobody_here"}):
        assert world.client(None, asked, **{**good, **wrong}).post("/graphql", json=QUERY).status_code == 401
    assert world.client(None, asked, **{"x-forwarded-user": "admin"}).post("/graphql", json=QUERY).status_code == 401


@pytest.mark.parametrize("name", ["local:root", "system:sync"])
def test_the_proxy_can_name_no_part_of_the_platform_and_no_local_administrator(world: World, name: str) -> None:
    headers = {"x-forwarded-user": name, "x-data-platform-proxy-secret": SECRET}
    assert world.client(None, proxied(world), **headers).post("/graphql", json=QUERY).status_code == 401


def test_two_names_are_none(world: World) -> None:
    headers = [("x-forwarded-user", "admin"), ("x-forwarded-user", "viewer"), ("x-data-platform-proxy-secret", SECRET)]
    answer = world.client(None, proxied(world)).post("/graphql", json=QUERY, headers=headers)
    assert answer.status_code == 401


def test_the_proxys_headers_mean_nothing_in_the_other_modes(world: World) -> None:
    headers = {"x-forwarded-user": "admin", "x-data-platform-proxy-secret": SECRET}
    assert world.client(None, None, **headers).post("/graphql", json=QUERY).status_code == 401


def test_a_token_means_nothing_to_the_proxy_mode(world: World) -> None:
    assert world.client("admin", proxied(world)).post("/graphql", json=QUERY).status_code == 401


@pytest.mark.parametrize("person", ["viewer", "analyst", "operator"])
def test_reports_of_assets_are_for_administrators(world: World, person: str) -> None:
    path = "/report_asset_materialization/crsp_daily"
    assert world.client(person).post(path, json={}).status_code == 403
    assert world.client("admin").post(path, json={}).status_code == 200


def test_strict_visibility_closes_everything_to_whoever_lacks_a_dataset(world: World) -> None:
    def status(person: str, path: str) -> int:
        headers = {"x-forwarded-user": person, "x-data-platform-proxy-secret": SECRET, "accept": "text/html"}
        return world.client(None, proxied(world, "strict"), **headers).get(path).status_code

    for path in ("/", "/server_info", "/favicon.png", "/graphql", "/logs/x"):
        assert status("analyst", path) == 403
        assert status("operator_without_crsp", path) == 403
        assert status("operator", path) != 403


def test_the_page_that_strict_visibility_shows_says_why(world: World) -> None:
    headers = {"x-forwarded-user": "analyst", "x-data-platform-proxy-secret": SECRET, "accept": "text/html"}
    page = world.client(None, proxied(world, "strict"), **headers).get("/")
    assert "Access to compustat requires dataset:compustat" in page.text


def test_a_closed_account_is_out_at_the_next_request(world: World) -> None:
    with world.records.transaction(SYSTEM) as connection:
        users.disable(connection, "viewer")
    try:
        assert world.client("viewer").post("/graphql", json=QUERY).status_code == 401
        headers = {"x-forwarded-user": "viewer", "x-data-platform-proxy-secret": SECRET}
        assert world.client(None, proxied(world), **headers).post("/graphql", json=QUERY).status_code == 401
    finally:
        with world.records.transaction(SYSTEM) as connection:
            users.disable(connection, "viewer", disabled=False)


def test_what_was_taken_away_is_gone_from_the_page_at_the_next_request(world: World) -> None:
    def offered() -> bool:
        found = world.query("operator", "{ assetNodes { assetKey { path } hasMaterializePermission } }")["assetNodes"]
        return next(node["hasMaterializePermission"] for node in found if node["assetKey"]["path"] == ["crsp_daily"])

    assert offered()
    with world.records.transaction(SYSTEM) as connection:
        users.revoke(connection, "operator", "dataset:crsp")
    try:
        assert not offered()
    finally:
        with world.records.transaction(SYSTEM) as connection:
            users.grant(connection, "operator", "dataset:crsp")
    assert offered()


def test_another_sites_page_can_make_nobody_ask(world: World) -> None:
    client = world.client("admin")
    assert client.post("/graphql", json=QUERY, headers={"origin": "http://evil.example"}).status_code == 403
    assert client.post("/graphql", json=QUERY, headers={"origin": "null"}).status_code == 403
    assert client.post("/graphql", json=QUERY, headers={"origin": "http://testserver"}).status_code == 200
    assert client.get("/graphql", params={"query": "mutation { setNuxSeen }"}).status_code == 403


def test_in_local_mode_only_the_names_of_this_machine_are_answered(world: World) -> None:
    local = world.client(None, Settings(home=world.settings.home, identity="local"))
    for host in ("rebound.example:3000", "["):
        assert local.post("/graphql", json=QUERY, headers={"host": host}).status_code == 403
    for host in ("127.0.0.1:3000", "localhost:3000", "[::1]:3000"):
        assert local.post("/graphql", json=QUERY, headers={"host": host}).status_code == 200


def test_nobody_is_served_beyond_this_machine_unless_they_are_known(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "192.0.2.7", "::", "example.org"):  # noqa: S104 - that is what is refused
        with pytest.raises(UsageError, match="local administrator"):
            require_listening(Settings(home=tmp_path, identity="local"), host)
        require_listening(Settings(home=tmp_path, identity="token"), host)
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        require_listening(Settings(home=tmp_path, identity="local"), host)
    with pytest.raises(UsageError, match=r"The address to listen on is empty\."):
        require_listening(Settings(home=tmp_path, identity="token"), "")
    with pytest.raises(ConfigurationError, match="DATA_PLATFORM_PROXY_SECRET"):
        require_listening(Settings(home=tmp_path, identity="proxy"), "127.0.0.1")
