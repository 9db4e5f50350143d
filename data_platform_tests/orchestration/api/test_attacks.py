"""Whoever asks in another's name, for another's things, or with what was never given to them, gets nothing."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from data_platform.records import platform_audit, tokens, users
from data_platform_tests.orchestration.api.served import Served, serve
from data_platform_tests.orchestration.webserver.world import SYSTEM

ALL = {"dataset": "crsp", "sql": "SELECT * FROM crsp_daily", "wait_seconds": 30, "page_size": 100}
EXPORT = {"dataset": "crsp", "sql": "SELECT permno FROM crsp_daily"}
SECRET = "a-long-shared-secret"  # noqa: S105 - of these tests


@pytest.fixture
def account(served: Served) -> Iterator[tuple[str, httpx.Client]]:
    """An operator of one test's own, and what asks in their name."""
    name = f"op_{uuid.uuid4().hex[:8]}"
    with served.world.records.transaction(SYSTEM) as connection:
        users.add(connection, name, "operator")
        served.world.tokens[name] = tokens.create(connection, name).secret
    with served.http(name) as http:
        yield name, http


def forms(answer: httpx.Response) -> tuple[int, str]:
    """The status and the kind of a refusal, which holds no path and no trace of the program."""
    document = answer.json()
    assert {"error", "kind", "exit_code"} <= set(document), document
    assert "Traceback" not in answer.text
    assert "/tmp/" not in answer.text  # noqa: S108 - where the home of these tests lies
    return answer.status_code, document["kind"]


def test_without_a_good_token_no_route_answers(served: Served) -> None:
    token = served.world.tokens["admin"]
    for headers in (
        {},
        {"authorization": f"Bearer {token[:-1]}"},
        {"authorization": f"Basic {token}"},
        {"authorization": "Bearer"},
        {"x-forwarded-user": "admin"},
        {"x-forwarded-user": "admin", "x-data-platform-proxy-secret": SECRET},
        {"cookie": "data_platform_token="},
    ):
        with served.http(None, **headers) as http:
            for method, path in (("GET", "datasets"), ("POST", "queries"), ("GET", "openapi.json"), ("PUT", "none")):
                assert forms(http.request(method, path, json=ALL)) == (401, "not_permitted"), (headers, path)


def test_a_proxys_name_needs_its_secret_and_one_name(served: Served) -> None:
    with serve(served.world, identity="proxy", proxy_secret=SecretStr(SECRET)) as proxied:
        good = {"x-forwarded-user": "analyst", "x-data-platform-proxy-secret": SECRET}
        with proxied.http(None, **good) as http:
            assert [each["name"] for each in http.get("datasets").json()] == ["crsp", "fama_french"]
            twice = [*good.items(), ("x-forwarded-user", "admin")]
            assert forms(http.get("datasets", headers=httpx.Headers(twice)))[0] == 401
        for wrong in ({"x-data-platform-proxy-secret": "x"}, {"x-forwarded-user": "local:root"}):
            with proxied.http(None, **{**good, **wrong}) as http:
                assert forms(http.get("datasets"))[0] == 401
        # A good token is nothing where a proxy tells who somebody is.
        with proxied.http("admin") as http:
            assert forms(http.get("datasets"))[0] == 401


def test_another_sites_page_can_do_nothing_with_the_cookie(served: Served) -> None:
    cookie = {"cookie": f"data_platform_token={served.world.tokens['operator']}"}
    with served.http(None, **cookie) as http:
        assert http.get("datasets").status_code == 200
        for foreign in (
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"origin": "http://["},
            {"sec-fetch-site": "cross-site"},
        ):
            for method, path in (("POST", "exports"), ("POST", "sync/crsp/trigger"), ("GET", "datasets/crsp/preview")):
                assert forms(http.request(method, path, json=EXPORT, headers=foreign)) == (403, "not_permitted")
        # Nor can a form, which a browser sends without asking first.
        form = http.post(
            "exports", content=b'{"dataset": "crsp", "sql": "SELECT 1"}', headers={"content-type": "text/plain"}
        )
        assert forms(form) == (422, "usage")


def test_a_user_who_lacks_a_dataset_is_not_shut_out_where_the_ui_is(served: Served) -> None:
    with serve(served.world, ui_visibility="strict") as strict, strict.http("analyst") as http:
        assert {each["name"] for each in http.get("datasets").json()} == {"crsp", "fama_french"}
        assert forms(http.get("coverage", params={"dataset": "compustat"})) == (403, "not_permitted")
        for path in (
            "/",
            "/runs",
            "/api",
            "/api/v1",
            "/api/v1x/datasets",
            "/graphql",
            "/api/../runs",
            "//api/v1/datasets",
        ):
            assert http.get(f"{strict.url}{path}").status_code in {403, 404}, path
        assert http.post(f"{strict.url}/graphql", json={"query": "{ version }"}).status_code == 403


def test_a_cursor_that_was_changed_or_is_anothers_tells_nothing(served: Served) -> None:
    with served.http("analyst") as http, served.http("admin") as other:
        cursor = http.post("queries", json=ALL).json()["cursor"]
        assert http.get("pages", params={"cursor": cursor}).json()["page"] == 2
        changed = [
            cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB"),
            ("A" if cursor[0] != "A" else "B") + cursor[1:],
            cursor[: len(cursor) // 2],
            base64.urlsafe_b64encode(b'{"user": "analyst", "offset": 0}').decode(),
            "../../etc/passwd",
            "\N{SNOWMAN}",
            "",
        ]
        said = {http.get("pages", params={"cursor": each}).text for each in changed}
        said.add(other.get("pages", params={"cursor": cursor}).text)
        assert len(said) == 1, said
        assert forms(http.get("pages", params={"cursor": changed[0]})) == (400, "usage")


def test_a_guessed_id_is_answered_as_one_that_does_not_exist(served: Served) -> None:
    with served.http("operator") as http, served.http("admin") as other:
        export = http.post("exports", json=EXPORT).json()["export_id"]
        query = http.post("queries", json={"dataset": "crsp", "sql": "SELECT 1"}).json()["id"]
        for path in ("queries/{}", "queries/{}/result", "exports/{}", "exports/{}/file", "exports/{}/manifest"):
            for there in (export, query):
                unknown = str(uuid.uuid4())
                found, none = other.get(path.format(there)), other.get(path.format(unknown))
                assert forms(found) == forms(none) == (404, "not_found"), path
                assert found.text.replace(there, "X") == none.text.replace(unknown, "X")
        assert forms(other.post(f"queries/{query}/cancel")) == (404, "not_found")


@pytest.mark.parametrize("name", ["../crsp", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "crsp%00", "crsp%2F..%2Fcompustat"])
def test_a_name_is_no_path(served: Served, name: str) -> None:
    with served.http("operator") as http:
        for path in (f"datasets/{name}", f"datasets/{name}/preview", f"exports/{name}/file", f"queries/{name}"):
            answer = http.get(path)
            assert answer.status_code in {404, 405, 422}, (path, answer.status_code)
            assert "root:" not in answer.text
        changed = http.put(f"sync/schedules/crsp/{name}", json={"expected_version": 1})
        assert changed.status_code in {404, 405, 422}


def test_a_permission_taken_away_closes_the_next_page_and_the_download(
    served: Served, account: tuple[str, httpx.Client]
) -> None:
    name, http = account
    cursor = http.post("queries", json=ALL).json()["cursor"]
    export = http.post("exports", json=EXPORT).json()["export_id"]
    assert http.get(f"exports/{export}/file").status_code == 200
    with served.world.records.transaction(SYSTEM) as connection:
        users.revoke(connection, name, "dataset:crsp")
    for path in (f"pages?cursor={cursor}", f"exports/{export}/file", f"exports/{export}/manifest", f"exports/{export}"):
        assert forms(http.get(path)) == (403, "not_permitted"), path
    assert forms(http.post("queries", json=ALL)) == (403, "not_permitted")


def test_the_right_to_export_taken_away_closes_the_download_only(
    served: Served, account: tuple[str, httpx.Client]
) -> None:
    name, http = account
    export = http.post("exports", json=EXPORT).json()["export_id"]
    with served.world.records.transaction(SYSTEM) as connection:
        users.revoke(connection, name, "export:data")
    assert forms(http.get(f"exports/{export}/file")) == (403, "not_permitted")
    assert http.post("queries", json=ALL).status_code == 200


def test_a_closed_account_gets_no_further_page(served: Served, account: tuple[str, httpx.Client]) -> None:
    name, http = account
    cursor = http.post("queries", json=ALL).json()["cursor"]
    with served.world.records.transaction(SYSTEM) as connection:
        users.disable(connection, name)
    assert forms(http.get("pages", params={"cursor": cursor})) == (401, "not_permitted")


def test_each_download_and_page_leaves_its_entry(served: Served, account: tuple[str, httpx.Client]) -> None:
    name, http = account
    http.get("pages", params={"cursor": http.post("queries", json=ALL).json()["cursor"]})
    http.get(f"exports/{http.post('exports', json=EXPORT).json()['export_id']}/file")
    with served.world.records.transaction(SYSTEM) as connection:
        entries = platform_audit.recent(connection, name)
    assert {"export", "export.download", "query.page"} <= {each.action for each in entries}
    assert {each.client_ip for each in entries} == {"127.0.0.1"}


def test_the_limit_is_answered_with_when_to_come_back(served: Served, account: tuple[str, httpx.Client]) -> None:
    name, _ = account
    with serve(served.world, queries_per_minute=1) as limited, limited.http(name) as http:
        assert http.post("queries", json=ALL).status_code == 200
        refused = http.post("queries", json=ALL)
    assert forms(refused) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) == refused.json()["retry_after_seconds"] > 0


def test_bodies_that_are_no_json_or_not_the_right_one_are_one_clear_answer(served: Served) -> None:
    with served.http("analyst") as http:
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"dataset": 1}',
            b"\xff\xfe",
            b'{"dataset":"crsp","sql":"SELECT 1","x":1}',
        ):
            answer = http.post("queries", content=body, headers={"content-type": "application/json"})
            assert forms(answer) == (422, "usage"), body
        deep = b"[" * 30_000
        assert forms(http.post("queries", content=deep, headers={"content-type": "application/json"}))[0] in {400, 422}
        half = b'{"dataset": "crsp", "sql": "SELECT \'\\ud800\'", "wait_seconds": 9}'
        assert forms(http.post("queries", content=half, headers={"content-type": "application/json"}))[0] in {400, 422}
        assert forms(http.post("queries", json={**ALL, "sql": "x" * 20_000})) == (400, "usage")
        assert forms(http.delete("queries")) == (405, "usage")
