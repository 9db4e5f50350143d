"""What the routes answer to those who may, and that the answers are those of the services."""

from __future__ import annotations

import hashlib
import json

import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.client.wire import ABOUT, ARROW
from data_platform_tests.orchestration.api.served import ROWS, Served
from data_platform_tests.records.processes import eventually

ALL = {"dataset": "crsp", "sql": "SELECT permno, date, prc FROM crsp_daily ORDER BY permno, date", "wait_seconds": 30}


def test_a_query_waited_for_is_a_page_whose_cursor_leads_on(served: Served) -> None:
    with served.http("analyst") as http:
        first = http.post("queries", json={**ALL, "page_size": 300}).json()
        assert (first["row_count"], first["total_rows"], first["pages"], first["truncated"]) == (300, ROWS, 2, True)
        assert first["rows"][0] == {"permno": 10001, "date": "2020-01-02", "prc": 10.0}
        last = http.get("pages", params={"cursor": first["cursor"]}).json()
    assert (last["row_count"], last["page"], last["cursor"], last["truncated"]) == (200, 2, None, False)
    assert last["versions"] == {"crsp_daily": 1}


def test_a_page_as_arrow_keeps_its_types_and_what_is_known_of_it(served: Served) -> None:
    with served.http("analyst") as http:
        answer = http.post("queries", json=ALL, headers={"accept": ARROW})
    assert answer.headers["content-type"] == ARROW
    with pa.ipc.open_stream(answer.content) as stream:
        table = stream.read_all()
    assert (table.num_rows, table.schema.field("date").type) == (ROWS, pa.date32())
    assert json.loads(table.schema.metadata[ABOUT])["total_rows"] == ROWS


def test_a_query_that_nobody_waits_for_can_be_looked_after(served: Served) -> None:
    with served.http("analyst") as http:
        begun = http.post("queries", json={name: ALL[name] for name in ("dataset", "sql")})
        assert begun.status_code == 202
        place = begun.headers["location"].removeprefix("/api/v1/")
        assert place == f"queries/{begun.json()['id']}"
        assert eventually(lambda: http.get(place).json()["state"] == "done")
        assert http.get(f"{place}/result").json()["total_rows"] == ROWS
        assert begun.json()["id"] in {each["id"] for each in http.get("queries").json()}


def test_parameters_that_json_has_no_type_for_arrive_as_what_they_are(served: Served) -> None:
    asked = {
        "dataset": "crsp",
        "sql": "SELECT count(*) AS n FROM crsp_daily WHERE date = $day AND prc < $most AND permno = $permno",
        "parameters": {
            "day": {"type": "date", "value": "2020-01-02"},
            "most": {"type": "decimal", "value": "10.5"},
            "permno": 10001,
        },
        "wait_seconds": 30,
    }
    with served.http("analyst") as http:
        assert http.post("queries", json=asked).json()["rows"] == [{"n": 1}]
        wrong = http.post("queries", json={**asked, "parameters": {"day": {"type": "date", "value": "yesterday"}}})
    assert (wrong.status_code, wrong.json()["kind"]) == (400, "usage")


def test_a_dry_run_tells_what_would_be_read(served: Served) -> None:
    with served.http("analyst") as http:
        plan = http.post("queries/dry-run", json={name: ALL[name] for name in ("dataset", "sql")}).json()
    assert [each["name"] for each in plan["columns"]] == ["permno", "date", "prc"]
    assert plan["versions"] == {"crsp_daily": 1}


def test_a_wrong_statement_is_told_with_line_and_column(served: Served) -> None:
    with served.http("analyst") as http:
        answer = http.post("queries", json={**ALL, "sql": "SELECT permno,\n  nothing FROM crsp_daily"})
    assert answer.status_code == 400
    assert answer.json()["problem"] == {"kind": "unknown_name", "line": 2, "column": 3}


def test_a_query_over_its_time_is_504_and_exit_code_5(served: Served) -> None:
    # Its second side is small: of one that is large, DuckDB holds every row, and memory is what ends the query.
    endless = "SELECT count(*) FROM range(1000000000000) a, range(1000000) b"
    with served.http("analyst") as http:
        answer = http.post("queries", json={"dataset": "crsp", "sql": endless, "wait_seconds": 2})
    assert (answer.status_code, answer.json()["exit_code"]) == (504, 5), answer.text


def test_an_export_is_downloaded_with_the_sum_of_its_manifest(served: Served) -> None:
    with served.http("operator") as http:
        job = http.post("exports", json={**{k: ALL[k] for k in ("dataset", "sql")}, "format": "parquet"})
        assert job.status_code == 201, job.text
        place = job.headers["location"].removeprefix("/api/v1/")
        file = http.get(f"{place}/file")
        manifest = http.get(f"{place}/manifest").json()
        assert http.get(place).json()["state"] == "done"
    assert hashlib.sha256(file.content).hexdigest() == manifest["sha256"] == job.json()["sha256"]
    assert manifest["sql"] == ALL["sql"]
    assert "Licensed" in manifest["licence"]
    assert pq.read_table(pa.BufferReader(file.content)).num_rows == ROWS
    assert file.headers["content-disposition"] == f'attachment; filename="{job.json()["file_name"]}"'
    assert (file.headers["x-content-type-options"], file.headers["cache-control"]) == ("nosniff", "no-store")
    assert file.headers["content-type"] == "application/vnd.apache.parquet"


def test_an_export_can_be_begun_and_fetched_later(served: Served) -> None:
    with served.http("operator") as http:
        begun = http.post("exports", json={**{k: ALL[k] for k in ("dataset", "sql")}, "wait": False})
        assert begun.status_code == 202
        place = begun.headers["location"].removeprefix("/api/v1/")
        assert eventually(lambda: http.get(place).json()["state"] == "done")
        assert http.get(f"{place}/file").text.count("\n") == ROWS + 1


def test_formulas_in_a_csv_are_escaped_for_whoever_asks(served: Served) -> None:
    asked = {"dataset": "crsp", "sql": "SELECT '=1+1' AS a, -1 AS b FROM crsp_daily LIMIT 1"}
    with served.http("operator") as http:
        texts = [
            http.get(f"exports/{http.post('exports', json={**asked, **more}).json()['export_id']}/file").text
            for more in ({}, {"escape_formulas": True})
        ]
    assert [text.splitlines()[1] for text in texts] == ['"=1+1",-1', '"\'=1+1",-1']


def test_datasets_their_columns_and_first_rows(served: Served) -> None:
    with served.http("viewer") as http:
        assert [each["name"] for each in http.get("datasets").json()] == ["fama_french"]
    with served.http("analyst") as http:
        assert {each["name"] for each in http.get("datasets").json()} == {"crsp", "fama_french"}
        columns = http.get("datasets/crsp").json()["tables"][0]["columns"]
        assert {"unit", "description", "null_share"} <= set(columns[0])
        preview = http.get("datasets/crsp/preview", params={"limit": 2, "table": "crsp_daily"}).json()
        assert (len(preview["rows"]), preview["rows"][0]["date"]) == (2, "2020-01-02")
        assert http.get("quota").json()["queries_per_minute"] == 100_000


def test_an_administrator_lists_and_kills_what_runs(served: Served) -> None:
    endless = {"dataset": "crsp", "sql": "SELECT count(*) FROM range(1000000000000) a, range(1000000) b"}
    with served.http("analyst") as http, served.http("admin") as admin:
        number = http.post("queries", json=endless).json()["id"]
        assert http.get("queries/running").status_code == 403
        assert eventually(lambda: number in {each["id"] for each in admin.get("queries/running").json()})
        assert http.post(f"queries/{number}/kill", json={"reason": "mine"}).status_code == 403
        assert admin.post(f"queries/{number}/kill", json={"reason": "too large"}).status_code == 200
        assert eventually(lambda: http.get(f"queries/{number}").json()["state"] == "cancelled")
        assert "too large" in http.get(f"queries/{number}").json()["error_message"]
        second = http.post("queries", json=endless).json()["id"]
        assert http.post(f"queries/{second}/cancel").status_code == 200
        assert eventually(lambda: http.get(f"queries/{second}").json()["state"] == "cancelled")


def test_a_schedule_is_changed_on_its_version_and_a_conflict_names_the_current_one(served: Served) -> None:
    with served.http("operator") as http:
        found = next(each for each in http.get("sync/schedules").json() if each["table_name"] == "crsp_daily")
        change = {"expected_version": found["version"], "enabled": True, "reason": "from now on"}
        done = http.put("sync/schedules/crsp/crsp_daily", json=change)
        assert (done.status_code, done.json()["enabled"], done.json()["updated_by"]) == (200, True, "operator")
        late = http.put("sync/schedules/crsp/crsp_daily", json=change)
        assert (late.status_code, late.json()["current_version"]) == (409, done.json()["version"])


def test_what_is_known_of_syncs_and_quality_is_there(served: Served) -> None:
    with served.http("analyst") as http:
        states = {each["table"]: each for each in http.get("sync/status").json()}
        assert (states["crsp_daily"]["row_count"], "compustat_annual" in states) == (ROWS, False)
        for path in ("sync/conditions", "sync/logs", "alerts", "alerts/groups", "quality/quarantine"):
            assert isinstance(http.get(path).json(), list), path
        for path in ("quality/results", "quality/trends", "coverage"):
            assert http.get(path, params={"dataset": "crsp"}).status_code == 200, path
            assert http.get(path, params={"dataset": "compustat"}).status_code == 403, path
        assert http.post("alerts/1/acknowledge", json={"reason": "seen"}).status_code == 404


def test_the_description_names_every_route_and_loads_nothing(served: Served) -> None:
    with served.http("viewer") as http:
        described = http.get("openapi.json").json()
        assert http.get("docs").status_code == 404
    assert {"/queries", "/exports/{export_id}/file", "/sync/{dataset}/trigger"} <= set(described["paths"])
    assert described["servers"] == [{"url": "/api/v1"}]
