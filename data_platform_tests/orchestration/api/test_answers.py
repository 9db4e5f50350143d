"""What an answer may weigh, who may keep it, and from where the audit says it was asked."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from data_platform.client.wire import ARROW
from data_platform.records import platform_audit
from data_platform.records.platform_audit import AuditEntry
from data_platform_tests.orchestration.api.served import ROWS, Served, serve
from data_platform_tests.orchestration.webserver.world import SYSTEM
from data_platform_tests.records.processes import eventually

ALL = {"dataset": "crsp", "sql": "SELECT permno FROM crsp_daily"}
SECRET = "a-long-shared-secret"  # noqa: S105 - of these tests


def entries(served: Served, action: str, subject: str) -> list[AuditEntry]:
    with served.world.records.transaction(SYSTEM) as connection:
        found = platform_audit.recent(connection, action=action)
    return [each for each in found if each.subject == subject]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT repeat('x', 50000) AS t FROM range(400)",
        f"SELECT repeat('x', 14000)::ENUM('{'x' * 14_000}') AS t FROM range(2000)",
        "SELECT range(5000) AS many FROM range(402)",
    ],
    ids=["bytes", "one text again and again", "values"],
)
def test_a_page_that_is_too_heavy_for_json_can_be_had_as_arrow_or_in_smaller_pages(served: Served, sql: str) -> None:
    asked = {"dataset": "crsp", "sql": sql, "wait_seconds": 30}
    with served.http("analyst") as http:
        refused = http.post("queries", json=asked)
        assert (refused.status_code, refused.json()["kind"]) == (400, "usage")
        assert "too large for JSON" in refused.json()["error"]
        assert "Arrow" in refused.json()["hint"]
        assert http.post("queries", json=asked, headers={"accept": ARROW}).status_code == 200
        smaller = http.post("queries", json={**asked, "page_size": 100})
        assert (smaller.status_code, smaller.json()["row_count"]) == (200, 100)


def test_the_first_page_of_a_submitted_query_has_the_size_that_is_asked_for(served: Served) -> None:
    with served.http("analyst") as http, served.client("analyst") as client:
        number = http.post("queries", json=ALL).json()["id"]
        assert eventually(lambda: http.get(f"queries/{number}").json()["state"] == "done")
        first = http.get(f"queries/{number}/result", params={"page_size": 400}).json()
        assert (first["row_count"], first["page_size"], first["total_rows"]) == (400, 400, ROWS)
        second = http.get("pages", params={"cursor": first["cursor"]}).json()
        assert (second["row_count"], second["page"]) == (ROWS - 400, 2)
        assert http.get(f"queries/{number}/result", params={"page_size": 10_001}).status_code == 422
        assert client.result(number, page_size=200).arrow().num_rows == ROWS


def test_nobody_on_the_way_may_keep_an_answer(served: Served) -> None:
    with served.http("analyst") as http:
        number = http.post("queries", json=ALL).json()["id"]
        answers = [
            http.get(path)
            for path in ("datasets", "queries", f"queries/{number}", "quota", "openapi.json", "none", "queries?limit=0")
        ]
        answers += [http.post("queries/dry-run", json=ALL), http.post("queries", content=b"{")]
    with served.http(None) as nobody:
        answers.append(nobody.get("queries"))
    assert {each.status_code for each in answers} == {200, 401, 404, 422}
    assert [each.url for each in answers if each.headers.get("cache-control") != "no-store"] == []


def test_a_manifest_that_is_read_is_no_download(served: Served) -> None:
    with served.http("operator") as http:
        export = http.post("exports", json=ALL).json()["export_id"]
        assert http.get(f"exports/{export}/manifest").status_code == 200
        assert entries(served, "export.download", export) == []
        assert http.get(f"exports/{export}/file").status_code == 200
    assert (len(entries(served, "export.download", export)), len(entries(served, "export.manifest", export))) == (1, 1)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (["2001:DB8::0:7"], "2001:db8::7"),
        (["203.0.113.7, unknown"], "127.0.0.1"),
        ([], "127.0.0.1"),
    ],
)
def test_behind_a_proxy_the_audit_has_the_address_that_the_proxy_names(
    served: Served, said: list[str], kept: str
) -> None:
    proof = [("x-forwarded-user", "operator"), ("x-data-platform-proxy-secret", SECRET)]
    changes = {"identity": "proxy", "proxy_secret": SecretStr(SECRET), "exports_per_hour": 10_000}
    with serve(served.world, **changes) as proxied, proxied.http(None) as http:
        headers = [*proof, *(("x-forwarded-for", each) for each in said)]
        export = http.post("exports", json=ALL, headers=headers).json()["export_id"]
    (entry,) = entries(served, "export", export)
    assert entry.client_ip == kept


def test_without_a_proxy_nobody_is_believed_about_their_address(served: Served) -> None:
    with served.http("operator", **{"x-forwarded-for": "203.0.113.7"}) as http:
        export = http.post("exports", json=ALL).json()["export_id"]
    (entry,) = entries(served, "export", export)
    assert entry.client_ip == "127.0.0.1"


def test_a_body_that_is_no_json_or_not_said_to_be_is_told_what_is_wrong(served: Served) -> None:
    with served.http("analyst") as http:
        broken = http.post("queries", content=b"{bad", headers={"content-type": "application/json"}).json()
        assert broken["error"] == (
            "The request is not valid. Its body is no JSON "
            "(Expecting property name enclosed in double quotes, at character 1)."
        )
        for unsaid in ({}, {"content-type": "application/x-www-form-urlencoded"}):
            refused = http.post("queries", content=b'{"dataset": "crsp", "sql": "SELECT 1"}', headers=unsaid)
            assert refused.status_code == 422
            assert refused.json()["hint"] == "Send the header Content-Type: application/json."
        wrong = http.post("queries", json={"dataset": "crsp", "sql": 1}).json()
        assert wrong["error"] == "The request is not valid. sql: Input should be a valid string."


def test_a_body_that_cant_be_read_or_holds_no_values_is_told_so_in_our_words(served: Served) -> None:
    with served.http("analyst") as http:
        for body in (b"[" * 30_000, b'{"sql":"\xff"}', b'{"sql":' + b"9" * 5_000 + b"}"):
            answer = http.post("queries", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 400
            assert answer.json()["error"].startswith("The request is not valid. Its body can't be read: ")
        for given in ([[1]], {"a": [1]}, "x", 5, {"a": {"type": "x", "value": "1"}}, [{"type": "date"}]):
            refused = http.post("queries", json={"dataset": "crsp", "sql": "SELECT 1", "parameters": given})
            assert refused.status_code == 422
            assert refused.json()["error"].startswith("The request is not valid. parameters: Input should be a list or")
            assert "TypedValue" not in refused.text


@pytest.mark.parametrize("path", ["quality/quarantine?dataset=nope", "quota?user=ann", "queries/running?limit=1"])
def test_a_parameter_that_a_route_does_not_have_is_refused_and_not_left_unread(served: Served, path: str) -> None:
    with served.http("admin") as http:
        refused = http.get(path)
        name = path.partition("?")[2].partition("=")[0]
        assert refused.status_code == 422
        assert refused.json()["error"] == f"The request is not valid. {name}: There is no such parameter."
        assert http.get(path.partition("?")[0]).status_code == 200
        assert http.get("openapi.json?pretty=1").status_code == 200
